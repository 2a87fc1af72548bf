"""A network between the application and its database that can lose connections silently."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import sqlalchemy as sa


class Network:
    """A network that passes bytes on in both directions until a test makes it drop them."""

    def __init__(self, target: sa.URL | None) -> None:
        self._target = target
        self._swallowing: list[asyncio.Event] = []
        self.port = 0

    def drop_open_connections(self) -> None:
        """Drop everything sent over the open connections. New ones work."""
        for event in self._swallowing:
            event.set()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Connect a client to the database."""
        if self._target is None:
            writer.close()
            return
        swallows = asyncio.Event()
        self._swallowing.append(swallows)
        there = await asyncio.open_connection(self._target.host or "127.0.0.1", self._target.port or 5432)
        await asyncio.gather(
            self._pass_on(reader, there[1], swallows), self._pass_on(there[0], writer, swallows)
        )

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, swallows: asyncio.Event
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if not swallows.is_set():
                    writer.write(data)
                    await writer.drain()
        writer.close()


@asynccontextmanager
async def open_network(target: sa.URL | None) -> AsyncIterator[Network]:
    """Run a network that leads to ``target``. Without a target it closes every connection."""
    network = Network(target)
    server = await asyncio.start_server(network.accept, "127.0.0.1", 0)
    network.port = server.sockets[0].getsockname()[1]
    async with server:
        yield network
