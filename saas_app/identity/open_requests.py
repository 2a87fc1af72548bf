"""Access requests that wait for a decision end with the membership of their author."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from saas_app.db.base import utc_now
from saas_app.db.session import DatabaseSession, WritingSession
from saas_app.models import AccessRequest, Notification, RequestState

_IS_PENDING: Final = AccessRequest.state == sa.literal(RequestState.PENDING, AccessRequest.state.type)
_PEOPLE: Final = sa.select(AccessRequest.requester_id).where(_IS_PENDING).distinct()


def cause_of_request(request_id: uuid.UUID) -> str:
    """Return the cause of the notifications to those who could approve a request."""
    return f"access-request {request_id}"


async def list_requesters(db: DatabaseSession) -> list[str]:
    """Return everybody in the organization of the session who has a pending request."""
    return list(await db.scalars(_PEOPLE))


async def withdraw_requests(
    db: WritingSession, organization_id: str, user_id: str, ended_at: datetime | None = None
) -> int:
    """Withdraw the pending requests of a former member, and return how many there were.

    ``ended_at`` is when the membership ended if that was learned later. The person may have joined and asked
    again since, so a request that was sent after it stays.
    """
    statement = (
        sa.update(AccessRequest)
        .where(AccessRequest.requester_id == user_id, _IS_PENDING)
        .values(state=RequestState.WITHDRAWN, decided_at=utc_now())
        .returning(AccessRequest.id)
    )
    if ended_at is not None:
        statement = statement.where(AccessRequest.created_at < ended_at)
    ids = (await db.scalars(statement)).all()
    for request_id in ids:
        await mark_read(db, organization_id, request_id)
    return len(ids)


async def mark_read(db: WritingSession, organization_id: str, request_id: uuid.UUID) -> None:
    """Mark what people were notified of a request as read, because it no longer waits for a decision."""
    await db.execute(
        sa.update(Notification)
        .where(
            Notification.organization_id == organization_id,
            Notification.cause == cause_of_request(request_id),
            Notification.read_at.is_(None),
        )
        .values(read_at=utc_now())
    )
