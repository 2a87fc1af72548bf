"""Management API calls over real HTTP: one machine token, retries, typed errors, a circuit breaker."""

from __future__ import annotations

import asyncio
import base64

import pytest
from tenacity import wait_fixed

from saas_app.errors import LogtoUnavailable
from saas_app.logto import ManagementClient, ManagementError, explained
from saas_app.logto import transport as transport_module
from tests.unit.clock import Clock
from tests.unit.logto.management_stand_in import ORGANIZATION, OpenClient, StandIn, never, replies


async def test_the_machine_token_is_requested_with_basic_authentication_and_scope_all(
    client: ManagementClient, stand_in: StandIn
) -> None:
    stand_in.replies = [replies(ORGANIZATION)]

    await client.get_organization("o1")

    (request,) = stand_in.token_requests
    assert request["grant_type"] == "client_credentials"
    assert request["scope"] == "all"
    assert request["resource"] == "https://default.logto.app/api"
    assert base64.b64decode(request["authorization"].removeprefix("Basic ")) == b"machine:s%3Ae%2Bc%2Fr"
    assert stand_in.bearers == ["Bearer token-1"]


async def test_fifty_concurrent_calls_request_one_token(client: ManagementClient, stand_in: StandIn) -> None:
    stand_in.replies = [replies(ORGANIZATION)]

    await asyncio.gather(*(client.get_organization("o1") for _ in range(50)))

    assert len(stand_in.token_requests) == 1


async def test_a_token_is_replaced_before_it_expires(client: ManagementClient, stand_in: StandIn) -> None:
    stand_in.replies = [replies(ORGANIZATION)]
    stand_in.lifetime = 0

    await client.get_organization("o1")
    await client.get_organization("o1")

    assert stand_in.bearers == ["Bearer token-1", "Bearer token-2"]


UNAUTHORIZED = replies({"code": "auth.unauthorized", "message": "Unauthorized."}, 401)


async def test_a_rejected_token_is_replaced(client: ManagementClient, stand_in: StandIn) -> None:
    stand_in.replies = [UNAUTHORIZED, replies(ORGANIZATION)]

    assert (await client.get_organization("o1")).name == "Acme"
    assert stand_in.bearers == ["Bearer token-1", "Bearer token-2"]


async def test_a_second_rejection_is_an_error(client: ManagementClient, stand_in: StandIn) -> None:
    stand_in.replies = [UNAUTHORIZED]

    with pytest.raises(ManagementError) as caught:
        await client.get_organization("o1")

    assert caught.value.status == 401
    assert stand_in.bearers == ["Bearer token-1", "Bearer token-2"]


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


async def test_a_failed_read_is_retried(client: ManagementClient, stand_in: StandIn) -> None:
    failure = replies({"message": "Internal server error."}, 500)
    stand_in.replies = [failure, failure, replies(ORGANIZATION)]

    assert (await client.get_organization("o1")).id == "o1"
    assert len(stand_in.calls) == 3


async def test_a_failed_creation_is_not_retried(client: ManagementClient, stand_in: StandIn) -> None:
    stand_in.replies = [replies({"message": "Internal server error."}, 500)]

    with pytest.raises(LogtoUnavailable):
        await client.create_organization("Acme")

    assert len(stand_in.calls) == 1


async def test_adding_members_is_retried_because_it_is_idempotent(
    client: ManagementClient, stand_in: StandIn
) -> None:
    stand_in.replies = [replies({"message": "Internal server error."}, 502), replies({"userIds": ["u"]}, 201)]

    await client.add_members("o1", ["u"])

    assert len(stand_in.calls) == 2


GONE = replies({"code": "entity.not_found", "message": "The resource does not exist."}, 404)


async def test_a_404_after_a_retried_deletion_counts_as_deleted(
    client: ManagementClient, stand_in: StandIn
) -> None:
    stand_in.replies = [replies({"message": "Internal server error."}, 500), GONE]

    await client.delete_organization("o1")


