"""A server on a free port in this process, and a client that sends raw bytes."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn
from quart import Quart, request

from saas_app.http_server import Bounds
from saas_app.http_server.protocol import bounded


def with_bounds(**bounds: Any) -> pytest.MarkDecorator:
    """Run the test's server with these bounds."""
    name = " ".join(f"{bound}={value}" for bound, value in bounds.items())
    return pytest.mark.parametrize("bounds", [Bounds(**bounds)], ids=[name])


PATIENCE = 20.0  # seconds; only a broken server needs them
END = b"\r\n\r\n"


@dataclass
class Site:
    """A running server, and the requests that its application received."""

    port: int
    server: uvicorn.Server
    paths: list[str] = field(default_factory=list)
    bodies: list[int] = field(default_factory=list)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    clients: list[Client] = field(default_factory=list)

    async def connect(self) -> Client:
        client = Client(*await asyncio.open_connection("127.0.0.1", self.port))
        self.clients.append(client)
        return client

    async def hang_up(self) -> None:
        """Close all clients' connections."""
        for client in self.clients:
            client.writer.transport.abort()
            with contextlib.suppress(ConnectionError):
                await client.writer.wait_closed()


@dataclass
class Client:
    """One connection to the server."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def everything(self) -> bytes:
        """Return all bytes until the server closes the connection."""
        async with asyncio.timeout(PATIENCE):
            return await self.reader.read()

    async def answer(self) -> bytes:
        """Return one response that has a Content-Length."""
        async with asyncio.timeout(PATIENCE):
            head = await self.reader.readuntil(END)
            size = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
            return head + await self.reader.readexactly(size)


@contextlib.asynccontextmanager
async def running_site(bounds: Bounds) -> AsyncIterator[Site]:
    """Run the server with a Quart application that records what it received, until the block ends.

    Idle connections are kept for a minute: a connection that closes sooner was closed by ``bounds``.
    """
    app = Quart(__name__)
    app.config["MAX_CONTENT_LENGTH"] = 100_000
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            http=bounded(bounds),
            ws="none",
            access_log=False,
            log_config=None,
            timeout_keep_alive=60,
        )
    )
    site = Site(listener.getsockname()[1], server)

    @app.route("/", methods=["GET", "POST"])
    async def root() -> str:
        site.paths.append(request.full_path)
        try:
            body = await request.get_data()
        except asyncio.CancelledError:
            site.cancelled.set()
            raise
        site.bodies.append(len(body))
        return f"{len(body)} bytes"

    @app.post("/unread")
    async def unread() -> str:
        return "not read"

    @app.get("/large")
    async def large() -> bytes:
        return bytes(50_000_000)

    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await until(lambda: server.started)
        yield site
    finally:
        await site.hang_up()
        server.should_exit = True
        server.force_exit = True
        await serving


async def until(condition: Any) -> None:
    """Wait until a condition is true."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - the server sets no event
            await asyncio.sleep(0.02)
