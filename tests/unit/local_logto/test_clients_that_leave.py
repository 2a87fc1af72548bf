"""A client that hangs up takes nothing along: what it asked for is done, and nobody else waits."""

from __future__ import annotations

import asyncio
import json
import secrets
from urllib.parse import urlsplit

import aiohttp

from saas_app.logto import ManagementClient
from tests.processes import Provider


async def machine_token(provider: Provider) -> str:
    form = {
        "grant_type": "client_credentials",
        "resource": "https://default.logto.app/api",
        "scope": "all",
        "client_id": provider.management_app_id,
        "client_secret": provider.management_app_secret,
    }
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{provider.endpoint}/oidc/token", data=form) as answer,
    ):
        return str((await answer.json())["access_token"])


async def count_named(management: ManagementClient, mark: str) -> int:
    return sum(mark in found.name for found in await management.list_organizations())


async def test_what_a_client_asked_for_before_it_left_is_done(
    provider: Provider, management: ManagementClient
) -> None:
    token, mark = await machine_token(provider), secrets.token_hex(6)
    parts = urlsplit(provider.endpoint)

    async def ask_and_leave(number: int) -> None:
        body = json.dumps({"name": f"{mark} {number}"})
        head = (
            f"POST /api/organizations HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        _, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.write((head + body).encode())
        await writer.drain()
        await asyncio.sleep(0.02 + number * 0.003)
        writer.transport.abort()

    await asyncio.gather(*(ask_and_leave(number) for number in range(20)))

    async with asyncio.timeout(20):
        await management.create_organization(f"{mark} afterwards")
        while await count_named(management, mark) < 21:  # noqa: ASYNC110 - no event tells of them
            await asyncio.sleep(0.1)


async def test_a_client_that_leaves_within_its_body_asked_for_nothing(
    provider: Provider, management: ManagementClient
) -> None:
    token, mark = await machine_token(provider), secrets.token_hex(6)
    parts = urlsplit(provider.endpoint)
    body = json.dumps({"name": mark})
    head = (
        f"POST /api/organizations HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body) + 100}\r\n\r\n"
    )
    _, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write((head + body).encode())
    await writer.drain()
    await asyncio.sleep(0.2)
    writer.transport.abort()

    await management.create_organization(f"{mark} afterwards")
    assert await count_named(management, mark) == 1