async def test_a_404_at_the_first_attempt_of_a_deletion_is_an_error(
    client: ManagementClient, stand_in: StandIn
) -> None:
    stand_in.replies = [GONE]

    with pytest.raises(ManagementError):
        await client.delete_organization("o1")


async def test_a_rate_limited_read_is_retried_after_the_time_that_logto_names(
    client: ManagementClient, stand_in: StandIn
) -> None:
    refusal = replies({"code": "request.rate_limited", "message": "Slow down."}, 429, **{"Retry-After": "0"})
    stand_in.replies = [refusal, replies(ORGANIZATION)]

    assert (await client.get_organization("o1")).id == "o1"
    assert len(stand_in.calls) == 2


async def test_a_long_retry_after_is_passed_on_instead_of_waited_for(
    client: ManagementClient, stand_in: StandIn
) -> None:
    body = {"code": "request.rate_limited", "message": "Slow down."}
    stand_in.replies = [replies(body, 429, **{"Retry-After": "90"})]

    with pytest.raises(ManagementError) as caught:
        await client.get_organization("o1")

    assert len(stand_in.calls) == 1
    assert explained(caught.value).retry_after == 90


async def test_a_rate_limited_creation_is_not_retried(client: ManagementClient, stand_in: StandIn) -> None:
    stand_in.replies = [replies({"code": "request.message_rate_limited", "message": "Too many."}, 429)]

    with pytest.raises(ManagementError):
        await client.create_organization("Acme")

    assert len(stand_in.calls) == 1


async def test_a_500_with_a_code_is_logto_unavailable(client: ManagementClient, stand_in: StandIn) -> None:
    stand_in.replies = [replies({"code": "database.timeout", "message": "Internal."}, 500)]

    with pytest.raises(LogtoUnavailable):
        await client.create_organization("Acme")


async def test_a_501_is_a_refusal(client: ManagementClient, stand_in: StandIn) -> None:
    stand_in.replies = [replies({"code": "connector.not_found", "message": "No connector."}, 501)]

    with pytest.raises(ManagementError) as caught:
        await client.create_organization("Acme")

    assert caught.value.status == 501


