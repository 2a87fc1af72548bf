"""Statements on access requests and on what organizations tell those who ask.

Sessions are bound to an organization, which adds it to each statement on requests.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from saas_app.access_requests.values import LIFETIME, RequestKey, RequestRow, RequestState, WantedAccess
from saas_app.db.base import new_uuid, utc_now
from saas_app.db.readings import Reading
from saas_app.db.rows import changed
from saas_app.db.session import DatabaseSession, WritingSession
from saas_app.db.upsert import upsert
from saas_app.identity.role_ends import is_end_of
from saas_app.models import AccessRequest, OrganizationOptions, RoleEnd, User

_Decider = aliased(User)

_ROWS: Final[sa.Select[*tuple[Any, ...]]] = (
    sa.select(
        AccessRequest.id,
        AccessRequest.requester_id,
        User.display_name(AccessRequest.requester_id),
        AccessRequest.role,
        AccessRequest.permission,
        AccessRequest.minutes,
        AccessRequest.reason,
        AccessRequest.state,
        AccessRequest.created_at,
        AccessRequest.decided_at,
        AccessRequest.decided_by,
        sa.func.coalesce(_Decider.name, _Decider.username, _Decider.email, AccessRequest.decided_by),
        AccessRequest.answer,
        AccessRequest.ends_at,
        RoleEnd.ends_at,
    )
    .outerjoin(User, User.id == AccessRequest.requester_id)
    .outerjoin(_Decider, _Decider.id == AccessRequest.decided_by)
    .outerjoin(
        RoleEnd,
        is_end_of(AccessRequest.organization_id, AccessRequest.requester_id, AccessRequest.role),
    )
)
_IS_PENDING: Final = AccessRequest.state == sa.literal(RequestState.PENDING, AccessRequest.state.type)
_IS_OPEN: Final = sa.and_(
    _IS_PENDING, AccessRequest.created_at > sa.bindparam("since", type_=AccessRequest.created_at.type)
)
_RANK: Final = sa.case((_IS_OPEN, 0), else_=1)
_IS_BY: Final = AccessRequest.requester_id == sa.bindparam("requester_id", type_=sa.String)

_ONE: Final = _ROWS.where(AccessRequest.id == sa.bindparam("request_id", type_=sa.Uuid))
_OWN: Final = (
    _ROWS.where(_IS_BY).order_by(AccessRequest.id.desc()).limit(sa.bindparam("limit", type_=sa.Integer))
)
_OWN_PENDING: Final = sa.select(AccessRequest.role, AccessRequest.id).where(_IS_BY, _IS_PENDING)
_COUNT: Final = sa.select(sa.func.count().label("requests")).select_from(AccessRequest).where(_IS_OPEN)
_NAMES_APPROVERS: Final = sa.select(OrganizationOptions.names_approvers).where(
    OrganizationOptions.organization_id == sa.bindparam("organization_id", type_=sa.String)
)


@cache
def _page(*, is_first: bool) -> sa.Select[*tuple[Any, ...]]:
    """Build the statement of a page: those that wait first, and of each kind the newest first."""
    statement = _ROWS
    if not is_first:
        # BigInteger holds every number that a cursor may have, and cursors come from outside.
        rank, last = sa.bindparam("rank", type_=sa.BigInteger), sa.bindparam("last_id", type_=sa.Uuid)
        follows = sa.or_(rank < _RANK, sa.and_(rank == _RANK, AccessRequest.id < last))
        statement = statement.where(follows)
    return statement.order_by(_RANK, AccessRequest.id.desc()).limit(sa.bindparam("limit", type_=sa.Integer))


async def list_rows(db: DatabaseSession, after: RequestKey | None, limit: int) -> list[RequestRow]:
    """Return at most ``limit`` requests after a place: those that wait first, then the newest."""
    values: dict[str, Any] = {"since": utc_now() - LIFETIME, "limit": limit}
    if after is not None:
        values["rank"], values["last_id"] = after
    return [RequestRow(*row) for row in await db.execute(_page(is_first=after is None), values)]


async def find_row(db: DatabaseSession, request_id: uuid.UUID) -> RequestRow | None:
    """Return a request, or None."""
    row = (await db.execute(_ONE, {"request_id": request_id})).one_or_none()
    return None if row is None else RequestRow(*row)


async def list_own(db: DatabaseSession, user_id: str, limit: int) -> list[RequestRow]:
    """Return the newest requests of a person."""
    rows = await db.execute(_OWN, {"requester_id": user_id, "limit": limit})
    return [RequestRow(*row) for row in rows]


def count_open() -> Reading[int]:
    """Return the question for the number of requests that wait for a decision."""

    def result_of(rows: Sequence[Sequence[Any]]) -> int:
        return int(rows[0][0])

    return Reading(_COUNT, {"since": utc_now() - LIFETIME}, result_of)


async def list_pending_of(db: DatabaseSession, user_id: str) -> dict[str, uuid.UUID]:
    """Return the ids of a person's pending requests, by role."""
    rows = await db.execute(_OWN_PENDING, {"requester_id": user_id})
    return {row.role: row.id for row in rows}


async def close_expired(db: WritingSession, user_id: str) -> None:
    """Close the person's requests that nobody decided in time, so that they can ask again."""
    now = utc_now()
    await db.execute(
        sa.update(AccessRequest)
        .where(AccessRequest.requester_id == user_id, _IS_PENDING, AccessRequest.created_at <= now - LIFETIME)
        .values(state=RequestState.WITHDRAWN, decided_at=now)
    )


async def add(db: WritingSession, user_id: str, wanted: WantedAccess) -> uuid.UUID:
    """Add a pending request of a person, and return its id."""
    request_id = new_uuid()
    db.add(
        AccessRequest(
            id=request_id,
            requester_id=user_id,
            role=wanted.role.value,
            permission=wanted.permission.value if wanted.permission else None,
            minutes=wanted.minutes,
            reason=wanted.reason,
            state=RequestState.PENDING,
            created_at=utc_now(),
            answer="",
        )
    )
    await db.flush()
    return request_id


async def close(
    db: WritingSession,
    request_id: uuid.UUID,
    state: RequestState,
    decided_by: str,
    *,
    answer: str = "",
    ends_at: datetime | None = None,
) -> bool:
    """Give a pending request its final state. Returns False if it is no longer pending."""
    statement = (
        sa.update(AccessRequest)
        .where(AccessRequest.id == request_id, _IS_PENDING)
        .values(state=state, decided_at=utc_now(), decided_by=decided_by, answer=answer, ends_at=ends_at)
    )
    return await changed(db, statement, AccessRequest.id)


async def names_approvers(db: DatabaseSession, organization_id: str) -> bool:
    """Return whether people who ask see the names of those who can approve. By default, they do."""
    found: bool | None = await db.scalar(_NAMES_APPROVERS, {"organization_id": organization_id})
    return True if found is None else found


async def save_names_approvers(db: WritingSession, organization_id: str, wanted: bool) -> None:
    """Save whether people who ask see the names of those who can approve."""
    row = {"organization_id": organization_id, "names_approvers": wanted}
    await upsert(db, OrganizationOptions, [row], key=("organization_id",))
