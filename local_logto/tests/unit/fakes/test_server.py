"""Failures that every fake provider can simulate."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest

from local_logto.fakes.naver import FakeNaver, fake_naver

PROFILE = "/v1/nid/me"


@pytest.fixture
async def provider() -> AsyncIterator[FakeNaver]:
    async with fake_naver() as running:
        yield running


@pytest.fixture
async def client(provider: FakeNaver) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(provider.base_url) as opened:
        yield opened


async def test_refusal_lasts_until_the_provider_behaves(
    provider: FakeNaver, client: aiohttp.ClientSession
) -> None:
    provider.refuse(500, {"message": "Internal"})
    async with client.get(PROFILE) as answer:
        assert (answer.status, await answer.json()) == (500, {"message": "Internal"})

    provider.behave()
    async with client.get(PROFILE) as answer:
        assert answer.status == 401


async def test_failure_can_be_limited_to_one_path(provider: FakeNaver, client: aiohttp.ClientSession) -> None:
    provider.refuse(503, path="/oauth2.0/token")

    async with client.get(PROFILE) as answer:
        assert answer.status == 401


async def test_malformed_json_can_be_simulated(provider: FakeNaver, client: aiohttp.ClientSession) -> None:
    provider.answer_malformed()
    async with client.get(PROFILE) as answer:
        assert (answer.status, answer.content_type) == (200, "application/json")
        with pytest.raises(json.JSONDecodeError):
            await answer.json()


async def test_slow_provider_replies_when_it_is_released(
    provider: FakeNaver, client: aiohttp.ClientSession
) -> None:
    provider.answer_slowly()
    waiting = asyncio.ensure_future(client.get(PROFILE))
    await provider.next_request()
    assert not waiting.done()

    provider.behave()
    async with await waiting as answer:
        assert answer.status == 503


async def test_dropped_connection_can_be_simulated(
    provider: FakeNaver, client: aiohttp.ClientSession
) -> None:
    provider.drop_connections()
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await client.get(PROFILE)
    assert provider.received[-1].path == PROFILE


async def test_redirect_can_be_simulated(provider: FakeNaver, client: aiohttp.ClientSession) -> None:
    provider.redirect("http://169.254.169.254/latest", 307)
    async with client.get(PROFILE, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (307, "http://169.254.169.254/latest")


async def test_provider_that_is_switched_off_accepts_no_connection_until_it_is_on(
    provider: FakeNaver, client: aiohttp.ClientSession
) -> None:
    await provider.switch_off()
    await provider.switch_off()
    with pytest.raises(aiohttp.ClientConnectorError):
        await client.get(PROFILE)
    assert provider.received == []

    await provider.switch_on()
    await provider.switch_on()
    async with client.get(PROFILE) as answer:
        assert answer.status == 401


async def test_open_connection_to_a_provider_that_is_switched_off_is_closed(
    provider: FakeNaver, client: aiohttp.ClientSession
) -> None:
    async with client.get(PROFILE) as answer:
        assert answer.status == 401

    await provider.switch_off()
    with pytest.raises((aiohttp.ServerDisconnectedError, aiohttp.ClientConnectorError)):
        await client.get(PROFILE)