@pytest.fixture
def clock(client: ManagementClient, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the client's circuit breaker."""
    clock = Clock()
    monkeypatch.setattr(client._transport._circuit, "_clock", clock)
    return clock


@pytest.fixture
async def _logto_is_down(client: ManagementClient, stand_in: StandIn, clock: Clock) -> None:
    """Logto fails until the circuit is open."""
    stand_in.replies = [replies("down", 503)]
    for _ in range(5):
        with pytest.raises(LogtoUnavailable):
            await client.get_organization("o1")
    assert len(stand_in.calls) == 5  # two calls with three attempts: the fifth failure opened the circuit


@pytest.mark.usefixtures("_logto_is_down")
async def test_while_the_circuit_is_open_calls_fail_without_reaching_logto(
    client: ManagementClient, stand_in: StandIn
) -> None:
    with pytest.raises(LogtoUnavailable) as refused:
        await client.get_organization("o1")

    assert refused.value.retry_after == 10
    assert len(stand_in.calls) == 5


@pytest.mark.usefixtures("_logto_is_down")
async def test_a_successful_probe_after_the_pause_closes_the_circuit(
    client: ManagementClient, stand_in: StandIn, clock: Clock
) -> None:
    clock.now += 10
    stand_in.replies = [replies(ORGANIZATION)]

    assert (await client.get_organization("o1")).id == "o1"
    await client.get_organization("o1")


async def test_a_call_is_not_retried_once_the_circuit_is_open(
    client: ManagementClient, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in.replies = [replies("down", 503)]
    for _ in range(2):
        with pytest.raises(LogtoUnavailable):
            await client.get_organization("o1")
    monkeypatch.setattr(transport_module, "_BACKOFF", wait_fixed(60))

    async with asyncio.timeout(5):
        with pytest.raises(LogtoUnavailable):
            await client.get_organization("o1")


async def test_hanging_calls_open_the_circuit_too(open_client: OpenClient, stand_in: StandIn) -> None:
    client = open_client(0.3)
    stand_in.replies = [never]
    results = await asyncio.gather(*(client.get_organization("o1") for _ in range(5)), return_exceptions=True)
    assert all(isinstance(result, LogtoUnavailable) for result in results)
    calls = len(stand_in.calls)

    with pytest.raises(LogtoUnavailable):
        await client.get_organization("o1")

    assert len(stand_in.calls) == calls


async def _hang(client: ManagementClient, stand_in: StandIn) -> None:
    """Let the provider of a connector hang, so that Logto does not respond to calls that ask it."""
    stand_in.replies = [never]
    calls = (*[lambda: client.find_sso_connector("c1")] * 4, lambda: client.set_sso_domains("c1", []))
    results = await asyncio.gather(*(call() for call in calls), return_exceptions=True)
    assert all(isinstance(result, LogtoUnavailable) for result in results)
    stand_in.replies = [replies(ORGANIZATION)]


async def test_a_provider_that_hangs_does_not_pause_other_calls(
    open_client: OpenClient, stand_in: StandIn
) -> None:
    client = open_client(0.3)
    await _hang(client, stand_in)

    assert (await client.get_organization("o1")).id == "o1"
    await client.delete_sso_connector("c1")


async def test_a_provider_that_hangs_pauses_the_calls_that_ask_it(
    open_client: OpenClient, stand_in: StandIn
) -> None:
    client = open_client(0.3)
    await _hang(client, stand_in)
    calls = len(stand_in.calls)

    with pytest.raises(LogtoUnavailable) as refused:
        await client.find_sso_connector("c1")

    assert refused.value.retry_after is not None
    assert len(stand_in.calls) == calls


async def test_a_provider_that_hangs_does_not_pause_the_calls_for_another(
    open_client: OpenClient, stand_in: StandIn
) -> None:
    client = open_client(0.3)
    await _hang(client, stand_in)
    stand_in.replies = [replies({"id": "c2", "connectorName": "Operator"})]

    found = await client.find_sso_connector("c2")

    assert found is not None
    assert found.name == "Operator"


@pytest.mark.usefixtures("_logto_is_down")
async def test_an_outage_does_not_pause_the_calls_that_ask_providers(
    client: ManagementClient, stand_in: StandIn
) -> None:
    stand_in.replies = [replies([])]

    assert await client.list_sso_connectors() == []


async def test_refusals_never_open_the_circuit(client: ManagementClient, stand_in: StandIn) -> None:
    stand_in.replies = [replies({"code": "entity.not_found", "message": "No."}, 404)]
    for _ in range(10):
        with pytest.raises(ManagementError):
            await client.get_organization("o1")

    assert len(stand_in.calls) == 10


async def test_a_timeout_is_logto_unavailable(open_client: OpenClient, stand_in: StandIn) -> None:
    stand_in.replies = [never]

    with pytest.raises(LogtoUnavailable):
        async with asyncio.timeout(10):
            await open_client(0.3).get_organization("o1")


async def test_a_response_that_is_not_json_is_logto_unavailable(
    client: ManagementClient, stand_in: StandIn
) -> None:
    stand_in.replies = [replies("<html>a proxy</html>")]

    with pytest.raises(LogtoUnavailable):
        await client.get_organization("o1")


async def test_a_text_response_to_a_write_is_accepted(client: ManagementClient, stand_in: StandIn) -> None:
    stand_in.replies = [replies("Created", 201)]

    await client.assign_roles("o1", "u1", ["admin"])

    assert stand_in.calls[0].path == "/api/organizations/o1/users/u1/roles"


async def test_assigning_no_roles_makes_no_call(client: ManagementClient, stand_in: StandIn) -> None:
    await client.assign_roles("o1", "u1", [])

    assert stand_in.calls == []


@pytest.mark.parametrize("value", ["..", "../users", "a/b", "a?b", "", "a b", "%2e%2e"])
async def test_a_value_that_is_not_an_id_is_not_found_and_never_sent(
    client: ManagementClient, stand_in: StandIn, value: str
) -> None:
    with pytest.raises(ManagementError) as caught:
        await client.delete_organization(value)

    assert caught.value.status == 404
    assert stand_in.calls == []
