"""A caller who loses access changes nothing: access is checked before a turn and again within it."""

from __future__ import annotations

from typing import Any, cast

import pytest

from saas_app.audit.recorder import Action, Target
from saas_app.changes.organization_change import MemberChange, Systems
from saas_app.identity.membership_changes import note_change
from saas_app.identity.principal import Principal
from saas_app.identity.standing import AccessChanged
from saas_app.logto.provider_clock import ProviderClock
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
