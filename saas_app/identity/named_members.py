"""What ends with a membership: columns that name the member, the ends of their roles, and their requests.

A column of an organization's table, such as a task's assignee, says so with
``info={"names_a_member": True}``. Logto knows who is a member, so it is asked before the name is stored; an
end that comes between the two is noticed in the transaction.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final

import sqlalchemy as sa

from saas_app.db.base import Base, is_tenant_owned
from saas_app.db.session import DatabaseSession, WritingSession
from saas_app.errors import Busy
from saas_app.identity.membership_changes import read_changes
from saas_app.identity.open_requests import list_requesters, withdraw_requests
from saas_app.identity.role_ends import forget_ends, list_people
from saas_app.models import AccessRequest, RoleEnd
from saas_app.text.translation import _

_WAIT_FOR_TURN: Final = sa.select(
    sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(sa.bindparam("name", type_=sa.String), 0))
)
_USER: Final = sa.bindparam("user", type_=sa.String)


@dataclass(frozen=True, slots=True)
class CheckedMember:
    """A person who was a member when ``version`` was the version of their membership."""

    user_id: str
    version: int


async def require_still_member(db: WritingSession, organization_id: str, member: CheckedMember) -> None:
    """Check, in the transaction that stores the name, that the membership has not changed since the check.

    Raises :class:`Busy`. Until the transaction ends, the end of the membership waits.
    """
    await _wait_for_turn(db, organization_id, member.user_id)
    known = await read_changes(db, organization_id, member.user_id)
    if known.version != member.version:
        raise Busy(_("The membership of this person has just changed. Try again."))


async def forget_member(
    db: WritingSession, organization_id: str, user_id: str, ended_at: datetime | None = None
) -> Counter[str]:
    """Empty all columns of the organization that name this person, and return the number of rows by table.

    The ends of their roles are deleted, and their access requests withdrawn. Call it in the transaction that
    records the end of the membership and marks it as changed: tokens from before still carry the roles, and
    nothing but their ends limited them. ``ended_at`` is when it ended, if that is learned later: the person
    may have joined again since, with a role that ends.
    """
    await _wait_for_turn(db, organization_id, user_id)
    count: Counter[str] = Counter()
    for column in _columns():
        rows = await db.scalars(_named_by(column), {"user": user_id})
        if ids := list(rows):
            await db.execute(_emptied(column), {"ids": ids, "user": user_id})
            count[column.class_.__tablename__] += len(ids)
    count[RoleEnd.__tablename__] += await forget_ends(db, organization_id, user_id, ended_at)
    count[AccessRequest.__tablename__] += await withdraw_requests(db, organization_id, user_id, ended_at)
    return +count


async def list_named(db: DatabaseSession, organization_id: str) -> set[str]:
    """Return everybody whom such a column names, whose roles end, or whose request is pending."""
    found = {*await list_people(db, organization_id), *await list_requesters(db)}
    for column in _columns():
        found.update(await db.scalars(sa.select(column).where(column.is_not(None)).distinct()))
    return found


async def _wait_for_turn(db: WritingSession, organization_id: str, user_id: str) -> None:
    """Run one transaction about a membership after the other. SQLite has one writer anyway."""
    if db.dialect_name == "postgresql":
        await db.execute(_WAIT_FOR_TURN, {"name": f"member:{organization_id}:{user_id}"})


@cache
def _columns() -> tuple[Any, ...]:
    """Return the declared columns, as attributes of their classes."""
    return tuple(
        getattr(mapper.class_, mapper.get_property_by_column(column).key)
        for mapper in sorted(Base.registry.mappers, key=lambda mapper: str(mapper.local_table))
        if is_tenant_owned(mapper.local_table)  # type: ignore[arg-type]
        for column in mapper.local_table.columns
        if column.info.get("names_a_member")
    )


@cache
def _named_by(column: Any) -> sa.Select[Any]:
    """Select the rows that name a person, locked in one order."""
    rows = column.class_
    return sa.select(rows.id).where(column == _USER).order_by(rows.id).with_for_update()


@cache
def _emptied(column: Any) -> sa.Update:
    """Return the update that empties the column. The rows get a new version, because they have changed."""
    rows = column.class_
    values: dict[Any, Any] = {column.key: None}
    if hasattr(rows, "version"):
        values["version"] = rows.version + 1
    ids = sa.bindparam("ids", type_=rows.id.type, expanding=True)
    return sa.update(rows).where(rows.id.in_(ids), column == _USER).values(values)
