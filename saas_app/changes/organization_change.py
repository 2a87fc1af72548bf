"""Changes that affect both Logto and our database: their order, and what a crash leaves behind.

Each change waits for a turn in its organization (:meth:`OrganizationChange.alone`). There is one turn at a
time, across workers, so that Workroom cannot take away the caller's access between checking it and using it.
Within its turn, :meth:`OrganizationChange.carry_out` makes the change in this order:

1. In one transaction here, the caller's access is checked again, the change is noted, and the memberships
   that it touches are marked as changed, so that tokens issued earlier are rejected. What must not be missing
   once Logto has made the change, such as the end of a role, is written here too.
2. Logto is called.
3. In one transaction here, the memberships are marked once more (a token may have been fetched meanwhile),
   the audit event is written, and the note is deleted.

While the note exists, each request of a membership that it names asks Logto for the current state
(:meth:`saas_app.models.PendingChange.touches`), because Logto may carry out the change at any moment, even
after our time limit.

The note is deleted if Logto rejects the change, or if a failed change was undone completely. What else step 1
wrote is then taken back. If the result is not known, because Logto did not respond or the process died, all
of it stays. ``saas-app reconcile`` then asks Logto and closes the note. A change that has begun continues
even if its caller disconnects.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Final, Generic, Self, TypeAlias, TypeVar

from saas_app.audit.recorder import SYSTEM, Action, Actor, AuditEntry, Target, record
from saas_app.changes.notes import close_note, write_note
from saas_app.coordination.leases import lease
from saas_app.db.session import WritingSession
from saas_app.db.shielding import shielded
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.errors import AppError, LogtoUnavailable, SignInRequired
from saas_app.identity.membership_changes import mark_changed
from saas_app.identity.standing import AccessChanged, Caller, Workroom, require_standing, session_key
from saas_app.identity.tenant import Tenant
from saas_app.limits.changes import ChangeLimits
from saas_app.logto import ManagementClient, ManagementError, explaining
from saas_app.logto.provider_clock import Moment
from saas_app.notifications.recorder import notify_of_change
from saas_app.text.translation import _

CallerT = TypeVar("CallerT", bound=Caller, covariant=True)
NewCallerT = TypeVar("NewCallerT", bound=Caller)
Result = TypeVar("Result")
Writes: TypeAlias = Callable[[WritingSession], Awaitable[None]]

_LEASE_SECONDS: Final = 20.0
_SECONDS_FOR_A_TURN: Final = 15.0  # a turn ends before another worker can take over its lease
_SECONDS_TO_FINISH: Final = 2.0  # for a change whose caller disconnected, or whose turn is over


class NothingChanged(Exception):
    """A second base class for errors of a call that failed without changing anything in Logto."""


@dataclass(frozen=True, slots=True)
class Systems:
    """Our database and Logto, the two systems that a change is made in.

    ``change_limits`` is None if only Workroom itself makes changes.
    """

    work: UnitOfWork
    management: ManagementClient
    change_limits: ChangeLimits | None

    @property
    def limits(self) -> ChangeLimits:
        """How many changes people may make."""
        if self.change_limits is None:
            raise RuntimeError("changes by people require change_limits")
        return self.change_limits

    def by(self, caller: NewCallerT) -> OrganizationChange[NewCallerT]:
        """Return a change of the caller's organization, made by the caller."""
        return OrganizationChange(self.work, self.management, self.change_limits, caller)


