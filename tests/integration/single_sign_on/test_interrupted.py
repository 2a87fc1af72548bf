"""Changes of single sign-on whose end is not known: reconciling records them, and Logto follows our row."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from saas_app.audit.recorder import Action, Actor, AuditEntry, Target
from saas_app.changes.organization_change import Systems
from saas_app.db.base import utc_now
from saas_app.errors import LogtoUnavailable
from saas_app.identity.standing import Workroom
from saas_app.models import PendingChange
from saas_app.single_sign_on.queries import delete_connection
from saas_app.single_sign_on.values import Stage
from tests.integration.records import pending_in
from tests.integration.single_sign_on.company import Company
from tests.integration.single_sign_on.upkeep import at_logto, connect_all, publish, reconcile
from tests.nameserver import FakeNameserver


@pytest.fixture
async def tested(company: Company, nameserver: FakeNameserver) -> Company:
    """A company whose connection is tested and not on."""
    await connect_all(company, Stage.TESTED)
    await publish(company, nameserver)
    return company


async def interrupt(company: Company, action: Action, call: Callable[[], Awaitable[None]]) -> None:
    """Lose Logto's response to a change of the connection by the admin, and let an hour pass."""

    async def call_and_fail() -> None:
        await call()
        raise LogtoUnavailable("Logto did not answer.")

    connection = await company.connection()
    target = Target("single sign-on", connection.connector_id, connection.name)
    entry = AuditEntry(Actor(company.admin.id, "Ada"), action, target, after={"domains": [company.domain]})
    systems = Systems(company.runtime.work, company.management, None)
    with pytest.raises(LogtoUnavailable):
        async with systems.by(Workroom(company.id)).alone() as turn:
            await turn.carry_out(entry, call_and_fail)
    async with company.runtime.work.writing(company.id) as db:
        past = sa.update(PendingChange).values(started_at=utc_now() - timedelta(hours=1))
        await db.execute(past.execution_options(synchronize_session=False))


@pytest.fixture
async def half_on(tested: Company) -> Company:
    """A company whose connection was turned on in Logto, and not here."""
    connection = await tested.connection()

    async def turn_on() -> None:
        await tested.management.set_sso_domains(connection.connector_id, [tested.domain])

    await interrupt(tested, Action.SSO_TURN_ON, turn_on)
    return tested


async def test_an_interrupted_change_is_recorded_with_the_state_here(half_on: Company) -> None:
    name = (await half_on.connection()).name

    news = await reconcile(half_on)

    assert any(what.startswith(f"sso.turn-on of {name}") for what in news)
    (event,) = await half_on.events()
    assert (event.action, event.actor_id) == ("sso.turn-on", half_on.admin.id)
    assert event.after == {
        "single_sign_on": "tested",
        "recovered": True,
        "wanted": {"domains": [half_on.domain]},
    }
    assert await pending_in(half_on.runtime, half_on.id) == []


async def test_what_an_interrupted_change_left_in_logto_is_taken_back(half_on: Company) -> None:
    await reconcile(half_on)

    connection = await half_on.connection()
    assert connection.stage is Stage.TESTED
    assert await at_logto(half_on) == ([], False)


async def test_an_interrupted_change_is_closed_while_single_sign_on_is_not_offered(half_on: Company) -> None:
    (what,) = await reconcile(half_on, offered=False)

    assert what.startswith("sso.turn-on of ")
    assert await pending_in(half_on.runtime, half_on.id) == []
    assert (await at_logto(half_on))[0] == [half_on.domain]


async def test_an_interrupted_removal_leaves_a_connection_to_set_up_again(tested: Company) -> None:
    connector_id = (await tested.connection()).connector_id
    await interrupt(tested, Action.SSO_REMOVE, lambda: tested.management.delete_sso_connector(connector_id))

    await reconcile(tested)

    assert (await tested.connection()).stage is Stage.CONFIGURED
    assert [event.action for event in await tested.events()] == ["sso.remove", "sso.change"]


async def test_an_interrupted_change_of_a_connection_that_is_gone_is_closed(tested: Company) -> None:
    async def nothing() -> None:
        pass

    await interrupt(tested, Action.SSO_CREATE, nothing)
    async with tested.runtime.work.writing(tested.id) as db:
        await delete_connection(db, tested.id)

    await reconcile(tested)

    (event,) = await tested.events()
    assert event.after is not None
    assert event.after["single_sign_on"] is None
