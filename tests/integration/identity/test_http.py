"""A call that cannot be repeated is never sent on a connection that the other side is about to close."""

from __future__ import annotations

import asyncio
import time

import pytest

from saas_app.logto.http import open_http

pytestmark = pytest.mark.one_database


async def test_a_connection_idle_for_as_long_as_logto_allows_is_not_reused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while await reader.readline():  # the request line, or the end
            while (await reader.readline()) not in (b"\r\n", b""):
                pass
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with server, open_http(5) as http:
        for _ in range(2):
            async with http.post(url) as response:
                assert response.status == 204
        assert connections == 1

        later = time.monotonic() + 4.9
        monkeypatch.setattr("aiohttp.connector.monotonic", lambda: later)
        async with http.post(url) as response:
            assert response.status == 204
        assert connections == 2
