"""A caller who loses access changes nothing: access is checked before a turn and again within it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from saas_app.audit.recorder import Action, Target
from saas_app.changes.organization_change import MemberChange, Systems
from saas_app.db.base import utc_now
from saas_app.identity.membership_changes import note_change
from saas_app.identity.principal import Principal
from saas_app.identity.role_ends import read_ends, set_end
from saas_app.identity.standing import AccessChanged
from saas_app.logto.provider_clock import ProviderClock
from saas_app.rbac.permissions import Role
from saas_app.runtime import Runtime
from tests.integration.records import events_of, pending_in
from tests.integration.tenants import admin_of


class NoLogto:
    """A Management API that must not be called."""

    clock = ProviderClock()


@pytest.fixture
def change(runtime: Runtime) -> MemberChange:
    return Systems(runtime.work, cast("Any", NoLogto()), runtime.change_limits).by(
        admin_of(principal=Principal("ada", name="Ada"))
    )


async def lose_access(change: MemberChange) -> None:
    await note_change(change.work, change.organization_id, change.caller.principal.subject)


async def test_a_caller_whose_access_changed_gets_no_turn(change: MemberChange) -> None:
    await lose_access(change)
    entered = False
    with pytest.raises(AccessChanged):
        async with change.alone():
            entered = True
    assert not entered


async def test_a_caller_who_loses_access_within_a_turn_changes_nothing(
    change: MemberChange, runtime: Runtime
) -> None:
    called = False

    async def call() -> None:
        nonlocal called
        called = True

    event = change.event(Action.ORGANIZATION_UPDATE, Target("organization", change.organization_id, "Acme"))
    async with change.alone() as turn:
        await lose_access(turn)
        with pytest.raises(AccessChanged):
            await turn.carry_out(event, call)
    assert not called
    assert await pending_in(runtime, change.organization_id) == []
    assert await events_of(runtime, change.organization_id) == []


async def ends_in(change: MemberChange, role: str, ends_in: timedelta) -> None:
    """Let a role of the caller end, while their request is in progress."""
    async with change.work.writing(change.organization_id) as db:
        subject = change.caller.principal.subject
        await set_end(db, change.organization_id, subject, role, utc_now() + ends_in, given_by="eve")


async def gets_a_turn(change: MemberChange) -> bool:
    try:
        async with change.alone():
            return True
    except AccessChanged:
        return False


@pytest.mark.parametrize(
    ("known", "now", "still_stands"),
    [
        (None, -1, False),
        (None, 60, False),
        (60, -1, False),
        (60, 30, False),
        (60, 60, True),
        (60, 90, True),
    ],
    ids=["ended", "ends now", "its end has come", "ends earlier now", "unchanged", "was extended"],
)
async def test_a_caller_whose_role_has_less_time_than_the_guard_saw_changes_nothing(
    change: MemberChange, known: int | None, now: int, still_stands: bool
) -> None:
    await ends_in(change, Role.ADMIN, timedelta(minutes=now))
    async with change.work.reading(change.organization_id) as db:
        stored = await read_ends(db, change.organization_id, change.caller.principal.subject)
    seen = {} if known is None else {Role.ADMIN.value: stored[Role.ADMIN] + timedelta(minutes=known - now)}
    seen_by_guard = change.by(replace(change.caller, role_ends=seen))

    assert await gets_a_turn(seen_by_guard) is still_stands


async def test_an_end_that_the_guard_knew_does_not_stop_what_other_roles_allow(change: MemberChange) -> None:
    await ends_in(change, Role.EDITOR, timedelta(minutes=-1))
    after_it = change.by(replace(change.caller, ended_roles=frozenset({Role.EDITOR.value})))

    assert await gets_a_turn(after_it)
