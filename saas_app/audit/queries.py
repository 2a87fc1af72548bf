"""Statements that read the audit log. The session is bound to an organization and adds it to each.

:mod:`saas_app.audit.recorder` writes events, and nothing changes them.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from saas_app.audit.recorder import Action
from saas_app.models import ActorType, AuditEvent, Outcome, User

_ID_MARGIN = timedelta(hours=1)  # an id is made a moment before its event's time, by the same clock


@dataclass(frozen=True, slots=True)
class EventFilter:
    """A filter of events. Empty and None values do not filter.

    ``actor`` is a part of a name, username or email address, or a network address. ``target`` is a part of a
    name or of the requested path. Both ignore case (on SQLite, the case of ASCII letters); ``actor_id`` and
    ``target_id`` are compared exactly. ``since`` is included, ``until`` is not.
    """

    actor: str = ""
    actor_id: str = ""
    action: Action | None = None
    outcome: Outcome | None = None
    target: str = ""
    target_id: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event as it was recorded. ``action`` may be unknown to this version."""

    id: uuid.UUID
    occurred_at: datetime
    actor_type: ActorType
    actor_id: str
    actor_name: str
    action: str
    target_type: str
    target_id: str
    target_name: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    outcome: Outcome
    decision: dict[str, Any] | None
    request_id: str
    address: str


_EVENT: sa.Select[*tuple[Any, ...]] = sa.select(
    AuditEvent.id,
    AuditEvent.occurred_at,
    AuditEvent.actor_type,
    AuditEvent.actor_id,
    AuditEvent.actor_name,
    AuditEvent.action,
    AuditEvent.target_type,
    AuditEvent.target_id,
    AuditEvent.target_name,
    AuditEvent.before,
    AuditEvent.after,
    AuditEvent.outcome,
    AuditEvent.decision,
    AuditEvent.request_id,
    AuditEvent.address,
)


async def list_events(
    db: AsyncSession, wanted: EventFilter, before: uuid.UUID | None, limit: int
) -> list[EventRow]:
    """Return at most ``limit`` events older than the one with the id ``before``, the newest first."""
    statement = _EVENT.order_by(AuditEvent.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(AuditEvent.id < before)
    return [EventRow(*row) for row in await db.execute(statement.where(*_conditions(wanted)))]


def _conditions(wanted: EventFilter) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if wanted.actor:
        found.append(_by(wanted.actor))
    if wanted.actor_id:
        found.append(AuditEvent.actor_id == wanted.actor_id)
    if wanted.action is not None:
        found.append(AuditEvent.action == wanted.action.value)
    if wanted.outcome is not None:
        found.append(AuditEvent.outcome == wanted.outcome)
    if wanted.target:
        found.append(
            sa.or_(
                AuditEvent.target_name.icontains(wanted.target, autoescape=True),
                AuditEvent.target_id.icontains(wanted.target, autoescape=True),
            )
        )
    if wanted.target_id:
        found.append(AuditEvent.target_id == wanted.target_id)
    if wanted.since is not None:
        found.append(AuditEvent.occurred_at >= wanted.since)
        found.append(AuditEvent.id >= first_id(wanted.since - _ID_MARGIN))
    if wanted.until is not None:
        found.append(AuditEvent.occurred_at < wanted.until)
        found.append(AuditEvent.id < first_id(wanted.until + _ID_MARGIN))
    return found


def _by(who: str) -> sa.ColumnElement[bool]:
    """Whether somebody did it who is meant by a part of a name, username or email address, or by an id or a
    network address as a whole. Email addresses are those of now: events do not keep them.
    """
    called = sa.or_(User.email.icontains(who, autoescape=True), User.username.icontains(who, autoescape=True))
    return sa.or_(
        AuditEvent.actor_name.icontains(who, autoescape=True),
        AuditEvent.actor_id == who,
        AuditEvent.address == who,
        AuditEvent.actor_id.in_(sa.select(User.id).where(called)),
    )


def first_id(moment: datetime) -> uuid.UUID:
    """Return the smallest UUIDv7 of a moment (RFC 9562 §5.7), so that a time range is a range of keys."""
    milliseconds = max(0, int(moment.timestamp() * 1000))
    return uuid.UUID(bytes=milliseconds.to_bytes(6, "big") + bytes(10))
