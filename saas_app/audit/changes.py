"""Changes that two systems must make: Logto and our database. Who may, in which order, what a crash leaves.

Every such change takes a turn of its organization (:func:`alone`): one at a time, on every worker, so that
nobody's right can be taken away through Workroom between the look at it and what is done with it. The turn is
the only way to :meth:`Turn.carry_out`, which does it in this order:

1. In one transaction here: the caller's standing is checked again, what is about to be done is noted, and the
   memberships it touches are marked changed, so that no cached token answers for them from now on.
2. Logto is called.
3. In one transaction here: the memberships are marked once more (a token may have been fetched between),
   the audit event is written, the note is removed.

While the note is there, every request of a membership that it names asks Logto what holds
(:meth:`saas_app.models.PendingChange.touches`): Logto may carry out the change at any moment, also long after
our time limit.

A refusal by Logto removes the note, and so does a failure after which everything was taken back. When the
outcome is not known – no answer, or a crash – the note stays, and ``saas-app reconcile`` asks Logto what is
true and closes it. A caller who leaves in the middle stops nothing that has begun.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from saas_app.audit.notes import close_note
from saas_app.audit.recorder import AuditEntry, record
from saas_app.coordination.leases import lease
from saas_app.db.base import new_uuid, utc_now
from saas_app.db.endurance import endure
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.errors import LogtoUnavailable, SignInRequired
from saas_app.identity.membership_changes import mark_changed
from saas_app.identity.standing import AccessChanged, Standing
from saas_app.identity.tenant import Tenant
from saas_app.limits.changes import ChangeLimits
from saas_app.logto import ManagementClient, ManagementError, explained
from saas_app.logto.provider_clock import Moment, ProviderClock
from saas_app.models import PendingChange

Result = TypeVar("Result")

_LEASE_SECONDS: Final = 20.0
_SECONDS_FOR_A_TURN: Final = 15.0  # it ends before somebody else may take over the lease
_SECONDS_TO_FINISH: Final = 2.0  # for a change whose caller left, or whose turn is over


class NothingChanged(Exception):
    """Beside an error's own type: the call failed, and Logto is known to be as it was."""


@dataclass(frozen=True, slots=True)
class OrganizationChange:
    """Where a change is made: our database, Logto, and the organization as the caller stands in it."""

    work: UnitOfWork
    management: ManagementClient
    tenant: Tenant
    limits: ChangeLimits

    @property
    def organization_id(self) -> str:
        """The organization."""
        return self.tenant.organization_id

    def alone(self) -> AbstractAsyncContextManager[Turn]:
        """A turn of the organization for the caller; see :func:`alone`."""
        return alone(self.work, Standing.of(self.tenant), self.limits, self.management.clock)


@asynccontextmanager
async def alone(
    work: UnitOfWork, standing: Standing, limits: ChangeLimits | None, clock: ProviderClock | None = None
) -> AsyncIterator[Turn]:
    """One change at a time in an organization, on every worker, and none that outlives its lease.

    Whoever waits comes before whoever has just had a turn and wants another, so that a change with many
    steps does not keep out the one that takes its author's right away. ``limits`` is None for what Workroom
    changes by itself. Raises :class:`AccessChanged` and :class:`SignInRequired` when the caller's right is
    gone by then, :class:`Busy` when no turn can be had, :class:`LogtoUnavailable` when the block takes too
    long, and what a refusal by Logto means to a person.
    """
    name = f"organization:{standing.organization_id}"
    async with AsyncExitStack() as held:
        async with lease(work, f"{name}/next", seconds=_LEASE_SECONDS):
            await held.enter_async_context(lease(work, name, seconds=_LEASE_SECONDS))
        try:
            async with asyncio.timeout(_SECONDS_FOR_A_TURN) as limit:
                async with work.reading() as db:
                    await standing.require(db)
                yield Turn(work, standing, limits, clock)
        except ManagementError as refusal:
            raise explained(refusal) from None
        except TimeoutError:
            if not limit.expired():
                raise
            raise LogtoUnavailable("Logto took too long to answer.") from None


@dataclass(frozen=True, slots=True)
class Turn:
    """A caller's turn of changing an organization. Got from :func:`alone`.

    By ``clock``, Logto's own, its tokens are found to be older or newer than a change.
    """

    work: UnitOfWork
    standing: Standing
    limits: ChangeLimits | None
    clock: ProviderClock | None = None

    async def count(self) -> None:
        """Count the change for its author. Raises :class:`LimitReached`."""
        if self.limits is not None:
            await self.limits.spend((self.limits.changes, self.standing.principal.subject))

    async def require_standing(self) -> None:
        """Between the steps that one ``call`` takes in Logto: go on only while the caller still may.

        Raises :class:`AccessChanged` and :class:`SignInRequired`; whoever lets them out of ``call`` takes
        back what it has done first.
        """
        async with self.work.reading() as db:
            await self.standing.require(db)

    async def carry_out(
        self,
        entry: AuditEntry,
        call: Callable[[], Awaitable[Result]],
        *,
        user_ids: Collection[str] = (),
        also: Callable[[AsyncSession], Awaitable[None]] | None = None,
        is_counted: bool = False,
    ) -> Result:
        """Make one change in Logto with its trace here. ``user_ids``: whose memberships it touches;
        ``also``: what else is written here, in the transaction of the event. Whoever writes in Logto for
        it before calls :meth:`count` first, and says so.

        Raises :class:`LimitReached`, :class:`AccessChanged` or :class:`SignInRequired` before anything is
        done, and what ``call`` raises: :class:`ManagementError` when Logto refused, or a
        :class:`NothingChanged`, and nothing was changed; :class:`saas_app.errors.LogtoUnavailable` when
        nobody knows.
        """
        work, organization_id = self.work, self.standing.organization_id
        if not is_counted:
            await self.count()
        change_id, began = new_uuid(), time.monotonic()
        async with work.writing(organization_id) as db:
            await self.standing.require(db)
            db.add(
                PendingChange(
                    id=change_id, entry=entry.as_json(), user_ids=list(user_ids), started_at=utc_now()
                )
            )
            await mark_changed(db, organization_id, user_ids, self._since(began))
        ended = self._end(change_id, began, entry, call, user_ids, also)
        return await endure(ended, grace=_SECONDS_TO_FINISH)

    async def _end(
        self,
        change_id: uuid.UUID,
        began: float,
        entry: AuditEntry,
        call: Callable[[], Awaitable[Result]],
        user_ids: Collection[str],
        also: Callable[[AsyncSession], Awaitable[None]] | None,
    ) -> Result:
        """Call Logto, and write here what came of it, also when the caller leaves meanwhile."""
        work, organization_id = self.work, self.standing.organization_id
        try:
            result = await call()
        except (ManagementError, NothingChanged, AccessChanged, SignInRequired):
            async with work.writing(organization_id) as db:
                await close_note(db, change_id)
            raise
        except (LogtoUnavailable, asyncio.CancelledError):
            # It may have been done: tokens issued until now are rejected.
            async with work.writing(organization_id) as db:
                await mark_changed(db, organization_id, user_ids, self._since(began))
            raise
        async with work.writing(organization_id) as db:
            await mark_changed(db, organization_id, user_ids, self._since(began))
            record(db, entry)
            if also is not None:
                await also(db)
            await close_note(db, change_id)
        return result

    def _since(self, began: float) -> Moment | None:
        """When the change is made, between its beginning and now, on Logto's clock."""
        return self.clock.between(began, time.monotonic()) if self.clock is not None else None
