"""Notes of changes that have begun and whose result is not recorded yet.

Notes are read one by one. A row is decoded when it is read, so one statement for all notes would fail because
of a single damaged one.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from saas_app.audit.recorder import AuditEntry
from saas_app.db.base import new_uuid, utc_now
from saas_app.db.rows import changed
from saas_app.models import PendingChange


class UnreadableNote(Exception):
    """A note whose row cannot be decoded."""


def write_note(db: AsyncSession, event: AuditEntry, subjects: Collection[str]) -> uuid.UUID:
    """Note a change that is about to begin: its future audit event, and the members it affects."""
    note = PendingChange(id=new_uuid(), entry=event.as_json(), subjects=list(subjects), started_at=utc_now())
    db.add(note)
    return note.id


async def list_note_ids(db: AsyncSession, before: datetime | None = None) -> list[uuid.UUID]:
    """Return the ids of an organization's notes, oldest first, optionally only those begun ``before``."""
    statement = sa.select(PendingChange.id).order_by(PendingChange.started_at, PendingChange.id)
    if before is not None:
        statement = statement.where(PendingChange.started_at < before)
    return list(await db.scalars(statement))


async def find_note(db: AsyncSession, note_id: uuid.UUID) -> PendingChange | None:
    """Return a note, or None if it was closed meanwhile. Raises :class:`UnreadableNote`."""
    try:
        return await db.scalar(sa.select(PendingChange).where(PendingChange.id == note_id))
    except (ValueError, TypeError, RecursionError) as error:
        raise UnreadableNote(f"its row cannot be read ({type(error).__name__})") from None


async def close_note(db: AsyncSession, note_id: uuid.UUID) -> bool:
    """Delete a note. Returns False if it was already deleted."""
    return await changed(db, sa.delete(PendingChange).where(PendingChange.id == note_id), PendingChange.id)
