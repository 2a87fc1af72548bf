"""An HTTP server on this machine that stores what a Logto sends to it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import pytest
from aiohttp import web

DELIVERY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request that arrived."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode()))

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(slots=True)
class Listener:
    """An address and the requests that arrived. ``must_be_heard``: the server can certainly reach it."""

    address: str
    must_be_heard: bool
    _arrived: asyncio.Queue[Delivery] = field(default_factory=asyncio.Queue)

    async def keep(self, delivery: Delivery) -> None:
        self.must_be_heard = True
        await self._arrived.put(delivery)

    async def next_delivery(self) -> Delivery:
        """Return the next request. Without one, raise TimeoutError, or skip if it may not reach us."""
        try:
            return await asyncio.wait_for(self._arrived.get(), DELIVERY_SECONDS)
        except TimeoutError:
            if self.must_be_heard:
                raise
            pytest.skip("the named Logto cannot reach this machine, or sends nothing to private addresses")


@asynccontextmanager
async def listening(*, must_be_heard: bool) -> AsyncIterator[Listener]:
    """Listen on a free port of the loopback interface until the end of the block."""
    listener = Listener("", must_be_heard)

    async def receive(request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        await listener.keep(Delivery(request.path, headers, await request.read()))
        return web.Response()

    app = web.Application()
    app.router.add_post("/{path:.*}", receive)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)  # late deliveries are dropped
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        _, port = runner.addresses[0][:2]
        listener.address = f"http://127.0.0.1:{port}"
        yield listener
    finally:
        await runner.cleanup()
