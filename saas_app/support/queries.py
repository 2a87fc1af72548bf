"""Statements on support access: what organizations allow, and the accesses of agents.

Sessions are bound to an organization, or have the key of an agent or of the support desk.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final

import sqlalchemy as sa

from saas_app.db.readings import Reading
from saas_app.db.session import DatabaseSession, WritingSession
from saas_app.db.upsert import upsert
from saas_app.models import OrganizationOptions, SupportAccess
from saas_app.support.values import AccessRow, Consent

_CONSENT: Final = sa.select(
    OrganizationOptions.support_allowed, OrganizationOptions.support_until, OrganizationOptions.support_writes
)
_CONSENT_OF: Final = _CONSENT.where(OrganizationOptions.organization_id == sa.bindparam("of_organization"))
_MOMENT: Final = SupportAccess.started_at.type

_IS_ALLOWED: Final = sa.and_(
    OrganizationOptions.support_allowed,
    sa.or_(
        OrganizationOptions.support_until.is_(None),
        OrganizationOptions.support_until > sa.bindparam("allowed_at", type_=_MOMENT),
    ),
)
_OPEN: Final = (
    _CONSENT.add_columns(OrganizationOptions.organization_id)
    .where(_IS_ALLOWED)
    .order_by(OrganizationOptions.organization_id)
    .limit(sa.bindparam("limit", type_=sa.Integer))
)
_ROWS: Final = sa.select(
    SupportAccess.id,
    SupportAccess.organization_id,
    SupportAccess.agent_id,
    SupportAccess.agent_name,
    SupportAccess.member_id,
    SupportAccess.member_name,
    SupportAccess.reason,
    SupportAccess.ticket,
    SupportAccess.writes,
    SupportAccess.started_at,
    SupportAccess.ends_at,
    SupportAccess.ended_at,
    SupportAccess.ended_by,
    SupportAccess.ended_by_name,
)
_OF_ORGANIZATION: Final = _ROWS.where(SupportAccess.organization_id == sa.bindparam("of_organization"))
_LIVE: Final = sa.and_(
    SupportAccess.ended_at.is_(None), SupportAccess.ends_at > sa.bindparam("live_at", type_=_MOMENT)
)
_LIVE_OF_ORGANIZATION: Final = (
    _OF_ORGANIZATION.join(
        OrganizationOptions, OrganizationOptions.organization_id == SupportAccess.organization_id
    )
    .where(_LIVE, _IS_ALLOWED)
    .order_by(SupportAccess.id)
)
_LIVE_OF_MEMBER: Final = _LIVE_OF_ORGANIZATION.where(SupportAccess.member_id == sa.bindparam("of_member"))
_ONE: Final = _OF_ORGANIZATION.where(SupportAccess.id == sa.bindparam("access_id", type_=sa.Uuid))


_OWN: Final = _ROWS.where(
    SupportAccess.agent_id == sa.bindparam("of_agent"),
    SupportAccess.id == sa.bindparam("access_id", type_=sa.Uuid),
)


@cache
def _page(*, of_agent: bool, is_first: bool) -> sa.Select[*tuple[Any, ...]]:
    """Build the statement of a page of accesses, the newest first: an agent's, or an organization's."""
    mine = SupportAccess.agent_id == sa.bindparam("of_agent")
    statement = _ROWS.where(mine) if of_agent else _OF_ORGANIZATION
    statement = statement.where(SupportAccess.started_at > sa.bindparam("since", type_=_MOMENT))
    if not is_first:
        statement = statement.where(SupportAccess.id < sa.bindparam("before", type_=sa.Uuid))
    return statement.order_by(SupportAccess.id.desc()).limit(sa.bindparam("limit", type_=sa.Integer))


async def find_consent(db: DatabaseSession, organization_id: str) -> Consent:
    """Return what an organization allows. By default, that is nothing."""
    row = (await db.execute(_CONSENT_OF, {"of_organization": organization_id})).one_or_none()
    return Consent() if row is None else Consent(*row)


async def list_open(db: DatabaseSession, now: datetime, limit: int) -> dict[str, Consent]:
    """Return the organizations that allow support access now, by id. ``db`` has the key of the desk."""
    rows = await db.execute(_OPEN, {"allowed_at": now, "limit": limit})
    return {row.organization_id: Consent(*row[:3]) for row in rows}


async def list_of_organization(
    db: DatabaseSession, organization_id: str, since: datetime, before: uuid.UUID | None, limit: int
) -> list[AccessRow]:
    """Return the accesses to an organization that began after ``since``, the newest first."""
    values = {"of_organization": organization_id, "since": since, "limit": limit}
    return await _read_page(db, values, before, of_agent=False)


async def list_of_agent(
    db: DatabaseSession, agent_id: str, since: datetime, before: uuid.UUID | None, limit: int
) -> list[AccessRow]:
    """Return an agent's accesses that began after ``since``, the newest first. ``db`` has the agent's key."""
    return await _read_page(db, {"of_agent": agent_id, "since": since, "limit": limit}, before, of_agent=True)


def live_in(organization_id: str, now: datetime, member_id: str | None = None) -> Reading[list[AccessRow]]:
    """Return the question for the live accesses to an organization, of one member if one is named."""
    values: dict[str, Any] = {"of_organization": organization_id, "allowed_at": now, "live_at": now}
    if member_id is None:
        return Reading(_LIVE_OF_ORGANIZATION, values, _as_rows)
    return Reading(_LIVE_OF_MEMBER, values | {"of_member": member_id}, _as_rows)


async def find_access(db: DatabaseSession, organization_id: str, access_id: uuid.UUID) -> AccessRow | None:
    """Return an access to the organization, or None."""
    values = {"of_organization": organization_id, "access_id": access_id}
    row = (await db.execute(_ONE, values)).one_or_none()
    return None if row is None else AccessRow(*row)


async def find_own(db: DatabaseSession, agent_id: str, access_id: uuid.UUID) -> AccessRow | None:
    """Return an access of the agent, to any organization, or None. ``db`` has the agent's key."""
    row = (await db.execute(_OWN, {"of_agent": agent_id, "access_id": access_id})).one_or_none()
    return None if row is None else AccessRow(*row)


