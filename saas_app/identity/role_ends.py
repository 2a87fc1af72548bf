"""When roles of members end: reads and writes the rows that say so (decision 28). No other module does.

Logto has the role itself, and :mod:`saas_app.rbac.endings` says what an end means.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa

from saas_app.db.base import utc_now
from saas_app.db.session import DatabaseSession, WritingSession
from saas_app.db.upsert import upsert
from saas_app.models import RoleEnd

END_COLUMNS: Final = (RoleEnd.role.label("ending_role"), RoleEnd.ends_at)
"""The columns that :func:`as_ends` reads."""

_ORGANIZATION: Final = RoleEnd.organization_id == sa.bindparam("organization_id", type_=sa.String)
_MEMBERS: Final = sa.and_(_ORGANIZATION, RoleEnd.user_id.in_(sa.bindparam("users", expanding=True)))

_ENDS: Final = sa.select(RoleEnd.user_id, *END_COLUMNS).where(_MEMBERS)
_PEOPLE: Final = sa.select(RoleEnd.user_id).where(_ORGANIZATION).distinct()
_ENDINGS: Final = sa.select(RoleEnd.organization_id, RoleEnd.user_id, RoleEnd.role, RoleEnd.ends_at)
_GIVEN: Final = _ENDINGS.where(
    _ORGANIZATION, RoleEnd.given_at < sa.bindparam("before", type_=RoleEnd.given_at.type)
)
_DUE: Final = _ENDINGS.where(RoleEnd.ends_at <= sa.bindparam("now", type_=RoleEnd.ends_at.type)).order_by(
    RoleEnd.ends_at, RoleEnd.organization_id, RoleEnd.user_id, RoleEnd.role
)
_DUE_HERE: Final = _DUE.where(_ORGANIZATION)
_DELETE: Final = sa.delete(RoleEnd).where(
    _ORGANIZATION,
    RoleEnd.user_id == sa.bindparam("user", type_=sa.String),
    RoleEnd.role.in_(sa.bindparam("roles", expanding=True)),
)
_FORGET: Final = (
    sa.delete(RoleEnd)
    .where(
        _ORGANIZATION,
        RoleEnd.user_id == sa.bindparam("user", type_=sa.String),
        RoleEnd.given_at < sa.bindparam("ended_at", type_=RoleEnd.given_at.type),
    )
    .returning(RoleEnd.role)
)
_END_OF_TIME: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class RoleEnding:
    """The end of a role of a member."""

    organization_id: str
    user_id: str
    role: str
    ends_at: datetime


def as_ends(rows: Iterable[sa.Row[Any]]) -> dict[str, datetime]:
    """Return when the roles of one member end. Joins may repeat the rows or leave them empty."""
    return {row.ending_role: row.ends_at for row in rows if row.ending_role is not None}


def is_end_of(
    organization_id: sa.SQLColumnExpression[str],
    user_id: sa.SQLColumnExpression[str],
    role: sa.SQLColumnExpression[str],
) -> sa.ColumnElement[bool]:
    """Match the end of a member's role, for joins."""
    return sa.and_(
        RoleEnd.organization_id == organization_id, RoleEnd.user_id == user_id, RoleEnd.role == role
    )


def has_ended(
    organization_id: sa.SQLColumnExpression[str], user_id: sa.SQLColumnExpression[str]
) -> sa.ColumnElement[bool]:
    """Match if a role of the member has ended at ``now``, a parameter, and was not taken away yet."""
    ended = RoleEnd.ends_at <= sa.bindparam("now", type_=RoleEnd.ends_at.type)
    return sa.exists().where(RoleEnd.organization_id == organization_id, RoleEnd.user_id == user_id, ended)


async def list_ends(
    db: DatabaseSession, organization_id: str, user_ids: Collection[str]
) -> dict[str, dict[str, datetime]]:
    """Return the ends of the members' roles, by member and role. Some may have passed."""
    values = {"organization_id": organization_id, "users": list(user_ids)}
    ends: dict[str, dict[str, datetime]] = defaultdict(dict)
    for user_id, role, ends_at in await db.execute(_ENDS, values):
        ends[user_id][role] = ends_at
    return dict(ends)


async def read_ends(db: DatabaseSession, organization_id: str, user_id: str) -> dict[str, datetime]:
    """Return the ends of one member's roles. Some may have passed."""
    return (await list_ends(db, organization_id, [user_id])).get(user_id, {})


async def list_people(db: DatabaseSession, organization_id: str) -> list[str]:
    """Return everybody with a role that ends."""
    return list(await db.scalars(_PEOPLE, {"organization_id": organization_id}))


async def list_due(
    db: DatabaseSession, now: datetime, organization_id: str | None = None
) -> list[RoleEnding]:
    """Return what has ended: in one organization, or for a job, in all of them. Earliest first."""
    if organization_id is None:
        rows = await db.execute(_DUE, {"now": now})
    else:
        rows = await db.execute(_DUE_HERE, {"now": now, "organization_id": organization_id})
    return [RoleEnding(*row) for row in rows]


async def list_given(db: DatabaseSession, organization_id: str, before: datetime) -> list[RoleEnding]:
    """Return the ends in an organization that were set earlier than ``before``."""
    rows = await db.execute(_GIVEN, {"organization_id": organization_id, "before": before})
    return [RoleEnding(*row) for row in rows]


async def set_end(
    db: WritingSession, organization_id: str, user_id: str, role: str, ends_at: datetime, given_by: str
) -> None:
    """Store when a member's role ends, in place of an end that was set before."""
    row = {
        "organization_id": organization_id,
        "user_id": user_id,
        "role": role,
        "ends_at": ends_at,
        "given_by": given_by,
        "given_at": utc_now(),
    }
    await upsert(db, RoleEnd, [row], key=("organization_id", "user_id", "role"))


async def delete_ends(
    db: WritingSession, organization_id: str, user_id: str, role_names: Collection[str]
) -> None:
    """Delete the ends of some roles of a member: they were taken away, or no longer end."""
    values = {"organization_id": organization_id, "user": user_id, "roles": list(role_names)}
    await db.execute(_DELETE, values)


async def forget_ends(
    db: WritingSession, organization_id: str, user_id: str, ended_at: datetime | None = None
) -> int:
    """Delete the ends of all roles of a former member, and return how many there were.

    ``ended_at`` is when the membership ended if that was learned later. The person may have joined again
    since, so an end that was set after it stays.
    """
    values = {"organization_id": organization_id, "user": user_id, "ended_at": ended_at or _END_OF_TIME}
    return len((await db.execute(_FORGET, values)).all())
