"""Asking to keep a role longer, and letting it end later, by the API."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from saas_app.db.base import utc_now
from saas_app.rbac.permissions import Carrier, Role
from saas_app.runtime import Runtime
from tests.factories import Factory
from tests.integration.access_requests.conftest import REASON, Acme, requests_of, states_of
from tests.integration.bearer import ApiClient, PersonClient
from tests.integration.ending import ends_of, set_end

PATH = "/access-requests"
ASK = {"role": "editor", "reason": REASON, "minutes": 1440}


@pytest.fixture
async def end(acme: Acme, make: Factory, runtime: Runtime) -> datetime:
    """When Vera's role of an editor ends, in an hour."""
    await make.give_roles(acme.id, acme.viewer, Role.VIEWER, Role.EDITOR)
    return await set_end(runtime, acme.id, acme.viewer, Role.EDITOR, timedelta(hours=1))


@pytest.fixture
async def vera(acme: Acme, end: datetime, as_person: PersonClient) -> ApiClient:
    """A client with a token of the viewer, who is an editor for an hour."""
    return await as_person(acme.viewer, acme.id)


@pytest.fixture
async def ada(acme: Acme, as_person: PersonClient) -> ApiClient:
    """A client with an organization token of the admin."""
    return await as_person(acme.admin, acme.id, Carrier.ORGANIZATION_TOKEN)


@pytest.fixture
async def asked(vera: ApiClient) -> dict[str, Any]:
    """A request to keep the role for a day."""
    return await vera.json("POST", PATH, 201, json=ASK)


@pytest.fixture
def approve(asked: dict[str, Any]) -> str:
    """The path that approves it."""
    return f"{PATH}/{asked['id']}/approve"


def as_sent(moment: datetime) -> str:
    """Return a moment as responses have it."""
    return moment.isoformat().replace("+00:00", "Z")


async def test_the_request_says_until_when_the_role_is_held(
    ada: ApiClient, end: datetime, asked: dict[str, Any]
) -> None:
    (listed,) = (await ada.json("GET", PATH))["items"]

    assert asked["held_until"] == listed["held_until"] == as_sent(end)


async def test_a_repeated_request_with_a_key_is_sent_once(
    acme: Acme, vera: ApiClient, runtime: Runtime
) -> None:
    key = {"Idempotency-Key": "keep-once"}

    bodies = [await vera.json("POST", PATH, 201, json=ASK, headers=key) for _time in range(2)]

    assert bodies[0] == bodies[1]
    assert len(await requests_of(runtime, acme.id)) == 1


async def test_a_time_that_is_over_before_the_role_ends_is_refused(
    acme: Acme, vera: ApiClient, runtime: Runtime
) -> None:
    problem = await vera.json("POST", PATH, 422, json={**ASK, "minutes": 30})

    assert "You have this role until" in problem["errors"]["minutes"]
    assert await requests_of(runtime, acme.id) == []


async def test_an_approval_lets_the_role_end_later(
    acme: Acme, ada: ApiClient, end: datetime, approve: str, runtime: Runtime
) -> None:
    body = await ada.json("POST", approve, json={"minutes": 120, "held_until": as_sent(end)})

    later = (await ends_of(runtime, acme.id, acme.viewer))[Role.EDITOR]
    assert timedelta(minutes=118) < later - utc_now() <= timedelta(minutes=120)
    assert (body["state"], body["ends_at"], body["held_until"]) == ("approved", as_sent(later), None)


@pytest.mark.parametrize("seen", [{}, {"held_until": "2027-01-01T00:00:00Z"}], ids=["none", "another"])
async def test_an_approval_by_somebody_who_read_another_end_is_refused(
    acme: Acme, ada: ApiClient, end: datetime, approve: str, runtime: Runtime, seen: dict[str, str]
) -> None:
    problem = await ada.json("POST", approve, 409, json={"minutes": 120, **seen})

    assert problem["code"] == "held-otherwise"
    assert await ends_of(runtime, acme.id, acme.viewer) == {Role.EDITOR: end}


async def test_an_earlier_end_is_refused_and_named_as_it_was_sent(
    acme: Acme, ada: ApiClient, end: datetime, approve: str, runtime: Runtime
) -> None:
    problem = await ada.json("POST", approve, 422, json={"minutes": 30, "held_until": as_sent(end)})

    assert "Choose a later end." in problem["errors"]["ends_at"]
    assert await states_of(runtime, acme.id) == ["pending"]
    assert await ends_of(runtime, acme.id, acme.viewer) == {Role.EDITOR: end}
