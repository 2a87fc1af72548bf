"""The API of support access, for programs of the organization."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from saas_app.config import Settings
from saas_app.db.base import new_uuid, utc_now
from saas_app.rbac.permissions import Carrier, Role
from saas_app.runtime import Runtime
from tests.factories import Factory
from tests.integration.bearer import ApiClient, PersonClient
from tests.integration.records import actions_of
from tests.integration.support.conftest import Customer
from tests.integration.support.rows import add_access, allow_support

PATH = "/support-access"


@pytest.fixture
async def client(acme: Customer, as_person: PersonClient) -> ApiClient:
    """A client of Acme's admin."""
    return await as_person(acme.admin, acme.id, Carrier.ORGANIZATION_TOKEN)


async def test_it_lists_what_is_allowed_and_who_acts_or_acted(
    client: ApiClient, acme: Customer, runtime: Runtime
) -> None:
    await allow_support(runtime, acme.id, writes=True)
    over = await add_access(runtime, acme.id, ago=timedelta(hours=1))
    live = await add_access(runtime, acme.id)

    body = await client.json("GET", PATH)

    assert (body["allowed"], body["until"], body["writes"]) == (True, None, True)
    assert [one["id"] for one in body["live"]] == [str(live)]
    assert [one["id"] for one in body["recent"]] == [str(over)]
    assert (body["live"][0]["agent_name"], body["live"][0]["ticket"]) == ("Sam Whitfield", "4711")


async def test_it_allows_support_access_for_some_minutes(client: ApiClient, acme: Customer) -> None:
    body = await client.json("PUT", PATH, json={"allowed": True, "minutes": 30})

    left = datetime.fromisoformat(body["until"]) - utc_now()
    assert timedelta(minutes=29) < left <= timedelta(minutes=30)
    assert body["writes"] is False


async def test_turning_it_off_ends_live_accesses(client: ApiClient, acme: Customer, runtime: Runtime) -> None:
    await allow_support(runtime, acme.id)
    await add_access(runtime, acme.id)

    body = await client.json("PUT", PATH, json={"allowed": False})

    assert (body["allowed"], body["live"]) == (False, [])
    assert body["recent"][0]["ended_by"] == acme.admin.id


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"allowed": "yes"},
        {"allowed": True, "minutes": 0},
        {"allowed": True, "minutes": 525601},
        {"allowed": True, "minutes": "30"},
        {"allowed": True, "until": "2099-01-01T00:00:00Z"},
    ],
)
async def test_an_invalid_choice_changes_nothing(
    client: ApiClient, acme: Customer, runtime: Runtime, body: dict[str, object]
) -> None:
    await client.call("PUT", PATH, 422, json=body)

    assert await actions_of(runtime, acme.id) == []


async def test_an_access_is_ended_once(client: ApiClient, acme: Customer, runtime: Runtime) -> None:
    await allow_support(runtime, acme.id)
    access_id = await add_access(runtime, acme.id)

    await client.call("DELETE", f"{PATH}/{access_id}", 204)

    await client.call("DELETE", f"{PATH}/{access_id}", 204)
    assert await actions_of(runtime, acme.id) == ["support.end"]


async def test_an_unknown_access_is_not_found(client: ApiClient) -> None:
    await client.call("DELETE", f"{PATH}/{new_uuid()}", 404)


async def test_the_support_team_cannot_allow_what_nobody_could_use(
    make: Factory, settings: Settings, as_person: PersonClient
) -> None:
    team = settings.support_organization_id
    admin = await as_person(await make.member(team, "Olga", Role.ADMIN), team, Carrier.ORGANIZATION_TOKEN)

    await admin.call("PUT", PATH, 404, json={"allowed": True})

    assert "own organization" in (await admin.json("GET", PATH, 404))["detail"]