@dataclass(frozen=True, slots=True)
class OrganizationChange(Systems, Generic[CallerT]):
    """A change of an organization: its caller, and the systems that it is made in.

    ``caller`` also names the organization. ``has_turn`` is true only within :meth:`alone`.
    """

    caller: CallerT
    has_turn: bool = False

    @property
    def organization_id(self) -> str:
        """The organization that is changed."""
        return self.caller.organization_id

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[Self]:
        """Take a turn: only one change at a time in an organization, and none that outlives its lease.

        Callers that wait come before a caller that has just had a turn, so that a change with many steps does
        not delay the one that takes its author's access away. Raises :class:`AccessChanged` and
        :class:`SignInRequired` if the caller has lost their access meanwhile, :class:`Busy` if no turn is
        free in time, :class:`LogtoUnavailable` if the block takes too long, and the explained error if Logto
        rejects a request.
        """
        name = f"organization:{self.organization_id}"
        async with AsyncExitStack() as held:
            async with lease(self.work, f"{name}/next", seconds=_LEASE_SECONDS):
                await held.enter_async_context(lease(self.work, name, seconds=_LEASE_SECONDS))
            try:
                async with asyncio.timeout(_SECONDS_FOR_A_TURN) as limit:
                    await self.require_standing()
                    with self.explain():
                        yield replace(self, has_turn=True)
            except TimeoutError:
                if not limit.expired():
                    raise
                raise LogtoUnavailable(_("Logto took too long to respond.")) from None

    def explain(self, gone: Callable[[], AppError] | None = None) -> AbstractContextManager[None]:
        """Turn a rejection by Logto within the block into an error for people.

        ``gone`` creates the error for a 404, if that can have only one meaning.
        """
        return explaining(gone)

    def event(
        self,
        action: Action,
        target: Target,
        before: dict[str, Any] | None = None,
        after: dict[str, Any] | None = None,
    ) -> AuditEntry:
        """Return the audit event of a change by this caller. ``before`` and ``after`` hold no secrets."""
        caller: Caller = self.caller
        actor = SYSTEM if isinstance(caller, Workroom) else Actor.of(caller.principal)
        return AuditEntry(actor, action, target, before, after)

    async def count(self) -> None:
        """Count the change for its author. Raises :class:`LimitReached`. Workroom itself is not counted."""
        caller: Caller = self.caller
        if not isinstance(caller, Workroom):
            await self.limits.spend((self.limits.changes, caller.principal.subject))

    async def require_standing(self) -> None:
        """Check that the caller still has access, as before each call that changes something.

        A ``call`` with several steps checks it between them. Raises :class:`AccessChanged` and
        :class:`SignInRequired`. A ``call`` must undo its steps before it raises either of them.
        """
        async with self.work.reading(self.organization_id, key=session_key(self.caller)) as db:
            await require_standing(db, self.caller)

    async def carry_out(
        self,
        event: AuditEntry,
        call: Callable[[], Awaitable[Result]],
        *,
        subjects: Collection[str] = (),
        before: Writes | None = None,
        also: Writes | None = None,
        on_refusal: Writes | None = None,
        is_counted: bool = False,
    ) -> Result:
        """Make one change in Logto, and record it here.

        ``subjects`` are the people and machines whose memberships it touches. ``before`` writes more in the
        transaction of the note, which is committed before Logto is called, and ``also`` in the transaction of
        the event. If nothing was changed, ``on_refusal`` takes back what ``before`` wrote. ``is_counted``:
        :meth:`count` was called before.

        Raises :class:`LimitReached`, :class:`AccessChanged` or :class:`SignInRequired` before anything is
        done, and what ``call`` raises. After :class:`ManagementError` or :class:`NothingChanged`, nothing was
        changed; after :class:`LogtoUnavailable`, the result is not known.
        """
        if not self.has_turn:
            raise RuntimeError("carry_out() must be called within alone()")
        if not is_counted:
            await self.count()
        began = time.monotonic()
        async with self.work.writing(self.organization_id, key=session_key(self.caller)) as db:
            await require_standing(db, self.caller)
            note_id = write_note(db, event, subjects)
            await mark_changed(db, self.organization_id, subjects, self._since(began))
            if before is not None:
                await before(db)
        ended = self._end(_Begun(note_id, began, event, subjects, also, on_refusal), call)
        return await shielded(ended, grace=_SECONDS_TO_FINISH)

    async def _end(self, begun: _Begun, call: Callable[[], Awaitable[Result]]) -> Result:
        """Call Logto, and record the result here. This continues even if the caller disconnects."""
        try:
            result = await call()
        except (ManagementError, NothingChanged, AccessChanged, SignInRequired):
            async with self.work.writing(self.organization_id) as db:
                if begun.on_refusal is not None:
                    await begun.on_refusal(db)
                await close_note(db, begun.note_id)
            raise
        except (LogtoUnavailable, asyncio.CancelledError):
            # Logto may have made the change, so tokens issued until now are rejected.
            async with self.work.writing(self.organization_id) as db:
                await mark_changed(db, self.organization_id, begun.subjects, self._since(begun.at))
            raise
        async with self.work.writing(self.organization_id) as db:
            await mark_changed(db, self.organization_id, begun.subjects, self._since(begun.at))
            record(db, begun.event)
            if begun.also is not None:
                await begun.also(db)
            roles = (begun.event.after or {}).get("roles")
            await notify_of_change(db, self.organization_id, begun.event, roles, f"change {begun.note_id}")
            await close_note(db, begun.note_id)
        return result

    def _since(self, began: float) -> Moment | None:
        """Return the time of the change by Logto's clock: between its beginning and now."""
        return self.management.clock.between(began, time.monotonic())


MemberChange: TypeAlias = OrganizationChange[Tenant]
"""A change by a member or a machine that a guard has admitted."""


@dataclass(frozen=True, slots=True)
class _Begun:
    """A noted change, and what is written at its end. ``at`` is in seconds of the monotonic clock."""

    note_id: uuid.UUID
    at: float
    event: AuditEntry
    subjects: Collection[str]
    also: Writes | None
    on_refusal: Writes | None
