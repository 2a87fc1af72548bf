"""The background worker that removes the data of organizations deleted in Logto, in batches.

It also deletes records of ended memberships, and notifications, that have expired.

A row of ``organization_removals`` requests each removal. It survives restarts, and counts what was removed so
far. If the organization had single sign-on, its connector in Logto is deleted first. The audit log stays,
because it is append-only. After the deletion, only the operator can read it, in the database.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeGuard

import structlog

from saas_app import signals
from saas_app.audit.recorder import SYSTEM, Action, AuditEntry, Target, record
from saas_app.changes.notes import Note, UnreadableNote, close_note, find_note, list_note_ids
from saas_app.coordination.background import in_background
from saas_app.coordination.jobs import Failure
from saas_app.coordination.leases import lease
from saas_app.db.base import utc_now
from saas_app.db.session import DatabaseSession, WritingSession
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.db.upsert import insert_if_absent
from saas_app.errors import Busy
from saas_app.identity.former_members import delete_expired_ends
from saas_app.logto import ManagementClient
from saas_app.models import OrganizationRemoval
from saas_app.notifications.recorder import delete_expired_notifications
from saas_app.organizations import queries
from saas_app.single_sign_on.changes.connectors import delete_connector_of
from saas_app.support.changes import delete_expired_accesses

log = structlog.get_logger(__name__)

_BATCH: Final = 500  # rows per transaction
_LEASE: Final = 60.0  # seconds, at most, for one batch
_INTERVAL: Final = 300.0  # seconds between two searches for requests that another worker left
_MAX_CHANGE_AGE: Final = timedelta(minutes=2)  # an older change is no longer in progress anywhere


async def request_removal(
    db: WritingSession, organization_id: str, organization_name: str, requested_by: str
) -> None:
    """Request the removal of a deleted organization's data. Requesting it again changes nothing."""
    row = {
        "organization_id": organization_id,
        "organization_name": organization_name[:128],
        "requested_at": utc_now(),
        "requested_by": requested_by[:64],
    }
    await insert_if_absent(db, OrganizationRemoval, row, key=("organization_id",))


@dataclass(frozen=True, slots=True)
class Removals:
    """The result of a run: the number of organizations whose data is gone now, and the failures."""

    finished: int
    failed: tuple[Failure, ...] = ()


async def remove_pending(
    work: UnitOfWork, management: ManagementClient | None, *, batch: int = _BATCH
) -> Removals:
    """Carry out every unfinished request. If one fails, it stays, and the others are carried out.

    ``management`` is None without the Management API: connectors then stay in Logto. Each batch of rows is a
    transaction, run by one worker at a time. After a crash, the next call continues with what is left.
    """
    async with work.reading() as db:
        organization_ids = await queries.list_requested(db)
    finished, failed = 0, []
    for organization_id in organization_ids:
        try:
            finished += await _remove(work, management, organization_id, batch)
        except Busy:
            log.info("another worker removes this organization", organization_id=organization_id)
        except Exception as error:
            log.warning(
                "an organization's data cannot be removed", organization_id=organization_id, exc_info=True
            )
            failed.append(Failure.of(f"{organization_id}: the removal of its data", error))
    return Removals(finished, tuple(failed))


class RemovalWorker:
    """Carries out requests while the application runs: at its start, when woken, and every few minutes.

    Each run also deletes what has expired in all organizations: ended memberships, notifications and support
    accesses.
    """

    def __init__(
        self, work: UnitOfWork, management: ManagementClient | None, *, interval: float = _INTERVAL
    ) -> None:
        self._work = work
        self._management = management
        self._interval = interval
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Start a run soon, because there is a new request."""
        self._woken.set()

    def running(self) -> AbstractAsyncContextManager[None]:
        """Run during the block, and stop with it. An unfinished batch is rolled back, and resumed later."""
        return in_background(self.run)

    async def run(self) -> None:
        """Run until canceled. A failure is logged, and retried in the next run."""
        while True:
            self._woken.clear()
            signals.removal_ended.send(result="ok" if await self._succeeds() else "failed")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), self._interval)

    async def _succeeds(self) -> bool:
        """Remove what was requested, and what has expired. Returns False if anything failed."""
        try:
            await delete_expired_ends(self._work)
            await delete_expired_notifications(self._work)
            await delete_expired_accesses(self._work)
            return not (await remove_pending(self._work, self._management)).failed
        except Exception:
            log.exception("removing deleted and expired data failed, and is retried later")
            return False


async def _remove(
    work: UnitOfWork, management: ManagementClient | None, organization_id: str, batch: int
) -> bool:
    """Delete batch after batch until nothing is left. Returns False if a deletion is still in progress."""
    await delete_connector_of(work, management, organization_id)
    while True:
        async with (
            lease(work, f"removal:{organization_id}", seconds=_LEASE),
            work.writing(organization_id) as db,
        ):
            removal = await db.get_one(OrganizationRemoval, organization_id, for_update=True)
            if removal.finished_at is not None:
                return True
            if await queries.delete_batch(db, removal, batch):
                continue
            return await _finish(db, removal)


async def _finish(db: WritingSession, removal: OrganizationRemoval) -> bool:
    """Close the notes of changes, write the event, and mark the request as finished.

    Returns False if the change that deletes the organization may still be in progress.
    """
    now = utc_now()
    note_ids = await list_note_ids(db)
    notes = [await _find_readable(db, note_id) for note_id in note_ids]
    deletions = {note.id: note for note in notes if _is_deletion(note)}
    if any(note.started_at > now - _MAX_CHANGE_AGE for note in deletions.values()):
        return False  # that change is about to write the event itself
    for note_id in note_ids:
        if await close_note(db, note_id) and note_id in deletions:
            _record_deletion(db, deletions[note_id])
    await queries.delete_name(db, removal.organization_id)
    target = Target("organization", removal.organization_id, removal.organization_name)
    record(db, AuditEntry(SYSTEM, Action.ORGANIZATION_REMOVE_DATA, target, after=dict(removal.removed)))
    removal.finished_at = now
    return True


async def _find_readable(db: DatabaseSession, note_id: uuid.UUID) -> Note | None:
    """Return the note, or None if it cannot be read, so that an unreadable note does not stop the removal."""
    try:
        return await find_note(db, note_id)
    except UnreadableNote:
        log.exception("the note of a change cannot be read", note=str(note_id))
        return None


def _is_deletion(note: Note | None) -> TypeGuard[Note]:
    return (
        note is not None
        and isinstance(note.entry, dict)
        and note.entry.get("action") == Action.ORGANIZATION_DELETE.value
    )


def _record_deletion(db: WritingSession, note: Note) -> None:
    """Record who deleted the organization, unless the entry in the note cannot be read."""
    try:
        record(db, AuditEntry.from_json(note.entry))
    except (KeyError, TypeError, ValueError):
        log.exception("the note of a deletion cannot be read", note=str(note.id))
