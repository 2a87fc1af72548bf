"""A support access, read in one statement: its member, its agent, and what the organization allows now."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from saas_app.db.base import utc_now
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.identity.membership_changes import CHANGE_COLUMNS, as_changes
from saas_app.identity.role_ends import has_ended
from saas_app.identity.vault import fingerprint
from saas_app.models import MembershipChange, Organization, OrganizationOptions, PendingChange, SupportAccess
from saas_app.rbac.permissions import Carrier, Permission, known_permissions
from saas_app.rbac.support import support_permissions
from saas_app.text.branding import Branding


@dataclass(frozen=True, slots=True)
class StoredAccess:
    """A support access, live or over. ``current_version`` is that of the member's membership now.

    ``is_allowed`` and ``allows_writes`` are what the organization allows now. ``scopes`` are those of the
    tokens with both names that Logto issued at the start. ``is_membership_changing``: a change of the
    membership has begun whose result is not known. ``has_ended_role``: a role of the member has ended, so the
    scopes may be more than the member has.
    """

    id: uuid.UUID
    organization_id: str
    organization_name: str
    branding: Branding
    agent_id: str
    agent_name: str
    agent_session_id: uuid.UUID
    agent_version: int
    member_id: str
    member_name: str
    member_version: int
    current_version: int
    is_membership_changing: bool
    has_ended_role: bool
    ticket: str
    writes: bool
    scopes: dict[Carrier, frozenset[str]]
    started_at: datetime
    ends_at: datetime
    ended_at: datetime | None
    ended_by: str | None
    ended_by_name: str | None
    is_allowed: bool
    allows_writes: bool

    @property
    def may_write(self) -> bool:
        """Whether the agent may change projects and tasks. The organization may have taken that back."""
        return self.writes and self.allows_writes

    def granted(self, carrier: Carrier) -> frozenset[Permission]:
        """Return what one kind of token grants: never more than support access can have."""
        known = known_permissions(self.scopes[carrier]) & support_permissions(writes=self.may_write)
        return frozenset(permission for permission in known if permission.carrier is carrier)


async def find_by_cookie(work: UnitOfWork, organization_id: str, cookie: str) -> StoredAccess | None:
    """Return the access to an organization that a cookie opens, live or over, or None."""
    values = {"organization_id": organization_id, "cookie_hash": fingerprint(cookie), "now": utc_now()}
    return await _find(work, organization_id, _BY_COOKIE, values)


async def find_of(
    work: UnitOfWork, organization_id: str, member_id: str, agent_id: str
) -> StoredAccess | None:
    """Return the latest access that has not ended of an agent for a member, or None."""
    values = {
        "organization_id": organization_id,
        "member_id": member_id,
        "agent_id": agent_id,
        "now": utc_now(),
    }
    return await _find(work, organization_id, _BY_NAMES, values)


async def _find(
    work: UnitOfWork, organization_id: str, statement: sa.Select[Any], values: dict[str, Any]
) -> StoredAccess | None:
    async with work.reading(organization_id) as db:
        rows = (await db.execute(statement, values)).all()
    return _as_access(rows) if rows else None


_UNCHANGED: Final = tuple(
    column.key for column in SupportAccess.__table__.columns if column.key in StoredAccess.__slots__
)


def _statement() -> sa.Select[Any]:
    """Build the statement. It returns a row for each known change of the membership, and at least one."""
    return (
        sa.select(
            *SupportAccess.__table__.columns,
            Organization.name.label("organization_name"),
            Organization.logo,
            Organization.dark_logo,
            Organization.color,
            OrganizationOptions.support_allowed,
            OrganizationOptions.support_until,
            OrganizationOptions.support_writes,
            *CHANGE_COLUMNS,
            has_ended(SupportAccess.organization_id, SupportAccess.member_id).label("has_ended_role"),
            PendingChange.touches(SupportAccess.organization_id, SupportAccess.member_id).label(
                "is_changing"
            ),
        )
        .select_from(SupportAccess)
        .outerjoin(Organization, Organization.id == SupportAccess.organization_id)
        .outerjoin(OrganizationOptions, OrganizationOptions.organization_id == SupportAccess.organization_id)
        .outerjoin(
            MembershipChange,
            MembershipChange.touches(SupportAccess.organization_id, SupportAccess.member_id),
        )
        .where(SupportAccess.organization_id == sa.bindparam("organization_id", type_=sa.String))
        .order_by(SupportAccess.id.desc())
    )


_BY_COOKIE: Final = _statement().where(
    SupportAccess.cookie_hash == sa.bindparam("cookie_hash", type_=sa.LargeBinary)
)
_BY_NAMES: Final = _statement().where(
    SupportAccess.member_id == sa.bindparam("member_id", type_=sa.String),
    SupportAccess.agent_id == sa.bindparam("agent_id", type_=sa.String),
    SupportAccess.ended_at.is_(None),
    SupportAccess.ends_at > sa.bindparam("now", type_=SupportAccess.ends_at.type),
)


def _as_access(rows: Sequence[sa.Row[Any]]) -> StoredAccess:
    """Return the latest access of these rows, which begin with it."""
    first = rows[0]
    changes = as_changes(row for row in rows if row.id == first.id)
    until = first.support_until
    return StoredAccess(
        **{name: getattr(first, name) for name in _UNCHANGED},
        organization_name=first.organization_name or first.organization_id,
        branding=Branding(first.logo, first.dark_logo, first.color),
        current_version=changes.version,
        is_membership_changing=first.is_changing,
        has_ended_role=first.has_ended_role,
        scopes={
            Carrier.ORGANIZATION_TOKEN: frozenset(first.scopes_organization.split()),
            Carrier.API_TOKEN: frozenset(first.scopes_api.split()),
        },
        is_allowed=bool(first.support_allowed) and (until is None or until > utc_now()),
        allows_writes=bool(first.support_writes),
    )
