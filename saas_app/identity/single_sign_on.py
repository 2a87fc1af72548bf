"""What a request must know of an organization's single sign-on: whether it is required, and of whom.

The feature itself is :mod:`saas_app.single_sign_on`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from saas_app.db import keys
from saas_app.db.session import DatabaseSession
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.errors import SsoRequired
from saas_app.identity.principal import Principal, SessionPrincipal
from saas_app.models import SsoConnection
from saas_app.rbac.permissions import Permission, roles_granting
from saas_app.text.translation import Sentence, _
from saas_app.text.visible import isolated

REQUIREMENT_COLUMNS: Final = (
    sa.case((SsoConnection.required_at.is_not(None), SsoConnection.connector_id)).label("required_connector"),
    SsoConnection.name.label("sso_provider"),
    SsoConnection.recovery_id.label("sso_recovery_id"),
    SsoConnection.on_at.label("sso_on_at"),
)
"""The columns that :func:`as_requirement` reads."""

_OF_ORGANIZATION: Final = sa.select(*REQUIREMENT_COLUMNS).where(
    SsoConnection.organization_id == sa.bindparam("of_organization", type_=sa.String)
)

_HERE: Final = sa.select(SsoConnection.connector_id, *REQUIREMENT_COLUMNS).where(
    SsoConnection.organization_id == sa.bindparam("of_organization", type_=sa.String),
    SsoConnection.on_at.is_not(None),
)
_OF_SEVERAL: Final = sa.select(SsoConnection.organization_id, *REQUIREMENT_COLUMNS).where(
    SsoConnection.organization_id.in_(sa.bindparam("organization_ids", expanding=True)),
    SsoConnection.required_at.is_not(None),
)

RECOVERY_ROLES: Final = frozenset(role.value for role in roles_granting(Permission.ORGANIZATION_UPDATE))
"""The names of the roles by which a recovery admin can make single sign-on optional again."""

SINGLE_SIGN_ON: Final = "/sign-in/single-sign-on"
"""The path that leads a member to the identity provider of their organization."""


@dataclass(frozen=True, slots=True)
class SsoRequirement:
    """An organization lets only people in who signed in through this connector, and ``recovery_id``.

    ``provider`` is the name of the identity provider for people. Sign-ins before ``since`` do not count: the
    connection was off meanwhile, and may lead to another provider now.
    """

    connector_id: str
    provider: str
    recovery_id: str | None
    since: datetime | None = None

    def is_met(self, subject: str, connector_id: str | None, granted_at: datetime | None = None) -> bool:
        """Return whether a person may come in who signed in through ``connector_id``, or otherwise.

        ``granted_at`` is when their sign-in was last checked.
        """
        if subject == self.recovery_id:
            return True
        is_old = self.since is not None and (granted_at is None or granted_at < self.since)
        return connector_id == self.connector_id and not is_old

    def is_met_by(self, principal: Principal) -> bool:
        """Return whether a person may come in. No bearer token says how its holder signed in."""
        if isinstance(principal, SessionPrincipal):
            return self.is_met(principal.subject, principal.sso_connector_id, principal.granted_at)
        return self.is_met(principal.subject, None)

    def refusal(self, organization_id: str, organization_name: str) -> SsoRequired:
        """Return the error for a member whose browser session began in another way."""
        return self._refusal(
            _(
                "%(organization)s lets in only people who signed in through its identity provider, "
                "%(provider)s. You are a member, but you signed in another way.",
                organization=isolated(organization_name),
                provider=isolated(self.provider),
            ),
            organization_id,
            organization_name,
        )

    def token_refusal(self, organization_id: str, organization_name: str) -> SsoRequired:
        """Return the error for a member's bearer token, which does not say how they signed in."""
        return self._refusal(
            _(
                "%(organization)s lets in only people who signed in through its identity provider, "
                "%(provider)s, and a person’s token does not say so. Use Workroom in a browser, or give your "
                "program an API client of the organization.",
                organization=isolated(organization_name),
                provider=isolated(self.provider),
            ),
            organization_id,
            organization_name,
        )

    def _refusal(self, detail: Sentence, organization_id: str, organization_name: str) -> SsoRequired:
        return SsoRequired(
            detail,
            connector_id=self.connector_id,
            provider=self.provider,
            organization_id=organization_id,
            organization=organization_name,
        )


def as_requirement(row: sa.Row[Any]) -> SsoRequirement | None:
    """Return what an organization requires, or None. A join may leave the columns empty."""
    if row.required_connector is None:
        return None
    return SsoRequirement(row.required_connector, row.sso_provider, row.sso_recovery_id, row.sso_on_at)


def sign_in_mark(organization_id: str) -> str:
    """Return the purpose of a sign-in at the provider that an organization requires, for the session."""
    return f"{organization_id} sso"


async def find_requirement(db: DatabaseSession, organization_id: str) -> SsoRequirement | None:
    """Return what an organization requires of sign-ins, or None. ``db`` is bound to the organization."""
    row = (await db.execute(_OF_ORGANIZATION, {"of_organization": organization_id})).one_or_none()
    return None if row is None else as_requirement(row)


async def find_providers_to_use(
    work: UnitOfWork, principal: Principal, organization_ids: Collection[str]
) -> dict[str, str]:
    """Return the organizations among these that this sign-in does not open, with the names of the providers.

    For lists of the person's own things from several organizations. They are members of all of them.
    """
    ids = sorted(set(organization_ids))
    if not ids:
        return {}
    async with work.reading(key=keys.of_organizations(ids)) as db:
        rows = (await db.execute(_OF_SEVERAL, {"organization_ids": ids})).all()
    required = {row.organization_id: as_requirement(row) for row in rows}
    return {
        organization_id: found.provider
        for organization_id, found in required.items()
        if found is not None and not found.is_met_by(principal)
    }


@dataclass(frozen=True, slots=True)
class SignInWay:
    """How a person signed in, as an organization sees it whose connection to its provider is on.

    ``is_through``: at the organization's identity ``provider``. ``is_required`` there, for everybody but the
    recovery admin: ``is_recovery``.
    """

    provider: str
    is_through: bool
    is_required: bool
    is_recovery: bool


async def describe_sign_in(
    db: DatabaseSession, organization_id: str, principal: Principal
) -> SignInWay | None:
    """Return how a person signed in, or None if the organization has no connection that is on."""
    row = (await db.execute(_HERE, {"of_organization": organization_id})).one_or_none()
    if row is None or not isinstance(principal, SessionPrincipal):
        return None
    required, granted_at = as_requirement(row), principal.granted_at
    is_old = granted_at is None or granted_at < row.sso_on_at
    return SignInWay(
        provider=row.sso_provider,
        is_through=principal.sso_connector_id == row.connector_id and not is_old,
        is_required=required is not None,
        is_recovery=required is not None and required.recovery_id == principal.subject,
    )
