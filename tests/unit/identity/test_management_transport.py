"""How Management API calls travel: one machine token, retries, pages, typed errors. Over real HTTP."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from saas_app.config import ManagementSettings
from saas_app.errors import LogtoUnavailable
from saas_app.identity.management import ManagementClient, ManagementError, explained
from saas_app.identity.management import transport as transport_module
from saas_app.reconciliation.truth import read_truth

Reply = Callable[[web.Request], Any]


class StandIn:
    """A server that answers what a test tells it to, and counts."""

    def __init__(self) -> None:
        self.token_requests: list[dict[str, str]] = []
        self.calls: list[web.Request] = []
        self.bearers: list[str] = []
        self.replies: list[Reply] = []
        self.lifetime = 3600
        self.token_status = 200

    async def token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.token_requests.append({**form, "authorization": request.headers["Authorization"]})
        await asyncio.sleep(0)  # lets every caller arrive before the first has its answer
        if self.token_status != 200:
            body = {"code": "oidc.invalid_client", "error": "invalid_client", "error_description": "no"}
            return web.json_response(body, status=self.token_status)
        number = len(self.token_requests)
        return web.json_response({"access_token": f"token-{number}", "expires_in": self.lifetime})

    async def api(self, request: web.Request) -> web.StreamResponse:
        self.calls.append(request)
        self.bearers.append(request.headers["Authorization"])
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        answer: web.StreamResponse = await reply(request)
        return answer


def replies(body: Any, status: int = 200, **headers: str) -> Reply:
    async def reply(_request: web.Request) -> web.Response:
        if isinstance(body, str):
            return web.Response(text=body, status=status)
        return web.json_response(body, status=status, headers=headers)

    return reply


@pytest.fixture
def stand_in() -> StandIn:
    return StandIn()


OpenClient = Callable[[float], ManagementClient]


@pytest.fixture
async def open_client(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OpenClient]:
    """Opens clients that wait for an answer for so many seconds."""
    monkeypatch.setattr(transport_module, "_FIRST_PAUSE", 0.001)
    app = web.Application()
    app.router.add_post("/oidc/token", stand_in.token)
    app.router.add_route("*", "/api/{path:.*}", stand_in.api)
    async with TestServer(app) as server, aiohttp.ClientSession() as http:
        settings = ManagementSettings(
            endpoint=str(server.make_url("/")),
            app_id="machine",
            app_secret=SecretStr("s:e+c/r"),
            token_endpoint="",
            resource="https://default.logto.app/api",
        )
        yield lambda seconds: ManagementClient(settings, http, timeout=seconds)


@pytest.fixture
def client(open_client: OpenClient) -> ManagementClient:
    return open_client(30)


ORGANIZATION: dict[str, Any] = {"id": "o1", "name": "Acme", "description": None, "customData": {}}


async def test_the_machine_token_is_asked_for_with_basic_and_scope_all(
    client: ManagementClient, stand_in: StandIn
) -> None:
    stand_in.replies = [replies(ORGANIZATION)]

    await client.get_organization("o1")

    (asked,) = stand_in.token_requests
    assert asked["grant_type"] == "client_credentials"
    assert asked["scope"] == "all"
    assert asked["resource"] == "https://default.logto.app/api"
    assert base64.b64decode(asked["authorization"].removeprefix("Basic ")) == b"machine:s%3Ae%2Bc%2Fr"
    assert stand_in.bearers == ["Bearer token-1"]


async def test_fifty_concurrent_calls_ask_for_one_token(client: ManagementClient, stand_in: StandIn) -> None:
    stand_in.replies = [replies(ORGANIZATION)]

    await asyncio.gather(*(client.get_organization("o1") for _ in range(50)))

    assert len(stand_in.token_requests) == 1


async def test_a_token_is_replaced_before_it_expires(client: ManagementClient, stand_in: StandIn) -> None:
    stand_in.replies = [replies(ORGANIZATION)]
    stand_in.lifetime = 0

    await client.get_organization("o1")
    await client.get_organization("o1")

    assert stand_in.bearers == ["Bearer token-1", "Bearer token-2"]


async def test_a_refused_token_is_replaced_once(client: ManagementClient, stand_in: StandIn) -> None:
    refusal = replies({"code": "auth.unauthorized", "message": "Unauthorized."}, 401)
    stand_in.replies = [refusal, replies(ORGANIZATION)]

    assert (await client.get_organization("o1")).name == "Acme"
    assert stand_in.bearers == ["Bearer token-1", "Bearer token-2"]

    stand_in.replies = [refusal]
    with pytest.raises(ManagementError) as caught:
        await client.get_organization("o1")
    assert caught.value.status == 401


async def test_a_wrong_secret_is_a_typed_error(client: ManagementClient, stand_in: StandIn) -> None:
    stand_in.token_status = 401

    with pytest.raises(ManagementError) as caught:
        await client.get_organization("o1")

    assert (caught.value.status, caught.value.code) == (401, "oidc.invalid_client")
    assert "s:e+c/r" not in str(caught.value)


async def test_a_refusal_carries_status_code_message_and_data(
    client: ManagementClient, stand_in: StandIn
) -> None:
    body = {"code": "guard.invalid_input", "message": "The request body is invalid.", "data": {"issues": []}}
    stand_in.replies = [replies(body, 400)]

    with pytest.raises(ManagementError) as caught:
        await client.create_organization("")

    error = caught.value
    assert (error.status, error.code, error.message, error.data) == (
        400,
        "guard.invalid_input",
        "The request body is invalid.",
        {"issues": []},
    )
    assert len(stand_in.calls) == 1


async def test_a_failure_is_tried_again_where_that_is_safe(
    client: ManagementClient, stand_in: StandIn
) -> None:
    failure = replies({"message": "Internal server error."}, 500)
    stand_in.replies = [failure, failure, replies(ORGANIZATION)]

    assert (await client.get_organization("o1")).id == "o1"
    assert len(stand_in.calls) == 3


async def test_creating_is_never_tried_again(client: ManagementClient, stand_in: StandIn) -> None:
    stand_in.replies = [replies({"message": "Internal server error."}, 500)]

    with pytest.raises(LogtoUnavailable):
        await client.create_organization("Acme")

    assert len(stand_in.calls) == 1


async def test_adding_members_is_tried_again_because_it_is_idempotent(
    client: ManagementClient, stand_in: StandIn
) -> None:
    stand_in.replies = [replies({"message": "Internal server error."}, 502), replies({"userIds": ["u"]}, 201)]

    await client.add_members("o1", ["u"])

    assert len(stand_in.calls) == 2


async def test_a_deletion_whose_answer_was_lost_counts(client: ManagementClient, stand_in: StandIn) -> None:
    gone = replies({"code": "entity.not_found", "message": "The resource does not exist."}, 404)
    stand_in.replies = [replies({"message": "Internal server error."}, 500), gone]

    await client.delete_organization("o1")

    stand_in.replies = [gone]
    with pytest.raises(ManagementError):
        await client.delete_organization("o1")


async def test_asked_too_often_it_waits_as_long_as_logto_says_and_tries_again(
    client: ManagementClient, stand_in: StandIn
) -> None:
    refusal = replies({"code": "request.rate_limited", "message": "Slow down."}, 429, **{"Retry-After": "0"})
    stand_in.replies = [refusal, replies(ORGANIZATION)]

    assert (await client.get_organization("o1")).id == "o1"
    assert len(stand_in.calls) == 2


async def test_a_long_wait_is_told_and_not_waited_for(client: ManagementClient, stand_in: StandIn) -> None:
    body = {"code": "request.rate_limited", "message": "Slow down."}
    stand_in.replies = [replies(body, 429, **{"Retry-After": "90"})]

    with pytest.raises(ManagementError) as caught:
        await client.get_organization("o1")

    assert len(stand_in.calls) == 1
    assert explained(caught.value).retry_after == 90


async def test_creating_is_not_tried_again_when_logto_is_asked_too_often(
    client: ManagementClient, stand_in: StandIn
) -> None:
    stand_in.replies = [replies({"code": "request.message_rate_limited", "message": "Too many."}, 429)]

    with pytest.raises(ManagementError):
        await client.create_organization("Acme")

    assert len(stand_in.calls) == 1


async def test_a_failure_with_a_code_is_still_a_failure_but_501_is_a_refusal(
    client: ManagementClient, stand_in: StandIn
) -> None:
    stand_in.replies = [replies({"code": "database.timeout", "message": "Internal."}, 500)]
    with pytest.raises(LogtoUnavailable):
        await client.create_organization("Acme")

    stand_in.replies = [replies({"code": "connector.not_found", "message": "No connector."}, 501)]
    with pytest.raises(ManagementError) as caught:
        await client.create_organization("Acme")
    assert caught.value.status == 501


async def test_while_logto_is_down_calls_are_answered_without_asking_it_and_then_one_probes(
    client: ManagementClient, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = 1000.0
    monkeypatch.setattr(client._transport._circuit, "_clock", lambda: clock)
    stand_in.replies = [replies("down", 503)]
    for _ in range(5):
        with pytest.raises(LogtoUnavailable):
            await client.get_organization("o1")
    asked = len(stand_in.calls)
    assert asked == 5  # two calls of three attempts each: the fifth failure in a row opened the circuit

    with pytest.raises(LogtoUnavailable) as refused:
        await client.get_organization("o1")
    assert refused.value.retry_after == 10
    assert len(stand_in.calls) == asked

    clock += 10
    stand_in.replies = [replies(ORGANIZATION)]
    assert (await client.get_organization("o1")).id == "o1"
    await client.get_organization("o1")


async def test_hanging_calls_open_the_circuit_too(open_client: OpenClient, stand_in: StandIn) -> None:
    client = open_client(0.3)

    async def never(_request: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    stand_in.replies = [never]
    results = await asyncio.gather(*(client.get_organization("o1") for _ in range(5)), return_exceptions=True)
    assert all(isinstance(result, LogtoUnavailable) for result in results)
    asked = len(stand_in.calls)

    with pytest.raises(LogtoUnavailable):
        await client.get_organization("o1")

    assert len(stand_in.calls) == asked


async def test_refusals_never_open_the_circuit(client: ManagementClient, stand_in: StandIn) -> None:
    stand_in.replies = [replies({"code": "entity.not_found", "message": "No."}, 404)]
    for _ in range(10):
        with pytest.raises(ManagementError):
            await client.get_organization("o1")

    assert len(stand_in.calls) == 10


async def test_no_answer_in_time_is_logto_unavailable(open_client: OpenClient, stand_in: StandIn) -> None:
    async def never(_request: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    stand_in.replies = [never]

    with pytest.raises(LogtoUnavailable):
        async with asyncio.timeout(10):
            await open_client(0.3).get_organization("o1")


async def test_an_answer_that_is_no_json_is_logto_unavailable(
    client: ManagementClient, stand_in: StandIn
) -> None:
    stand_in.replies = [replies("<html>a proxy</html>")]

    with pytest.raises(LogtoUnavailable):
        await client.get_organization("o1")


async def test_a_text_answer_to_a_write_is_fine(client: ManagementClient, stand_in: StandIn) -> None:
    stand_in.replies = [replies("Created", 201)]

    await client.assign_roles("o1", "u1", ["admin"])

    assert stand_in.calls[0].path == "/api/organizations/o1/users/u1/roles"


async def test_assigning_no_role_asks_nothing_of_logto(client: ManagementClient, stand_in: StandIn) -> None:
    await client.assign_roles("o1", "u1", [])

    assert stand_in.calls == []


async def test_every_page_is_read(client: ManagementClient, stand_in: StandIn) -> None:
    async def page(request: web.Request) -> web.Response:
        first = (int(request.query["page"]) - 1) * int(request.query["page_size"])
        found = [{**ORGANIZATION, "id": f"o{n}"} for n in range(250)][first : first + 100]
        return web.json_response(found, headers={"Total-Number": "250"})

    stand_in.replies = [page]

    organizations = await client.list_organizations()

    assert [organization.id for organization in organizations] == [f"o{n}" for n in range(250)]
    assert [call.query["page_size"] for call in stand_in.calls] == ["100"] * 6  # once more: did it change?


class MovingList:
    """A list that is changed behind a page, as often as a test wants; ``newcomers`` fill the gap."""

    def __init__(
        self, length: int, *, changes: int, newcomers: bool = False, entry: dict[str, Any] = ORGANIZATION
    ) -> None:
        self.entry = entry
        self.ids = [f"o{number:04}" for number in range(length)]
        self.changes = changes
        self.newcomers = newcomers

    async def page(self, request: web.Request) -> web.Response:
        number, size = int(request.query["page"]), int(request.query["page_size"])
        found = [{**self.entry, "id": id_} for id_ in self.ids[(number - 1) * size : number * size]]
        total = len(self.ids)
        if number == 1 and self.changes:
            self.changes -= 1
            del self.ids[0]
            if self.newcomers:
                self.ids.append(f"p{self.changes:04}")
        return web.json_response(found, headers={"Total-Number": str(total)})


@pytest.mark.parametrize("newcomers", [False, True])
async def test_nobody_is_missed_when_an_earlier_one_goes_between_two_pages(
    client: ManagementClient, stand_in: StandIn, newcomers: bool
) -> None:
    moving = MovingList(250, changes=2, newcomers=newcomers)
    stand_in.replies = [moving.page]

    organizations = await client.list_organizations()

    assert [organization.id for organization in organizations] == moving.ids


async def test_the_truth_about_an_organization_misses_no_member_when_another_is_removed_meanwhile(
    client: ManagementClient, stand_in: StandIn
) -> None:
    members = MovingList(250, changes=1, entry={"id": "", "organizationRoles": []})
    stand_in.replies = [replies(ORGANIZATION), members.page]

    truth = await read_truth(client, "o1")

    assert sorted(truth.people) == members.ids


async def test_a_list_that_changes_during_every_reading_is_not_taken_for_whole(
    client: ManagementClient, stand_in: StandIn
) -> None:
    stand_in.replies = [MovingList(250, changes=100).page]

    with pytest.raises(LogtoUnavailable, match="changed each time"):
        await client.list_organizations()

    assert len(stand_in.calls) == 15  # five readings of three pages


async def test_a_list_of_one_page_is_read_once(client: ManagementClient, stand_in: StandIn) -> None:
    stand_in.replies = [MovingList(100, changes=0).page]

    await client.list_organizations()

    assert len(stand_in.calls) == 1


@pytest.mark.parametrize("value", ["..", "../users", "a/b", "a?b", "", "a b", "%2e%2e"])
async def test_what_is_no_id_is_not_found_and_never_sent(
    client: ManagementClient, stand_in: StandIn, value: str
) -> None:
    with pytest.raises(ManagementError) as caught:
        await client.delete_organization(value)

    assert caught.value.status == 404
    assert stand_in.calls == []
