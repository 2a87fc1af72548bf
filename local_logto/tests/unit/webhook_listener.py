"""An HTTP server on this machine that webhooks are sent to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass
class Listener:
    """An address that webhooks are sent to; it answers ``status``."""

    url: str = ""
    status: int = 200
    deliveries: asyncio.Queue[tuple[Mapping[str, str], bytes]] = field(default_factory=asyncio.Queue)

    async def receive(self, request: web.Request) -> web.Response:
        await self.deliveries.put((request.headers, await request.read()))
        return web.Response(status=self.status, text="as told")

    async def next(self) -> dict[str, Any]:
        """The body of the next delivery, which must come within seconds."""
        async with asyncio.timeout(10):
            _, content = await self.deliveries.get()
        body: dict[str, Any] = json.loads(content)
        return body


@asynccontextmanager
async def listening() -> AsyncIterator[Listener]:
    """Listen on a free port for the time of the block."""
    listener = Listener()
    application = web.Application()
    application.router.add_post("/hook", listener.receive)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    listener.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield listener
    finally:
        await runner.cleanup()
