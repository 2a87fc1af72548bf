"""The fake GatewayAPI, compared with GatewayAPI's documentation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from local_logto.fakes.gatewayapi import API_TOKEN, FakeGatewayApi, fake_gatewayapi

MESSAGE: dict[str, Any] = {
    "sender": "Workroom",
    "message": "Your code is 123456",
    "recipients": [{"msisdn": "4512345678"}],
}


@pytest.fixture
async def gatewayapi() -> AsyncIterator[FakeGatewayApi]:
    async with fake_gatewayapi() as running:
        yield running


async def send(
    gatewayapi: FakeGatewayApi, message: Any, *, token: str = API_TOKEN, password: str = ""
) -> tuple[int, dict[str, Any]]:
    body = {"data": message} if isinstance(message, str) else {"json": message}
    async with (
        aiohttp.ClientSession(
            headers={"Authorization": aiohttp.encode_basic_auth(token, password)}
        ) as client,
        client.post(gatewayapi.endpoint, **body) as answer,
    ):
        return answer.status, await answer.json()


async def test_message_is_accepted_and_stored_unchanged(gatewayapi: FakeGatewayApi) -> None:
    status, answer = await send(gatewayapi, MESSAGE)

    assert status == 200
    assert [type(one) for one in answer["ids"]] == [int]
    assert answer["usage"]["countries"] == {"DK": 1}
    received = await gatewayapi.next_message(to="4512345678")
    assert (received.method, received.target) == ("POST", "/rest/mtsms")
    assert received.credentials == (API_TOKEN, "")
    assert received.json == MESSAGE


async def test_code_is_read_by_its_number(gatewayapi: FakeGatewayApi) -> None:
    await send(gatewayapi, {**MESSAGE, "message": "654321", "recipients": [{"msisdn": 4587654321}]})
    await send(gatewayapi, MESSAGE)

    assert await gatewayapi.next_code("4512345678") == "123456"
    assert await gatewayapi.next_code("4587654321") == "654321"


@pytest.mark.parametrize(("token", "password"), [("wrong", ""), (API_TOKEN, "a password")])
async def test_wrong_token_is_refused(gatewayapi: FakeGatewayApi, token: str, password: str) -> None:
    status, answer = await send(gatewayapi, MESSAGE, token=token, password=password)

    assert (status, answer["code"], answer["message"]) == (401, "0x0229", "Invalid token")
    assert set(answer) == {"code", "incident_uuid", "message"}


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"recipients": [{"msisdn": "+4512345678"}]}, "msisdn +4512345678"),
        ({"recipients": [{"msisdn": "12"}]}, "msisdn 12"),
        ({"recipients": []}, "recipients"),
        ({"message": ""}, "message"),
        ({"sender": "Workroom and more"}, "sender Workroom and more"),
    ],
)
async def test_invalid_argument_is_named(
    gatewayapi: FakeGatewayApi, change: dict[str, Any], wrong: str
) -> None:
    status, answer = await send(gatewayapi, {**MESSAGE, **change})

    assert (status, answer["code"], answer["variables"]) == (422, "0x0308", [wrong])


async def test_body_that_is_not_json_is_refused(gatewayapi: FakeGatewayApi) -> None:
    assert (await send(gatewayapi, "{"))[0] == 400


async def test_message_without_credit_is_refused() -> None:
    async with fake_gatewayapi(credit=1) as gatewayapi:
        assert (await send(gatewayapi, MESSAGE))[0] == 200
        status, answer = await send(gatewayapi, MESSAGE)

    assert (status, answer["code"], answer["message"]) == (403, "0x0216", "Insufficient credit")
