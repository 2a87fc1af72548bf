"""What is written around the call to Logto, in which order, and what a rejection or a crash leaves behind."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest
import sqlalchemy as sa

from saas_app.audit.recorder import Action, AuditEntry, Target
from saas_app.changes.organization_change import MemberChange, NothingChanged, Systems
from saas_app.db.base import utc_now
from saas_app.db.session import WritingSession
from saas_app.errors import Conflict, LogtoUnavailable, SignInRequired
from saas_app.identity.membership_changes import note_change
from saas_app.identity.principal import Principal
from saas_app.identity.standing import AccessChanged
from saas_app.logto import ManagementError
from saas_app.logto.provider_clock import ProviderClock
from saas_app.models import RoleEnd
from saas_app.runtime import Runtime
from tests.integration.records import actions_of, pending_in
from tests.integration.tenants import admin_of


class NoLogto:
    """A Management API that must not be called."""

    clock = ProviderClock()


class Undone(NothingChanged, Conflict):
    """A call of several steps that failed and was undone."""


class Crash(BaseException):
    """The end of the process, as far as a change can notice it."""


class Carried:
    """A change that writes a row before Logto is called, and notes what is stored at each step."""

    def __init__(self, runtime: Runtime) -> None:
        systems = Systems(runtime.work, cast("Any", NoLogto()), runtime.change_limits)
        self.change: MemberChange = systems.by(admin_of(principal=Principal("ada", name="Ada")))
        self.runtime = runtime
        self.steps: list[str] = []

    @property
    def organization_id(self) -> str:
        """The organization that is changed."""
        return self.change.organization_id

    @property
    def event(self) -> AuditEntry:
        """The audit event of the change."""
        return self.change.event(
            Action.ORGANIZATION_UPDATE, Target("organization", self.organization_id, "Acme")
        )

    async def carry_out(self, call: Callable[[], Awaitable[None]]) -> None:
        """Make the change, with ``call`` as the call to Logto."""
        async with self.change.alone() as turn:
            await turn.carry_out(
                self.event,
                call,
                before=self.write,
                also=self._note("also"),
                on_refusal=self._take_back,
            )

    async def is_written(self) -> bool:
        """Return whether the row is committed."""
        async with self.runtime.work.reading(self.organization_id) as db:
            rows = sa.select(RoleEnd.role).where(RoleEnd.organization_id == self.organization_id)
            return await db.scalar(rows) is not None

    async def write(self, db: WritingSession) -> None:
        """Write the row."""
        self.steps.append("before")
        row = {"organization_id": self.organization_id, "user_id": "bob", "role": "any"}
        now = utc_now()
        await db.execute(sa.insert(RoleEnd), {**row, "ends_at": now, "given_by": "ada", "given_at": now})

    async def _take_back(self, db: WritingSession) -> None:
        self.steps.append("on_refusal")
        await db.execute(sa.delete(RoleEnd).where(RoleEnd.organization_id == self.organization_id))

    def _note(self, step: str) -> Callable[[WritingSession], Awaitable[None]]:
        async def write(_db: WritingSession) -> None:
            self.steps.append(step)

        return write


@pytest.fixture
def carried(runtime: Runtime) -> Carried:
    return Carried(runtime)


def failing_with(error: BaseException) -> Callable[[], Awaitable[None]]:
    """Return a call that fails."""

    async def call() -> None:
        raise error

    return call


async def test_what_is_written_before_is_committed_with_the_note_when_logto_is_called(
    carried: Carried, runtime: Runtime
) -> None:
    seen: dict[str, object] = {}

    async def call() -> None:
        carried.steps.append("call")
        seen["written"] = await carried.is_written()
        seen["noted"] = len(await pending_in(runtime, carried.organization_id))

    await carried.carry_out(call)

    assert seen == {"written": True, "noted": 1}
    assert carried.steps == ["before", "call", "also"]
    assert await carried.is_written()


@pytest.mark.parametrize(
    "error",
    [ManagementError(422, "entity.invalid", "no"), Undone(), AccessChanged(), SignInRequired()],
    ids=lambda error: type(error).__name__,
)
async def test_a_rejection_takes_back_what_was_written_before(
    carried: Carried, runtime: Runtime, error: Exception
) -> None:
    with pytest.raises(Exception):  # noqa: B017, PT011 - each as it is explained
        await carried.carry_out(failing_with(error))

    assert carried.steps == ["before", "on_refusal"]
    assert not await carried.is_written()
    assert await pending_in(runtime, carried.organization_id) == []


@pytest.mark.parametrize("error", [LogtoUnavailable(), Crash()], ids=["no answer", "crash"])
async def test_what_was_written_before_stays_while_the_result_is_not_known(
    carried: Carried, runtime: Runtime, error: BaseException
) -> None:
    with pytest.raises(type(error)):
        await carried.carry_out(failing_with(error))

    assert carried.steps == ["before"]
    assert await carried.is_written()
    assert len(await pending_in(runtime, carried.organization_id)) == 1
    assert await actions_of(runtime, carried.organization_id) == []


async def test_nothing_is_written_before_for_a_caller_who_has_lost_their_access(
    carried: Carried, runtime: Runtime
) -> None:
    subject = carried.change.caller.principal.subject
    async with carried.change.alone() as turn:
        await note_change(runtime.work, carried.organization_id, subject)
        with pytest.raises(AccessChanged):
            await turn.carry_out(
                carried.event, failing_with(AssertionError("Logto was called")), before=carried.write
            )

    assert carried.steps == []
    assert not await carried.is_written()
