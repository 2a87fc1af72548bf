"""Changes that two systems must make, Logto and our database: who may, in which order, what a crash leaves.

Every such change takes a turn of its organization (:meth:`OrganizationChange.alone`): one at a time, on
every worker, so that nobody's right can be taken away through Workroom between the check of it and what is
done with it. In its turn, :meth:`OrganizationChange.carry_out` makes the change in this order:

1. In one transaction here: the caller's standing is checked again, what is about to be done is noted, and the
   memberships it touches are marked as changed, so that tokens issued earlier are rejected from now on.
2. Logto is called.
3. In one transaction here: the memberships are marked once more (a token may have been fetched between), the
   audit event is written, the note is removed.

While the note exists, every request of a membership that it names asks Logto what holds
(:meth:`saas_app.models.PendingChange.touches`): Logto may carry out the change at any moment, also long after
our time limit.

A refusal by Logto removes the note, and so does a failure after which everything was taken back. When the
outcome is not known, because no answer came or the process died, the note stays, and ``saas-app reconcile``
asks Logto what is true and closes it. A caller who leaves half-way stops nothing that has begun.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Final, Generic, Self, TypeAlias, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from saas_app.audit.recorder import SYSTEM, Action, Actor, AuditEntry, Target, record
from saas_app.changes.notes import close_note, write_note
from saas_app.coordination.leases import lease
from saas_app.db.endurance import endure
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.errors import AppError, LogtoUnavailable, SignInRequired
from saas_app.identity.membership_changes import mark_changed
from saas_app.identity.standing import AccessChanged, Caller, Workroom, require_standing
from saas_app.identity.tenant import Tenant
from saas_app.limits.changes import ChangeLimits
from saas_app.logto import ManagementClient, ManagementError, explaining
from saas_app.logto.provider_clock import Moment

CallerT = TypeVar("CallerT", bound=Caller, covariant=True)
NewCallerT = TypeVar("NewCallerT", bound=Caller)
Result = TypeVar("Result")

_LEASE_SECONDS: Final = 20.0
_SECONDS_FOR_A_TURN: Final = 15.0  # it ends before somebody else may take over the lease
_SECONDS_TO_FINISH: Final = 2.0  # for a change whose caller left, or whose turn is over


class NothingChanged(Exception):
    """Beside an error's own type: the call failed, and Logto is known to be as it was."""


@dataclass(frozen=True, slots=True)
class Systems:
    """The two systems that a change is made in, our database and Logto.

    ``change_limits`` is None where only Workroom itself changes something.
    """

    work: UnitOfWork
    management: ManagementClient
    change_limits: ChangeLimits | None

    @property
    def limits(self) -> ChangeLimits:
        """How often people may change something."""
        if self.change_limits is None:
            raise RuntimeError("people change something only within limits")
        return self.change_limits

    def by(self, caller: NewCallerT) -> OrganizationChange[NewCallerT]:
        """Return a change of the caller's organization by the caller."""
        return OrganizationChange(self.work, self.management, self.change_limits, caller)


