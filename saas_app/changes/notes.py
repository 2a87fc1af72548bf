"""Notes of changes that have begun and whose result is not recorded yet.

Notes are read one by one. A row is decoded when it is read, so one statement for all notes would fail because
of a single damaged one.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from saas_app.audit.recorder import AuditEntry
from saas_app.db.base import new_uuid, utc_now
from saas_app.db.rows import changed
from saas_app.db.session import DatabaseSession, WritingSession
from saas_app.models import PendingChange


@dataclass(frozen=True, slots=True)
class Note:
    """The note of a change: its future audit event as JSON, the members it affects, and when it began."""

    id: uuid.UUID
    entry: dict[str, Any]
    subjects: list[str]
    started_at: datetime


_NOTE: Final = sa.select(
    PendingChange.id, PendingChange.entry, PendingChange.subjects, PendingChange.started_at
)


class UnreadableNote(Exception):
    """A note whose row cannot be decoded."""


def write_note(db: WritingSession, event: AuditEntry, subjects: Collection[str]) -> uuid.UUID:
    """Note a change that is about to begin: its future audit event, and the members it affects."""
    note = PendingChange(id=new_uuid(), entry=event.as_json(), subjects=list(subjects), started_at=utc_now())
    db.add(note)
    return note.id


async def list_note_ids(db: DatabaseSession, before: datetime | None = None) -> list[uuid.UUID]:
    """Return the ids of an organization's notes, oldest first, optionally only those begun ``before``."""
    statement = sa.select(PendingChange.id).order_by(PendingChange.started_at, PendingChange.id)
    if before is not None:
        statement = statement.where(PendingChange.started_at < before)
    return list(await db.scalars(statement))


async def find_note(db: DatabaseSession, note_id: uuid.UUID) -> Note | None:
    """Return a note, or None if it was closed meanwhile. Raises :class:`UnreadableNote`."""
    try:
        row = (await db.execute(_NOTE.where(PendingChange.id == note_id))).one_or_none()
    except (ValueError, TypeError, RecursionError) as error:
        raise UnreadableNote(f"its row cannot be read ({type(error).__name__})") from None
    return None if row is None else Note(*row)


async def close_note(db: WritingSession, note_id: uuid.UUID) -> bool:
    """Delete a note. Returns False if it was already deleted."""
    return await changed(db, sa.delete(PendingChange).where(PendingChange.id == note_id), PendingChange.id)