async def _read_page(
    db: DatabaseSession, values: dict[str, Any], before: uuid.UUID | None, *, of_agent: bool
) -> list[AccessRow]:
    if before is not None:
        values["before"] = before
    statement = _page(of_agent=of_agent, is_first=before is None)
    return _as_rows((await db.execute(statement, values)).all())


def _as_rows(rows: Sequence[Sequence[Any]]) -> list[AccessRow]:
    return [AccessRow(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class Ending:
    """When an access was ended, and by whom."""

    at: datetime
    by: str
    by_name: str


async def save_consent(db: WritingSession, organization_id: str, consent: Consent) -> None:
    """Store what an organization allows. Its other options stay."""
    row = {
        "organization_id": organization_id,
        "support_allowed": consent.is_allowed,
        "support_until": consent.until,
        "support_writes": consent.writes,
    }
    await upsert(db, OrganizationOptions, [row], key=("organization_id",))


async def add_access(db: WritingSession, row: dict[str, Any]) -> None:
    """Store an access that begins."""
    await db.execute(sa.insert(SupportAccess), [row])


async def end_access(
    db: WritingSession, organization_id: str, access_id: uuid.UUID, ending: Ending
) -> AccessRow | None:
    """End a live access to the organization, and return it. None if there is none that is live."""
    ended = await _end_where(db, organization_id, ending, SupportAccess.id == access_id)
    return ended[0] if ended else None


async def end_all(db: WritingSession, organization_id: str, ending: Ending) -> list[AccessRow]:
    """End all live accesses to the organization, and return them."""
    return await _end_where(db, organization_id, ending, sa.true())


async def _end_where(
    db: WritingSession, organization_id: str, ending: Ending, which: sa.ColumnElement[bool]
) -> list[AccessRow]:
    statement = (
        sa.update(SupportAccess)
        .where(
            SupportAccess.organization_id == organization_id,
            SupportAccess.ended_at.is_(None),
            SupportAccess.ends_at > ending.at,
            which,
        )
        .values(ended_at=ending.at, ended_by=ending.by, ended_by_name=ending.by_name)
        .returning(*_ROWS.selected_columns)
    )
    return _as_rows((await db.execute(statement)).all())


async def delete_older(db: WritingSession, moment: datetime) -> None:
    """Delete the accesses to all organizations that began before a moment."""
    await db.execute(sa.delete(SupportAccess).where(SupportAccess.started_at < moment))
