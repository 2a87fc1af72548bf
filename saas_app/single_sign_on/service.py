"""Questions about an organization's single sign-on: how far it is set up, and whether Logto agrees."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import saas_app.audit.queries as audit
from saas_app.audit.recorder import Action
from saas_app.config import Settings
from saas_app.db.session import DatabaseSession
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.email_domains.queries import Claim, list_claims
from saas_app.errors import LogtoUnavailable, NotFound
from saas_app.logto import ManagementClient, SsoConnector, explaining
from saas_app.models import DomainProof
from saas_app.single_sign_on import queries
from saas_app.single_sign_on.broker.registration import Registration
from saas_app.single_sign_on.failures import EXPLANATIONS, Explanation
from saas_app.single_sign_on.proofs import Refusal
from saas_app.single_sign_on.queries import find_connection, find_name, list_held_domains
from saas_app.single_sign_on.values import Connection
from saas_app.single_sign_on.wanted import wanted_domains
from saas_app.text.domains import shown_domain
from saas_app.text.translation import Sentence, _


@dataclass(frozen=True, slots=True)
class DomainChoice:
    """An email domain of the organization, as the first step offers it.

    ``counts``: the organization holds it by a proof in the DNS. ``proof`` is None while it is not verified.
    """

    domain: str
    shown: str
    proof: DomainProof | None
    counts: bool
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class AtLogto:
    """The connection as Logto has it. ``is_known`` is false if Logto did not respond.

    ``connector`` is None if it was deleted there. ``is_ours``: it points at us. ``joins``: Logto makes its
    people members by itself.
    """

    is_known: bool = False
    connector: SsoConnector | None = None
    is_ours: bool = False
    joins: bool = False


@dataclass(frozen=True, slots=True)
class Rejected:
    """A sign-in through the provider that was rejected, and what the person was told."""

    at: datetime
    advice: Sentence


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything that the page shows.

    ``is_allowed``: the organization may connect a provider. ``default_roles`` are given to people who join.
    ``tester`` names who tested the connection, ``recovery`` the recovery admin. ``rejected`` is the last
    sign-in or test that was rejected since the last test.
    """

    connection: Connection | None
    domains: tuple[DomainChoice, ...]
    at_logto: AtLogto
    default_roles: frozenset[str]
    is_allowed: bool
    tester: str | None = None
    recovery: str | None = None
    rejected: Rejected | None = None

    @property
    def held(self) -> frozenset[str]:
        """The domains that the organization holds by DNS."""
        return frozenset(choice.domain for choice in self.domains if choice.counts)

    @property
    def effective(self) -> tuple[str, ...]:
        """The chosen domains that count."""
        return () if self.connection is None else effective_domains(self.connection, self.held)

    @property
    def failure(self) -> Explanation | None:
        """Why sign-ins through the provider fail now, or None."""
        known = self.connection.failure if self.connection is not None else None
        return None if known is None else EXPLANATIONS[known]

    @property
    def is_gone(self) -> bool:
        """Whether somebody deleted the connector in Logto."""
        return self.connection is not None and self.at_logto.is_known and self.at_logto.connector is None

    @property
    def is_unapplied(self) -> bool:
        """Whether Logto has something else than it should, or makes people members by itself."""
        found, wanted = self.at_logto.connector, self.connection
        if found is None or wanted is None:
            return False
        has_domains = set(found.domains) == set(wanted_domains(wanted, self.held))
        return self.at_logto.joins or not (has_domains and self.at_logto.is_ours)


def require_offered(settings: Settings) -> None:
    """Raise :class:`NotFound` in an installation that does not offer single sign-on."""
    if not settings.offers_single_sign_on:
        raise NotFound(_("This page does not exist, or you do not have access to it."))


async def find(db: DatabaseSession, organization_id: str) -> Connection | None:
    """Return an organization's connection, or None."""
    return await find_connection(db, organization_id)


