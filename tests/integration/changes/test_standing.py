"""A caller who loses access changes nothing: it is checked before a turn and again within it."""

from __future__ import annotations

import secrets
from typing import Any, cast

import pytest

from saas_app.audit.recorder import Action, Target
from saas_app.changes.organization_change import MemberChange, Systems
from saas_app.db.base import utc_now
from saas_app.identity.membership_changes import note_change
from saas_app.identity.principal import Principal
from saas_app.identity.standing import AccessChanged
from saas_app.identity.tenant import Tenant
from saas_app.logto.provider_clock import ProviderClock
from saas_app.rbac.permissions import Carrier, Permission
from saas_app.runtime import Runtime
from tests.integration.records import events_of, pending_in


class NoLogto:
    """A Management API that must not be called."""

    clock = ProviderClock()


@pytest.fixture
def change(runtime: Runtime) -> MemberChange:
    tenant = Tenant(
        organization_id=f"org{secrets.token_hex(6)}",
        organization_name="Acme",
        principal=Principal("ada", name="Ada"),
        role_names=frozenset({"admin"}),
        granted=frozenset(Permission),
        carriers=frozenset(Carrier),
        read_at=utc_now(),
    )
    return Systems(runtime.work, cast("Any", NoLogto()), runtime.change_limits).by(tenant)


async def lose_the_right(change: MemberChange) -> None:
    await note_change(change.work, change.organization_id, change.caller.principal.subject)


async def test_a_caller_whose_access_changed_gets_no_turn(change: MemberChange) -> None:
    await lose_the_right(change)
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
        await lose_the_right(turn)
        with pytest.raises(AccessChanged):
            await turn.carry_out(event, call)
    assert not called
    assert await pending_in(runtime, change.organization_id) == []
    assert await events_of(runtime, change.organization_id) == []
