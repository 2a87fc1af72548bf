"""Access requests by the API: asking, deciding, withdrawing, and who is refused."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest

from saas_app.access_requests.values import MIN_MINUTES
from saas_app.db.base import utc_now
from saas_app.rbac.permissions import Carrier, Role
from saas_app.runtime import Runtime
from saas_app.web.pagination import encode_cursor
from tests.factories import Factory
from tests.integration.access_requests.conftest import REASON, Acme, requests_of, states_of
from tests.integration.bearer import ApiClient, MachineClient, PersonClient
from tests.integration.ending import ends_of

ASK = {"role": "editor", "reason": REASON, "minutes": 90}
PATH = "/access-requests"


@pytest.fixture
async def vera(acme: Acme, as_person: PersonClient) -> ApiClient:
    """A client with a token of the viewer."""
    return await as_person(acme.viewer, acme.id)


@pytest.fixture
async def ada(acme: Acme, as_person: PersonClient) -> ApiClient:
    """A client with an organization token of the admin."""
    return await as_person(acme.admin, acme.id, Carrier.ORGANIZATION_TOKEN)


@pytest.fixture
async def asked(vera: ApiClient) -> str:
    """The path of a request of the viewer, for 90 minutes."""
    body = await vera.json("POST", PATH, 201, json=ASK)
    return f"{PATH}/{body['id']}"


@pytest.mark.parametrize("rank", [-(2**63) + 1, 2**63 - 1])
async def test_a_cursor_with_a_rank_that_no_request_has_leads_to_a_page(
    ada: ApiClient, asked: str, rank: int
) -> None:
    page = await ada.json("GET", f"{PATH}?cursor={encode_cursor(rank, uuid.uuid4())}")

    assert len(page["items"]) == (1 if rank < 0 else 0)


async def test_asking_returns_the_request_and_its_address(acme: Acme, vera: ApiClient) -> None:
    answer = await vera.call("POST", PATH, 201, json={**ASK, "permission": "projects:write"})

    body: dict[str, Any] = await answer.get_json()
    assert answer.headers["Location"].endswith(f"{PATH}/{body['id']}")
    assert (body["state"], body["role"], body["minutes"]) == ("pending", "editor", 90)
    assert (body["requester_id"], body["permission"]) == (acme.viewer.id, "projects:write")


async def test_the_author_reads_the_request(vera: ApiClient, asked: str) -> None:
    assert (await vera.json("GET", asked))["reason"] == REASON


async def test_the_admin_lists_requests_page_by_page(ada: ApiClient, vera: ApiClient, asked: str) -> None:
    await vera.call("POST", f"{asked}/withdraw")
    await vera.call("POST", PATH, 201, json=ASK)

    first = await ada.json("GET", f"{PATH}?limit=1")
    second = await ada.json("GET", f"{PATH}?limit=1&cursor={first['next_cursor']}")

    assert [item["state"] for item in first["items"] + second["items"]] == ["pending", "withdrawn"]
    assert second["next_cursor"] is None


async def test_an_approval_gives_the_role_for_some_minutes(
    acme: Acme, ada: ApiClient, asked: str, runtime: Runtime
) -> None:
    body = await ada.json("POST", f"{asked}/approve", json={"minutes": 60})

    assert body["state"] == "approved"
    end = (await ends_of(runtime, acme.id, acme.viewer))[Role.EDITOR]
    assert body["ends_at"] == end.isoformat().replace("+00:00", "Z")
    assert timedelta(minutes=58) < end - utc_now() <= timedelta(minutes=60)


async def test_an_approval_gives_the_role_for_the_shortest_time(
    acme: Acme, ada: ApiClient, asked: str, runtime: Runtime
) -> None:
    await ada.call("POST", f"{asked}/approve", json={"minutes": MIN_MINUTES})

    end = (await ends_of(runtime, acme.id, acme.viewer))[Role.EDITOR]
    assert end - utc_now() <= timedelta(minutes=MIN_MINUTES)


async def test_an_impossible_end_is_named_as_it_was_sent(ada: ApiClient, asked: str) -> None:
    problem = await ada.json("POST", f"{asked}/approve", 422, json={"ends_at": "2020-01-01T00:00:00Z"})

    assert set(problem["errors"]) == {"ends_at"}


async def test_an_approval_gives_the_role_until_a_moment(
    acme: Acme, ada: ApiClient, asked: str, runtime: Runtime
) -> None:
    wanted = (utc_now() + timedelta(days=3)).replace(microsecond=0)

    await ada.json("POST", f"{asked}/approve", json={"ends_at": wanted.isoformat()})

    assert (await ends_of(runtime, acme.id, acme.viewer))[Role.EDITOR] == wanted


async def test_an_approval_without_a_time_does_not_end(
    acme: Acme, ada: ApiClient, asked: str, runtime: Runtime
) -> None:
    assert (await ada.json("POST", f"{asked}/approve", json={}))["ends_at"] is None
    assert await ends_of(runtime, acme.id, acme.viewer) == {}


@pytest.mark.parametrize(
    "body",
    [
        {"minutes": 4},
        {"minutes": 525_601},
        {"minutes": "60"},
        {"ends_at": "2020-01-01T00:00:00Z"},
        {"ends_at": "9999-12-31T23:59:59Z"},
        {"ends_at": "2027-01-01T00:00:00"},
        {"ends_at": "soon"},
        {"ends_at": 1900000000},
        {"minutes": 60, "ends_at": "2027-01-01T00:00:00Z"},
    ],
    ids=["short", "long", "text", "past", "year 9999", "naive", "no date", "number", "both"],
)
async def test_an_impossible_end_is_refused(
    acme: Acme, ada: ApiClient, asked: str, runtime: Runtime, body: dict[str, Any]
) -> None:
    problem = await ada.json("POST", f"{asked}/approve", 422, json=body)

    assert problem["errors"]
    assert await states_of(runtime, acme.id) == ["pending"]
    assert await acme.roles_at_logto(acme.viewer) == {"viewer"}


async def test_a_declined_request_has_the_answer(ada: ApiClient, vera: ApiClient, asked: str) -> None:
    await ada.json("POST", f"{asked}/decline", json={"answer": "Bob does it."})

    body = await vera.json("GET", asked)
    assert (body["state"], body["answer"]) == ("declined", "Bob does it.")


async def test_the_author_gets_no_decider_where_names_are_hidden(
    acme: Acme, ada: ApiClient, vera: ApiClient, asked: str
) -> None:
    await acme.ada.post(f"{acme.root}/settings/approvers", {"names": "no"})
    await ada.json("POST", f"{asked}/decline", json={})

    assert (await vera.json("GET", asked))["decided_by"] is None
    assert (await ada.json("GET", asked))["decided_by"] == acme.admin.id


@pytest.mark.parametrize(
    ("body", "code"),
    [(ASK, "already-asked"), ({"role": "viewer", "reason": REASON}, "nothing-to-ask")],
)
async def test_a_request_that_makes_no_sense_is_refused(
    vera: ApiClient, asked: str, body: dict[str, Any], code: str
) -> None:
    assert (await vera.json("POST", PATH, 409, json=body))["code"] == code


@pytest.mark.parametrize(
    "body",
    [
        {**ASK, "reason": " "},
        {**ASK, "reason": "x" * 501},
        {**ASK, "role": "integration"},
        {**ASK, "minutes": 1},
        {**ASK, "permission": "everything"},
        {**ASK, "requester_id": "somebody"},
    ],
)
async def test_a_wrong_request_is_refused(
    acme: Acme, vera: ApiClient, runtime: Runtime, body: dict[str, Any]
) -> None:
    await vera.call("POST", PATH, 422, json=body)

    assert await requests_of(runtime, acme.id) == []


async def test_the_author_cannot_approve_with_a_token(
    acme: Acme, vera: ApiClient, asked: str, as_person: PersonClient, make: Factory, runtime: Runtime
) -> None:
    await make.give_roles(acme.id, acme.viewer, Role.ADMIN)
    promoted = await as_person(acme.viewer, acme.id, Carrier.ORGANIZATION_TOKEN)

    for action in ("approve", "decline"):
        problem = await promoted.json("POST", f"{asked}/{action}", 409, json={})
        assert problem["code"] == "own-request"

    assert await states_of(runtime, acme.id) == ["pending"]


async def test_a_closed_request_cannot_be_decided_again(ada: ApiClient, asked: str) -> None:
    await ada.call("POST", f"{asked}/decline", json={})

    assert (await ada.json("POST", f"{asked}/approve", 409, json={}))["code"] == "already-decided"


async def test_a_machine_cannot_ask_and_reads_why(
    acme: Acme, make: Factory, as_machine: MachineClient, runtime: Runtime
) -> None:
    robot = await as_machine(await make.machine(acme.id), acme.id)

    problem = await robot.json("POST", PATH, 403, json=ASK)

    assert problem["code"] == "people-only"
    assert "An API client gets its roles from" in problem["detail"]
    assert await requests_of(runtime, acme.id) == []


async def test_others_find_no_request(
    acme: Acme, asked: str, make: Factory, as_person: PersonClient, as_machine: MachineClient
) -> None:
    eddy = await as_person(await make.member(acme.id, "Eddy", Role.EDITOR), acme.id)
    robot = await as_machine(await make.machine(acme.id), acme.id)

    for other in (eddy, robot):
        await other.call("GET", asked, 404)
        await other.call("POST", f"{asked}/withdraw", 404)


async def test_a_repeated_request_with_a_key_is_sent_once(
    acme: Acme, vera: ApiClient, runtime: Runtime
) -> None:
    key = {"Idempotency-Key": "ask-once"}

    bodies = [await vera.json("POST", PATH, 201, json=ASK, headers=key) for _time in range(2)]

    assert bodies[0] == bodies[1]
    assert len(await requests_of(runtime, acme.id)) == 1
