"""What an organization leaves here when it is gone in Logto is removed: in the background, in batches.

A row of ``organization_removals`` is the order; it outlives restarts and counts what was removed so far. The
audit trail stays: it is append-only, and with the organization gone only who runs the database can read it.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeGuard, cast

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from saas_app.audit.recorder import SYSTEM, Action, AuditEntry, Target, record
from saas_app.changes.notes import UnreadableNote, close_note, find_note, list_note_ids
from saas_app.coordination.jobs import Failure
from saas_app.coordination.leases import lease
from saas_app.db.base import Base, TenantOwned, is_tenant_owned, utc_now
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.db.upsert import insert_if_absent
from saas_app.errors import Busy
from saas_app.identity.former_members import note_end
from saas_app.models import (
    AuditEvent,
    DomainJoin,
    EmailDomain,
    Ending,
    IdempotencyKey,
    Organization,
    OrganizationRemoval,
    PendingChange,
    SessionRow,
    SessionToken,
)

log = structlog.get_logger(__name__)

_BATCH: Final = 500  # rows a transaction
_LEASE: Final = 60.0  # seconds that one batch may take at most
_INTERVAL: Final = 300.0  # seconds between two looks for orders that another worker left
_SETTLED: Final = timedelta(minutes=2)  # a change begun longer ago is under way nowhere any more


async def request_removal(
    db: AsyncSession, organization_id: str, organization_name: str, requested_by: str
) -> None:
    """Order the removal of a deleted organization's data. Ordering it again changes nothing."""
    order = {
        "organization_id": organization_id,
        "organization_name": organization_name[:128],
        "requested_at": utc_now(),
        "requested_by": requested_by[:64],
    }
    await insert_if_absent(db, OrganizationRemoval, order, key=("organization_id",))


@dataclass(frozen=True, slots=True)
class Removals:
    """What became of the orders: how many organizations are done with now, and which failed."""

    finished: int
    failed: tuple[Failure, ...] = ()


async def remove_pending(work: UnitOfWork, *, batch: int = _BATCH) -> Removals:
    """Carry out every order that is not finished. One that fails stays, and the others are carried out.

    Each batch is a transaction of its own, and one worker at a time makes it. A crash between two of them
    loses nothing: the next call goes on where this one stopped.
    """
    async with work.reading() as db:
        waiting = await db.scalars(
            sa.select(OrganizationRemoval.organization_id)
            .where(OrganizationRemoval.finished_at.is_(None))
            .order_by(OrganizationRemoval.requested_at)
        )
        organization_ids = list(waiting)
    finished, failed = 0, []
    for organization_id in organization_ids:
        try:
            finished += await _remove(work, organization_id, batch)
        except Busy:
            log.info("another worker removes this organization", organization_id=organization_id)
        except Exception as error:
            log.warning(
                "an organization's data cannot be removed", organization_id=organization_id, exc_info=True
            )
            failed.append(Failure.of(f"{organization_id}: the removal of its data", error))
    return Removals(finished, tuple(failed))


class RemovalWorker:
    """Carries out orders while the application serves: at its start, when woken, and now and then."""

    def __init__(self, work: UnitOfWork, *, interval: float = _INTERVAL) -> None:
        self._work = work
        self._interval = interval
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """There is a new order."""
        self._woken.set()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Work beside the block, and stop with it; what was begun is rolled back and resumed later."""
        task = asyncio.create_task(self.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def run(self) -> None:
        """Work until cancelled. A failure is logged, and tried again at the next turn."""
        while True:
            self._woken.clear()
            try:
                await remove_pending(self._work)
            except Exception:
                log.exception("removing the data of deleted organizations failed; it goes on later")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), self._interval)


async def _remove(work: UnitOfWork, organization_id: str, batch: int) -> bool:
    """Batch after batch until nothing is left. False when a deletion is still under way elsewhere."""
    while True:
        async with (
            lease(work, f"removal:{organization_id}", seconds=_LEASE),
            work.writing(organization_id) as db,
        ):
            order = await db.get_one(OrganizationRemoval, organization_id, with_for_update=True)
            if order.finished_at is not None:
                return True
            if await _delete_some(db, order, batch):
                continue
            return await _finish(db, order)


Deletion = Callable[[AsyncSession, OrganizationRemoval, int], Awaitable[int]]


def _owned(model: type[TenantOwned]) -> Deletion:
    """Return what deletes an organization's rows of a table."""

    async def delete(db: AsyncSession, order: OrganizationRemoval, batch: int) -> int:
        its_own = model.organization_id == order.organization_id
        chosen = sa.select(model.id).where(its_own).limit(batch)
        return await _execute(db, sa.delete(model).where(its_own, model.id.in_(chosen)))

    return delete


