"""After SIGTERM, a server goes on serving while load balancers notice, and then finishes open requests."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.databases import Database
from tests.processes import Application, Provider, running_application
from tests.remote import eventually

pytestmark = [
    pytest.mark.one_database,
    pytest.mark.skipif(sys.platform != "linux", reason="elsewhere, the server does not drain"),
]

_LONG = "60"  # seconds; a second signal ends the drain
_SHORT = "0.1"


@pytest.fixture
async def draining(provider: Provider, database: Database, tmp_path: Path) -> AsyncIterator[Application]:
    """A server of one process that was told to stop, and drains."""
    with running_application(provider, database, tmp_path, APP_DRAIN_SECONDS=_LONG) as application:
        os.kill(application.pid, signal.SIGTERM)
        await eventually(lambda: _is_not_ready(application), "/readyz answers 503")
        yield application
        os.kill(application.pid, signal.SIGTERM)


async def _is_not_ready(application: Application) -> bool:
    async with aiohttp.request("GET", f"{application.url}/readyz") as response:
        return response.status == 503 and (await response.json()) == {"status": "draining"}


async def _is_closed(application: Application) -> bool:
    try:
        _, writer = await _connect(application)
    except ConnectionRefusedError:
        return True
    writer.transport.abort()
    return False


async def _connect(application: Application) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", int(application.url.rpartition(":")[2]))


async def test_a_draining_server_serves_and_closes_each_connection_with_its_response(
    draining: Application,
) -> None:
    async with aiohttp.request("GET", f"{draining.url}/healthz") as response:
        assert response.status == 200
        assert response.headers["Connection"] == "close"


async def test_a_second_signal_ends_the_drain(draining: Application) -> None:
    os.kill(draining.pid, signal.SIGTERM)

    await eventually(lambda: _is_closed(draining), "the listener is closed")


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_request_that_has_begun_is_answered_after_the_listener_was_closed(
    provider: Provider, database: Database, tmp_path: Path, workers: int
) -> None:
    with running_application(
        provider, database, tmp_path, workers=workers, APP_DRAIN_SECONDS=_SHORT
    ) as application:
        reader, writer = await _connect(application)
        writer.write(b"POST /sign-out HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nab")
        os.kill(application.pid, signal.SIGTERM)
        await eventually(lambda: _is_closed(application), "the listener is closed")
        writer.write(b"cd")

        assert (await reader.readline()).startswith(b"HTTP/1.1 ")
        writer.close()
