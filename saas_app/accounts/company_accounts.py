"""A person's accounts at companies' identity providers, and whether Workroom accepts sign-ins with them.

Logto keeps what linked an account once, also when it no longer counts: the organization may have turned
single sign-on off, or lost the domain. For Logto, the provider of such an account is Workroom itself
(:mod:`saas_app.single_sign_on.broker`), so people are shown the provider that their organization entered.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

import structlog

from saas_app.db.unit_of_work import UnitOfWork
from saas_app.errors import LogtoUnavailable
from saas_app.logto import LogtoUser, ManagementClient, ManagementError, SsoIdentity, SsoSubmission
from saas_app.single_sign_on import queries
from saas_app.single_sign_on.broker.registration import Registration
from saas_app.single_sign_on.proofs import Refusal, find_objection
from saas_app.single_sign_on.values import Connection

log = structlog.get_logger(__name__)


class Acceptance(StrEnum):
    """What becomes of sign-ins with an account at a company's provider.

    ``UNKNOWN``: the connector belongs to no organization, or Logto could not be asked.
    """

    ACCEPTED = "accepted"
    OFF = "off"
    OTHER_PROVIDER = "other-provider"
    FOREIGN_ADDRESS = "foreign-address"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class CompanyAccount:
    """An account at a company's identity provider that is linked to the person's account in Logto.

    ``provider`` is the name that an organization of theirs gave it, or the issuer's host. It and ``issuer``
    are "" if the organization has removed the provider. ``email`` is the address that it asserted, or "".
    """

    provider: str
    issuer: str
    email: str
    acceptance: Acceptance = Acceptance.UNKNOWN
    linked_at: datetime | None = None
    last_used_at: datetime | None = None

    @property
    def is_rejected(self) -> bool:
        return self.acceptance not in (Acceptance.ACCEPTED, Acceptance.UNKNOWN)


@dataclass(frozen=True, slots=True)
class CompanySignIns:
    """A person's accounts at companies, and the names of providers by their connector."""

    accounts: tuple[CompanyAccount, ...] = ()
    names: Mapping[str, str] | None = None

    def name_of(self, connector_id: str | None) -> str:
        """Return the name of a connector's provider, or "" if the person may not know it."""
        return (self.names or {}).get(connector_id or "", "")


@dataclass(frozen=True, slots=True)
class _Found:
    """A connection, and the domains that its organization holds. ``is_own``: the person is a member there."""

    connection: Connection
    held: frozenset[str]
    is_own: bool

    def name_at(self, issuer: str) -> str:
        """Return what the person may know of the provider with this issuer: its name, or its host."""
        return self.connection.name if self.is_own else _host(issuer)


async def read_company_sign_ins(
    user_info: Mapping[str, Any] | None,
    connector_ids: Iterable[str | None],
    *,
    subject: str,
    memberships: Collection[str],
    work: UnitOfWork,
    management: ManagementClient | None,
    registration: Registration,
) -> CompanySignIns:
    """Return the accounts that userinfo names (scope ``identities``), and the names for these connectors.

    Userinfo tells neither when an account was linked nor by which connector, so Logto is asked for both. If
    it does not respond, the list has only what userinfo says. An organization's name for its provider is
    shown to its members only: ``memberships`` are the ids of the person's organizations.
    """
    told = _from_user_info(user_info, registration)
    account = await _find_account(management, subject) if told and management is not None else None
    linked = told if account is None else account.sso_identities
    wanted = {identity.connector_id for identity in linked} | set(connector_ids)
    connections = {
        connector_id: found
        for connector_id in sorted(filter(None, wanted))
        if (found := await _find(work, connector_id, memberships)) is not None
    }
    accounts = tuple(
        _read(identity, connections.get(identity.connector_id), registration, account) for identity in linked
    )
    hosts = {identity.connector_id: _host(identity.issuer) for identity in linked if identity.connector_id}
    names = {key: found.name_at(found.connection.issuer) for key, found in connections.items()}
    return CompanySignIns(accounts, hosts | names)


async def _find_account(management: ManagementClient, subject: str) -> LogtoUser | None:
    try:
        return await management.get_user_with_sso(subject)
    except (LogtoUnavailable, ManagementError) as error:
        log.warning("the connectors of linked accounts are unknown", reason=str(error))
        return None


async def _find(work: UnitOfWork, connector_id: str, memberships: Collection[str]) -> _Found | None:
    connection = await queries.find_by_connector(work, connector_id)
    if connection is None:
        return None
    organization_id = connection.organization_id
    async with work.reading(organization_id) as db:
        held = await queries.list_held_domains(db, organization_id)
    return _Found(connection, held, organization_id in memberships)


def _read(
    identity: SsoIdentity, found: _Found | None, registration: Registration, account: LogtoUser | None
) -> CompanyAccount:
    """Return what the person is shown of an identity."""
    issuer = identity.issuer
    if registration.connector_of(issuer) is not None:
        issuer = "" if found is None else found.connection.issuer
    return CompanyAccount(
        provider=_host(issuer) if found is None else found.name_at(issuer),
        issuer=issuer,
        email=_text(identity.detail.get("email")),
        acceptance=_acceptance(found, registration, identity, account),
        linked_at=identity.created_at,
        last_used_at=identity.updated_at,
    )


def _acceptance(
    found: _Found | None, registration: Registration, identity: SsoIdentity, account: LogtoUser | None
) -> Acceptance:
    """Return what the check of a sign-in would say. The operator answers for connectors of their own."""
    if account is None:
        return Acceptance.UNKNOWN
    if found is None:
        is_removed = registration.connector_of(identity.issuer) is not None
        return Acceptance.OFF if is_removed else Acceptance.UNKNOWN
    if not found.connection.is_on:
        return Acceptance.OFF
    issuer = registration.issuer(identity.connector_id)
    refusal = find_objection(found.connection, found.held, issuer, _as_submission(identity), account)
    if refusal is None:
        return Acceptance.ACCEPTED
    return Acceptance.OTHER_PROVIDER if refusal is Refusal.OTHER_PROVIDER else Acceptance.FOREIGN_ADDRESS


def _as_submission(identity: SsoIdentity) -> SsoSubmission:
    """Return what a sign-in would bring, if the provider says the same as the last time."""
    return SsoSubmission.read(
        {
            "connectorId": identity.connector_id,
            "issuer": identity.issuer,
            "enterpriseSsoUserInfo": {**identity.detail, "id": identity.identity_id},
        }
    )


def _from_user_info(
    user_info: Mapping[str, Any] | None, registration: Registration
) -> tuple[SsoIdentity, ...]:
    """Read ``sso_identities: [{issuer, identityId, detail}]`` (Logto 1.42).

    The connector is known only where we are the issuer.
    """
    told = (user_info or {}).get("sso_identities")
    return tuple(
        _told_identity(one, registration)
        for one in (told if isinstance(told, list) else ())
        if isinstance(one, dict)
    )


def _told_identity(told: Mapping[str, Any], registration: Registration) -> SsoIdentity:
    issuer, detail = _text(told.get("issuer")), told.get("detail")
    return SsoIdentity(
        issuer=issuer,
        identity_id=_text(told.get("identityId")),
        connector_id=registration.connector_of(issuer) or "",
        detail=detail if isinstance(detail, dict) else {},
    )


def _host(issuer: str) -> str:
    return urlsplit(issuer).netloc or issuer


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
