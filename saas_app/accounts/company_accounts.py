"""A person's accounts at companies' identity providers, and whether Workroom accepts sign-ins with them.

Logto keeps what linked an account once, also when it no longer counts: the organization may have turned
single sign-on off, or lost the domain.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

import structlog

from saas_app.db import keys
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

    ``provider`` is the name that an organization of theirs gave it, or the issuer's host. ``email`` is the
    address that the provider asserted, or "".
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
    """A connection, and the domains that its organization holds."""

    connection: Connection
    held: frozenset[str]


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
    told = _from_user_info(user_info)
    account = await _find_account(management, subject) if told and management is not None else None
    linked = account.sso_identities if account is not None else ()
    wanted = {identity.connector_id for identity in linked} | {found for found in connector_ids if found}
    connections = {connector_id: await _find(work, connector_id) for connector_id in sorted(wanted)}
    issuers = {identity.connector_id: identity.issuer for identity in linked}
    names = {connector_id: _host(issuer) for connector_id, issuer in issuers.items()}
    for connector_id, found in connections.items():
        if found is not None:
            issuers[connector_id] = found.connection.issuer
            names[connector_id] = _host(found.connection.issuer)
        if found is not None and found.connection.organization_id in memberships:
            names[connector_id] = found.connection.name
    if account is None:
        return CompanySignIns(told, names)
    accounts = tuple(
        CompanyAccount(
            provider=names[identity.connector_id],
            issuer=issuers[identity.connector_id],
            email=_text(identity.detail.get("email")),
            acceptance=_acceptance(connections[identity.connector_id], registration, identity, account),
            linked_at=identity.created_at,
            last_used_at=identity.updated_at,
        )
        for identity in linked
    )
    return CompanySignIns(accounts, names)


async def _find_account(management: ManagementClient, subject: str) -> LogtoUser | None:
    try:
        return await management.get_user_with_sso(subject)
    except (LogtoUnavailable, ManagementError) as error:
        log.warning("the connectors of linked accounts are unknown", reason=str(error))
        return None


async def _find(work: UnitOfWork, connector_id: str) -> _Found | None:
    async with work.reading(key=keys.of_connector(connector_id)) as db:
        connection = await queries.find_by_connector(db, connector_id)
    if connection is None:
        return None
    async with work.reading(connection.organization_id) as db:
        held = await queries.list_held_domains(db, connection.organization_id)
    return _Found(connection, held)


def _acceptance(
    found: _Found | None, registration: Registration, identity: SsoIdentity, account: LogtoUser
) -> Acceptance:
    """Return what the check of a sign-in would say. The operator answers for connectors of their own."""
    if found is None:
        return Acceptance.UNKNOWN
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


def _from_user_info(user_info: Mapping[str, Any] | None) -> tuple[CompanyAccount, ...]:
    """Read ``sso_identities: [{issuer, identityId, detail}]`` (Logto 1.42)."""
    told = (user_info or {}).get("sso_identities")
    return tuple(
        _told_account(one) for one in (told if isinstance(told, list) else ()) if isinstance(one, dict)
    )


def _told_account(told: Mapping[str, Any]) -> CompanyAccount:
    issuer, detail = _text(told.get("issuer")), told.get("detail")
    email = _text(detail.get("email")) if isinstance(detail, dict) else ""
    return CompanyAccount(_host(issuer), issuer, email)


def _host(issuer: str) -> str:
    return urlsplit(issuer).netloc or issuer


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