async def is_allowed(db: DatabaseSession, organization_id: str, settings: Settings) -> bool:
    """Return whether an organization may connect a provider."""
    self_service = settings.single_sign_on_self_service
    return await queries.is_allowed(db, organization_id, self_service=self_service)


def effective_domains(connection: Connection, held: Collection[str]) -> tuple[str, ...]:
    """Return the chosen domains that the organization still holds by DNS, sorted."""
    return tuple(sorted(set(connection.domains) & set(held)))


async def read_overview(
    work: UnitOfWork,
    management: ManagementClient,
    registration: Registration,
    organization_id: str,
    *,
    self_service: bool,
) -> Overview:
    """Return how far single sign-on is set up, here and in Logto. No transaction waits for Logto."""
    async with work.reading(organization_id) as db:
        connection = await find_connection(db, organization_id)
        domains = await _list_choices(db, organization_id, connection)
        is_allowed = await queries.is_allowed(db, organization_id, self_service=self_service)
        people = (connection.tested_by, connection.recovery_id) if connection else (None, None)
        tester, recovery = [await find_name(db, one) if one else None for one in people]
        rejected = await _find_rejected(db, connection) if connection else None
    at_logto, roles = await read_at_logto(management, registration, organization_id, connection)
    return Overview(connection, domains, at_logto, roles, is_allowed, tester, recovery, rejected)


async def _find_rejected(db: DatabaseSession, connection: Connection) -> Rejected | None:
    """Return the last sign-in that was rejected after the last test, or None."""
    since = connection.tested_at or connection.created_at
    for row in await audit.recent([Action.SSO_REFUSE], 1).read(db):
        reason = (row.after or {}).get("reason")
        advice = next((one.advice for one in Refusal if one == reason), None)
        if row.occurred_at >= since and advice is not None:
            return Rejected(row.occurred_at, advice)
    return None


async def read_held(work: UnitOfWork, organization_id: str) -> tuple[Connection | None, frozenset[str]]:
    """Return an organization's connection, and the domains that it holds by DNS."""
    async with work.reading(organization_id) as db:
        connection = await find_connection(db, organization_id)
        return connection, await list_held_domains(db, organization_id)


async def _list_choices(
    db: DatabaseSession, organization_id: str, connection: Connection | None
) -> tuple[DomainChoice, ...]:
    """Return the domains that the organization can choose among, and those that it chose and has lost."""
    claims = await list_claims(db, organization_id)
    chosen = frozenset(connection.domains if connection else ())
    offered = tuple(_choice(claim, chosen) for claim in claims)
    known = {claim.domain for claim in claims}
    lost = tuple(
        DomainChoice(name, shown_domain(name), None, counts=False, is_chosen=True)
        for name in sorted(chosen - known)
    )
    return offered + lost


async def read_at_logto(
    management: ManagementClient,
    registration: Registration,
    organization_id: str,
    connection: Connection | None,
) -> tuple[AtLogto, frozenset[str]]:
    """Return what Logto has, and the default roles. Nothing is known if it does not answer in time."""
    try:
        with explaining():
            roles = await management.list_joining_roles(organization_id)
            if connection is None:
                return AtLogto(is_known=True), roles
            connector, joining = await asyncio.gather(
                management.find_sso_connector(connection.connector_id),
                management.list_joining_connectors(organization_id),
            )
    except LogtoUnavailable:
        return AtLogto(), frozenset()
    is_ours = connector is not None and registration.is_ours(connector)
    return AtLogto(True, connector, is_ours, connection.connector_id in joining), roles


def _choice(claim: Claim, chosen: Collection[str]) -> DomainChoice:
    return DomainChoice(
        claim.domain,
        shown_domain(claim.domain),
        claim.proof if claim.is_verified else None,
        counts=claim.is_verified and claim.proof is DomainProof.DNS,
        is_chosen=claim.domain in chosen,
    )