@dataclass(frozen=True, slots=True)
class OrganizationChange(Systems, Generic[CallerT]):
    """A change of an organization: who makes it, and the systems in which it is made.

    ``caller`` names the organization too. ``has_turn`` is true only within :meth:`alone`.
    """

    caller: CallerT
    has_turn: bool = False

    @property
    def organization_id(self) -> str:
        """The organization that is changed."""
        return self.caller.organization_id

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[Self]:
        """Take a turn: one change at a time in an organization, and none that outlives its lease.

        Whoever waits comes before whoever has just had a turn and wants another, so that a change with many
        steps does not keep out the one that takes its author's right away. Raises :class:`AccessChanged` and
        :class:`SignInRequired` when the caller's right is gone by then, :class:`Busy` when no turn can be
        had, :class:`LogtoUnavailable` when the block takes too long, and what a refusal by Logto means to a
        person.
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
                raise LogtoUnavailable("Logto took too long to respond.") from None

    def explain(self, gone: Callable[[], AppError] | None = None) -> AbstractContextManager[None]:
        """Within the block, turn a refusal by Logto into the error that a person understands.

        ``gone`` makes the error for a 404, where that has only one meaning.
        """
        return explaining(gone)

    def event(
        self,
        action: Action,
        target: Target,
        before: dict[str, Any] | None = None,
        after: dict[str, Any] | None = None,
    ) -> AuditEntry:
        """The audit event of a change by this caller. ``before`` and ``after`` never hold a secret."""
        caller: Caller = self.caller
        actor = SYSTEM if isinstance(caller, Workroom) else Actor.of(caller.principal)
        return AuditEntry(actor, action, target, before, after)

    async def count(self) -> None:
        """Count the change for its author. Raises :class:`LimitReached`. Workroom itself is not counted."""
        caller: Caller = self.caller
        if not isinstance(caller, Workroom):
            await self.limits.spend((self.limits.changes, caller.principal.subject))

    async def require_standing(self) -> None:
        """Check again that the caller still may, as before every call with an effect.

        A ``call`` of several steps does so between them. Raises :class:`AccessChanged` and
        :class:`SignInRequired`; whoever lets them out of ``call`` takes back first what it has done.
        """
        async with self.work.reading() as db:
            await require_standing(db, self.caller)

    async def carry_out(
        self,
        event: AuditEntry,
        call: Callable[[], Awaitable[Result]],
        *,
        subjects: Collection[str] = (),
        also: Callable[[AsyncSession], Awaitable[None]] | None = None,
        is_counted: bool = False,
    ) -> Result:
        """Make one change in Logto, with its trace here.

        ``subjects`` are the people and machines whose memberships it touches; ``also`` writes more in the
        transaction of the event. ``is_counted``: the caller of this method has called :meth:`count` before.

        Raises :class:`LimitReached`, :class:`AccessChanged` or :class:`SignInRequired` before anything is
        done, and what ``call`` raises: :class:`ManagementError` when Logto refused, or a
        :class:`NothingChanged`, and nothing was changed; :class:`LogtoUnavailable` when nobody knows.
        """
        if not self.has_turn:
            raise RuntimeError("a change is carried out only in a turn of its organization")
        if not is_counted:
            await self.count()
        began = time.monotonic()
        async with self.work.writing(self.organization_id) as db:
            await require_standing(db, self.caller)
            note_id = write_note(db, event, subjects)
            await mark_changed(db, self.organization_id, subjects, self._since(began))
        ended = self._end(_Begun(note_id, began, event, subjects), call, also)
        return await endure(ended, grace=_SECONDS_TO_FINISH)

    async def _end(
        self,
        begun: _Begun,
        call: Callable[[], Awaitable[Result]],
        also: Callable[[AsyncSession], Awaitable[None]] | None,
    ) -> Result:
        """Call Logto, and write here what came of it, also when the caller leaves meanwhile."""
        try:
            result = await call()
        except (ManagementError, NothingChanged, AccessChanged, SignInRequired):
            async with self.work.writing(self.organization_id) as db:
                await close_note(db, begun.note_id)
            raise
        except (LogtoUnavailable, asyncio.CancelledError):
            # It may have been done: tokens issued until now are rejected.
            async with self.work.writing(self.organization_id) as db:
                await mark_changed(db, self.organization_id, begun.subjects, self._since(begun.at))
            raise
        async with self.work.writing(self.organization_id) as db:
            await mark_changed(db, self.organization_id, begun.subjects, self._since(begun.at))
            record(db, begun.event)
            if also is not None:
                await also(db)
            await close_note(db, begun.note_id)
        return result

    def _since(self, began: float) -> Moment | None:
        """When the change is made, between its beginning and now, on Logto's clock."""
        return self.management.clock.between(began, time.monotonic())


MemberChange: TypeAlias = OrganizationChange[Tenant]
"""A change by a member or a machine that a guard has let in."""


@dataclass(frozen=True, slots=True)
class _Begun:
    """A change that was noted. ``at`` is of the monotonic clock, in seconds."""

    note_id: uuid.UUID
    at: float
    event: AuditEntry
    subjects: Collection[str]
