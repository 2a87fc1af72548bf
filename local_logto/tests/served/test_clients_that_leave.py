"""Clients that hang up: their complete requests are processed, and other clients do not wait."""

from __future__ import annotations

import asyncio
import json
import secrets
from urllib.parse import urlsplit

from contract.management import ManagementApi
from local_logto.testing import Provider


async def count_named(api: ManagementApi, mark: str) -> int:
    """Return how many organizations carry the mark in their names."""
    found = (await api.get("/organizations", q=mark, page_size="100")).expect(200).body
    return len(found)


async def test_request_is_completed_although_its_client_left(
    local_logto: Provider, api: ManagementApi
) -> None:
    mark = secrets.token_hex(6)
    parts = urlsplit(local_logto.endpoint)

    async def ask_and_leave(number: int) -> None:
        body = json.dumps({"name": f"{mark} {number}"})
        head = (
            f"POST /api/organizations HTTP/1.1\r\nHost: {parts.netloc}\r\n"
            f"Authorization: Bearer {api.token}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        _, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.write((head + body).encode())
        await writer.drain()
        await asyncio.sleep(0.02 + number * 0.003)
        writer.transport.abort()

    await asyncio.gather(*(ask_and_leave(number) for number in range(20)))

    async with asyncio.timeout(20):
        (await api.post("/organizations", {"name": f"{mark} afterwards"})).expect(201)
        while await count_named(api, mark) < 21:  # noqa: ASYNC110 - no event tells of them
            await asyncio.sleep(0.1)


async def test_request_with_an_incomplete_body_does_nothing(
    local_logto: Provider, api: ManagementApi
) -> None:
    mark = secrets.token_hex(6)
    parts = urlsplit(local_logto.endpoint)
    body = json.dumps({"name": mark})
    head = (
        f"POST /api/organizations HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {api.token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body) + 100}\r\n\r\n"
    )
    _, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write((head + body).encode())
    await writer.drain()
    await asyncio.sleep(0.2)
    writer.transport.abort()

    (await api.post("/organizations", {"name": f"{mark} afterwards"})).expect(201)
    assert await count_named(api, mark) == 1
