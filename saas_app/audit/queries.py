"""Statements that read the audit log. The session is bound to an organization and adds it to each.

:mod:`saas_app.audit.recorder` writes events, and nothing changes them.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute

from saas_app.audit.values import EventFilter, EventRow
from saas_app.db.session import DatabaseSession
from saas_app.models import AuditEvent, User

_ID_MARGIN = timedelta(hours=1)  # an id is a moment older than its event


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
    db: DatabaseSession, wanted: EventFilter, before: uuid.UUID | None, limit: int
) -> list[EventRow]:
    """Return at most ``limit`` events older than the one with the id ``before``, the newest first."""
    statement = _EVENT.order_by(AuditEvent.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(AuditEvent.id < before)
    return [EventRow(*row) for row in await db.execute(statement.where(*_conditions(wanted)))]


async def find_event(db: DatabaseSession, event_id: uuid.UUID) -> EventRow | None:
    """Return an event, or None if the organization has none with this id."""
    row = (await db.execute(_EVENT.where(AuditEvent.id == event_id))).first()
    return None if row is None else EventRow(*row)


async def has_seeded(db: DatabaseSession, prefix: str) -> bool:
    """Return whether the audit log has an event whose request id starts with ``prefix``."""
    statement = sa.select(AuditEvent.id).where(AuditEvent.request_id.startswith(prefix)).limit(1)
    return await db.scalar(statement) is not None


def _conditions(wanted: EventFilter) -> Iterator[sa.ColumnElement[bool]]:
    if wanted.actor:
        yield _is_actor(wanted.actor)
    if wanted.actor_id:
        yield AuditEvent.actor_id == wanted.actor_id
    if wanted.action is not None:
        yield AuditEvent.action == wanted.action.value
    if wanted.outcome is not None:
        yield AuditEvent.outcome == wanted.outcome
    if wanted.target:
        yield _contains(wanted.target, AuditEvent.target_name, AuditEvent.target_id)
    if wanted.target_id:
        yield AuditEvent.target_id == wanted.target_id
    if wanted.since is not None:
        yield AuditEvent.occurred_at >= wanted.since
        yield AuditEvent.id >= first_id(wanted.since - _ID_MARGIN)
    if wanted.until is not None:
        yield AuditEvent.occurred_at < wanted.until
        yield AuditEvent.id < first_id(wanted.until + _ID_MARGIN)


def _is_actor(text: str) -> sa.ColumnElement[bool]:
    """Match a part of the actor's name, username or email address, or a whole id or network address.

    Usernames and email addresses are the current ones, because events do not store them.
    """
    named = sa.select(User.id).where(_contains(text, User.email, User.username))
    return sa.or_(
        _contains(text, AuditEvent.actor_name),
        AuditEvent.actor_id == text,
        AuditEvent.address == text,
        AuditEvent.actor_id.in_(named),
    )


def _contains(text: str, *columns: InstrumentedAttribute[Any]) -> sa.ColumnElement[bool]:
    return sa.or_(*(column.icontains(text, autoescape=True) for column in columns))


def first_id(moment: datetime) -> uuid.UUID:
    """Return the smallest UUIDv7 of a moment (RFC 9562 §5.7), so that a time range is a range of keys."""
    milliseconds = max(0, int(moment.timestamp() * 1000))
    return uuid.UUID(bytes=milliseconds.to_bytes(6, "big") + bytes(10))