async def _tokens(db: AsyncSession, order: OrganizationRemoval, batch: int) -> int:
    """What was fetched since holds no token: Logto refused it, and a request may be reading that now.

    Their people are still told, when they come back, that they were members and that it was deleted.
    """
    key = sa.tuple_(SessionToken.session_id, SessionToken.audience)
    chosen = (
        sa.select(SessionToken.session_id, SessionToken.audience)
        .where(
            SessionToken.organization_id == order.organization_id,
            SessionToken.fetched_at <= order.requested_at,
        )
        .limit(batch)
    )
    members = sa.select(SessionRow.subject).join(SessionToken, SessionToken.session_id == SessionRow.id)
    granted = members.where(key.in_(chosen), SessionToken.refusal.is_(None)).distinct()
    for subject in list(await db.scalars(granted)):
        await note_end(db, order.organization_id, order.organization_name, subject, Ending.UNKNOWN)
    return await _execute(db, sa.delete(SessionToken).where(key.in_(chosen)))


async def _domains(db: AsyncSession, order: OrganizationRemoval, batch: int) -> int:
    """Its email domains, so that another organization may hold them; at most a few."""
    its_own = EmailDomain.organization_id == order.organization_id
    return await _execute(db, sa.delete(EmailDomain).where(its_own))


async def _joins(db: AsyncSession, order: OrganizationRemoval, batch: int) -> int:
    """How its members came here."""
    its_own = DomainJoin.organization_id == order.organization_id
    chosen = sa.select(DomainJoin.user_id).where(its_own).limit(batch)
    return await _execute(db, sa.delete(DomainJoin).where(its_own, DomainJoin.user_id.in_(chosen)))


_STAYING: Final = (AuditEvent, IdempotencyKey, PendingChange)
"""Not deleted here: the audit log is append-only, keys expire within a day, notes are closed at the end."""


def _owned_tables() -> dict[str, Deletion]:
    """Return the deletion of every tenant-owned table, a new feature's included; those that refer, first."""
    models = {mapper.local_table: mapper.class_ for mapper in Base.registry.mappers}
    owned = {
        table.name: models[table] for table in reversed(Base.metadata.sorted_tables) if is_tenant_owned(table)
    }
    return {name: _owned(model) for name, model in owned.items() if model not in _STAYING}


_DELETIONS: Final[dict[str, Deletion]] = {
    **_owned_tables(),
    "session_tokens": _tokens,
    "email_domains": _domains,
    "domain_joins": _joins,
}


async def _delete_some(db: AsyncSession, order: OrganizationRemoval, batch: int) -> bool:
    """One batch of the first table that still holds something. False when none does."""
    for name, delete in _DELETIONS.items():
        count = await delete(db, order, batch)
        if count:
            order.removed = {**order.removed, name: order.removed.get(name, 0) + count}
            return True
    return False


async def _finish(db: AsyncSession, order: OrganizationRemoval) -> bool:
    """Close the notes of changes, write the event, and mark the order as done."""
    now = utc_now()
    note_ids = await list_note_ids(db)
    notes = [await _find_readable(db, note_id) for note_id in note_ids]
    deletions = {note.id: note for note in notes if _is_deletion(note)}
    if any(note.started_at > now - _SETTLED for note in deletions.values()):
        return False  # whoever deletes the organization is about to write the event themselves
    for note_id in note_ids:
        if await close_note(db, note_id) and note_id in deletions:
            _record_deletion(db, deletions[note_id])
    await db.execute(sa.delete(Organization).where(Organization.id == order.organization_id))
    target = Target("organization", order.organization_id, order.organization_name)
    record(db, AuditEntry(SYSTEM, Action.ORGANIZATION_REMOVE_DATA, target, after=dict(order.removed)))
    order.finished_at = now
    return True


async def _find_readable(db: AsyncSession, note_id: uuid.UUID) -> PendingChange | None:
    """The note. None for one that cannot be read: it does not keep the organization's data here for ever."""
    try:
        return await find_note(db, note_id)
    except UnreadableNote:
        log.exception("the note of a change cannot be read", note=str(note_id))
        return None


def _is_deletion(note: PendingChange | None) -> TypeGuard[PendingChange]:
    return (
        note is not None
        and isinstance(note.entry, dict)
        and note.entry.get("action") == Action.ORGANIZATION_DELETE.value
    )


def _record_deletion(db: AsyncSession, note: PendingChange) -> None:
    """Who deleted it. A note that cannot be read does not keep the organization's data here for ever."""
    try:
        record(db, AuditEntry.from_json(note.entry))
    except (KeyError, TypeError, ValueError):
        log.exception("the note of a deletion cannot be read", organization_id=note.organization_id)


async def _execute(db: AsyncSession, statement: sa.Delete) -> int:
    """How many rows it deleted."""
    result = await db.execute(statement.execution_options(synchronize_session=False))
    return cast("sa.CursorResult[object]", result).rowcount
