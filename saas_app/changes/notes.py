"""The notes of changes that have begun and whose end is not written yet.

Notes are read one by one, so that one that cannot be read hides no other: a row is decoded when it is read,
and a single statement for all of them would fail with the first that somebody's hand, or a broken disk, has
spoilt.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from saas_app.audit.recorder import AuditEntry
from saas_app.db.base import new_uuid, utc_now
from saas_app.models import PendingChange


class UnreadableNote(Exception):
    """A note whose row cannot be decoded."""


def write_note(db: AsyncSession, event: AuditEntry, subjects: Collection[str]) -> uuid.UUID:
    """Note a change that is about to begin: its audit event to be, and whose memberships it touches."""
    note = PendingChange(id=new_uuid(), entry=event.as_json(), subjects=list(subjects), started_at=utc_now())
    db.add(note)
    return note.id


async def list_note_ids(db: AsyncSession, before: datetime | None = None) -> list[uuid.UUID]:
    """Return the ids of an organization's notes, the oldest first; only those begun ``before``, if given."""
    statement = sa.select(PendingChange.id).order_by(PendingChange.started_at, PendingChange.id)
    if before is not None:
        statement = statement.where(PendingChange.started_at < before)
    return list(await db.scalars(statement))


async def find_note(db: AsyncSession, note_id: uuid.UUID) -> PendingChange | None:
    """Return a note; None when it was closed meanwhile. Raises :class:`UnreadableNote`."""
    try:
        return await db.scalar(sa.select(PendingChange).where(PendingChange.id == note_id))
    except (ValueError, TypeError, RecursionError) as error:
        raise UnreadableNote(f"its row cannot be read ({type(error).__name__})") from None


async def close_note(db: AsyncSession, note_id: uuid.UUID) -> bool:
    """Remove a note. False when somebody else did."""
    closed = await db.execute(
        sa.delete(PendingChange)
        .where(PendingChange.id == note_id)
        .execution_options(synchronize_session=False)
    )
    return bool(getattr(closed, "rowcount", 0))
