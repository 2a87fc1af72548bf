"""The background worker that takes roles away at Logto when they end (decision 28).

Whether it runs or not, the guard ignores a role from its end on. The row that says so stays until Logto has
taken the role away, so nothing is lost in a crash or while Logto is down. One worker at a time does this, of
all hosts, and each role has a turn of its own in its organization, in which its end is read again.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

import structlog

from saas_app import signals
from saas_app.audit.recorder import Action, AuditEntry, Target, record
from saas_app.changes.notes import UnreadableNote, close_note, find_note, list_note_ids
from saas_app.changes.organization_change import OrganizationChange, Systems
from saas_app.coordination.background import in_background
from saas_app.coordination.heartbeat import LOST_AFTER
from saas_app.coordination.leases import lease
from saas_app.db.base import utc_now
from saas_app.db.session import DatabaseSession, WritingSession
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.errors import AppError, Busy, Conflict
from saas_app.identity.membership_changes import mark_changed
from saas_app.identity.role_ends import RoleEnding, delete_ends, list_due, read_ends
from saas_app.identity.standing import Workroom
from saas_app.logto import ManagementError
from saas_app.notifications.recorder import notify_of_change
from saas_app.rbac.endings import may_be_renamed
from saas_app.text.translation import _

log = structlog.get_logger(__name__)

_INTERVAL: Final = 5.0  # seconds between two searches for roles that have ended
_LEASE: Final = LOST_AFTER + 2  # seconds to wait for another worker, long enough to notice that it died
_LONGEST_PAUSE: Final = 60.0  # seconds between two attempts for a role that cannot be taken away

_Turn: TypeAlias = OrganizationChange[Workroom]
_Interrupted: TypeAlias = Mapping[uuid.UUID, AuditEntry]


class Ended(StrEnum):
    """What became of a role whose end had come."""

    TAKEN_AWAY = "taken away"
    GONE = "gone"  # taken away before, with or without the membership
    MOVED = "moved"  # it ends later now, or never


class RoleRenamed(Conflict):
    """Logto has no role of this name, and the member holds one that the registry does not know."""

    def __init__(self, role: str) -> None:
        super().__init__(
            _("Logto has no %(role)s role. It may have another name now, so its end stays.", role=role)
        )


async def end_role(systems: Systems, due: RoleEnding) -> Ended:
    """Take away a role that has ended, in a turn of its organization, and delete its end.

    Raises :class:`RoleRenamed` and what changes of an organization raise. The end stays then.
    """
    async with systems.by(Workroom(due.organization_id)).alone() as turn:
        async with turn.work.reading(due.organization_id) as db:
            ends = await read_ends(db, due.organization_id, due.user_id)
            interrupted = await _list_interrupted(db, due)
        if due.role not in ends or ends[due.role] > utc_now():
            return Ended.MOVED
        held = await turn.management.find_member_roles(due.organization_id, due.user_id)
        if held is None or due.role not in held:
            if held is not None and may_be_renamed(due.role, held, await _list_names(turn)):
                raise RoleRenamed(due.role)
            await _note_gone(turn, due, held, interrupted)
            return Ended.TAKEN_AWAY if held is not None and interrupted else Ended.GONE
        await _take_away(turn, due, held, interrupted)
        return Ended.TAKEN_AWAY


async def _list_names(turn: _Turn) -> list[str]:
    return [role.name for role in await turn.management.list_organization_roles()]


async def _take_away(turn: _Turn, due: RoleEnding, held: frozenset[str], interrupted: _Interrupted) -> None:
    roles = await turn.management.list_organization_roles()
    role_id = next(role.id for role in roles if role.name == due.role)
    person = await turn.management.get_user(due.user_id)
    left = sorted(held - {due.role})

    async def forget(db: WritingSession) -> None:
        await delete_ends(db, due.organization_id, due.user_id, [due.role])
        for note_id in interrupted:
            await close_note(db, note_id)

    await turn.carry_out(
        turn.event(
            Action.MEMBER_END_ROLE,
            Target("member", person.id, person.display_name),
            before={"roles": sorted(held)},
            after={"roles": left, "role": due.role, "ends_at": due.ends_at.isoformat(timespec="seconds")},
        ),
        lambda: turn.management.remove_role(due.organization_id, due.user_id, role_id),
        subjects=[due.user_id],
        also=forget,
    )


async def _note_gone(
    turn: _Turn, due: RoleEnding, held: frozenset[str] | None, interrupted: _Interrupted
) -> None:
    """Delete the end of a role that the member does not hold.

    Tokens from before somebody took it away still carry the role, and nothing but the end tells that it no
    longer counts. So they go with it. If an earlier attempt took the role away, but its result was not known,
    record that now.
    """
    now = time.monotonic()
    async with turn.work.writing(due.organization_id) as db:
        await delete_ends(db, due.organization_id, due.user_id, [due.role])
        await mark_changed(db, due.organization_id, [due.user_id], turn.management.clock.between(now, now))
        if held is None or not interrupted:
            return
        note_id, entry = next(iter(interrupted.items()))
        record(db, entry)
        await notify_of_change(db, due.organization_id, entry, sorted(held), f"change {note_id}")
        for each in interrupted:
            await close_note(db, each)


async def _list_interrupted(db: DatabaseSession, due: RoleEnding) -> dict[uuid.UUID, AuditEntry]:
    """Return the earlier attempts to take this role away whose result is not known, by their notes.

    No attempt is in progress during a turn. A note that cannot be read is left to ``saas-app reconcile``.
    """
    found = {}
    for note_id in await list_note_ids(db):
        try:
            note = await find_note(db, note_id)
            entry = None if note is None else AuditEntry.from_json(note.entry)
        except (UnreadableNote, KeyError, TypeError, ValueError):
            continue
        if entry is not None and _is_end_of(entry, due):
            found[note_id] = entry
    return found


def _is_end_of(entry: AuditEntry, due: RoleEnding) -> bool:
    return (
        entry.action is Action.MEMBER_END_ROLE
        and entry.target.id == due.user_id
        and (entry.after or {}).get("role") == due.role
    )


@dataclass(frozen=True, slots=True)
class _Pause:
    """How long a role waits for another attempt after a failure, by the monotonic clock in seconds."""

    until: float
    seconds: float

    @classmethod
    def after(cls, last: _Pause | None) -> _Pause:
        """Return a pause twice as long as the last one."""
        seconds = _INTERVAL if last is None else min(2 * last.seconds, _LONGEST_PAUSE)
        return cls(time.monotonic() + seconds, seconds)


class RoleEndWorker:
    """Takes away what has ended, every few seconds while the application runs.

    ``jobs`` sees the ends of all organizations.
    """

    def __init__(self, systems: Systems, jobs: UnitOfWork, *, interval: float = _INTERVAL) -> None:
        self._systems = systems
        self._jobs = jobs
        self._interval = interval
        self._pauses: dict[RoleEnding, _Pause] = {}

    def running(self) -> AbstractAsyncContextManager[None]:
        """Run during the block, and stop with it. What has begun is completed."""
        return in_background(self._run)

    async def _run(self) -> None:
        while True:
            try:
                await self.end_due()
            except Exception:
                log.exception("roles that have ended cannot be read, which is retried")
            await asyncio.sleep(self._interval)

    async def end_due(self) -> None:
        """Take away every role that has ended, unless another worker does. A failure is retried later."""
        if not await self._list_due():
            return
        try:
            async with lease(self._jobs, "roles that end", seconds=_LEASE):
                for due in await self._list_due():
                    await self._end(due)
        except Busy:
            log.info("another worker takes roles away")

    async def _list_due(self) -> list[RoleEnding]:
        """Return what has ended, without what failed a moment ago."""
        async with self._jobs.reading() as db:
            found = await list_due(db, utc_now())
        now = time.monotonic()
        self._pauses = {due: pause for due, pause in self._pauses.items() if due in found}
        return [due for due in found if due not in self._pauses or self._pauses[due].until <= now]

    async def _end(self, due: RoleEnding) -> None:
        """Take one role away. One that cannot be taken away must not keep the others."""
        result = "failed"
        try:
            result = (await end_role(self._systems, due)).value
        except (AppError, ManagementError) as error:
            log.warning("a role that has ended is still held at Logto", **_named(due), reason=str(error))
        except Exception:
            log.exception("a role that has ended is still held at Logto", **_named(due))
        if result == "failed":
            self._pauses[due] = _Pause.after(self._pauses.get(due))
        signals.role_ended.send(result=result, late=(utc_now() - due.ends_at).total_seconds())


def _named(due: RoleEnding) -> dict[str, str]:
    return {"organization_id": due.organization_id, "user_id": due.user_id, "role": due.role}
