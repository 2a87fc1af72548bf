"""An HTTP server on this machine that receives webhooks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from local_logto.store import Store, new_id, now_ms
from local_logto.webhooks import hooks


@dataclass
class Listener:
    """An address that receives webhooks and replies with ``status``."""

    url: str = ""
    status: int = 200
    deliveries: asyncio.Queue[tuple[Mapping[str, str], bytes]] = field(default_factory=asyncio.Queue)

    async def receive(self, request: web.Request) -> web.Response:
        await self.deliveries.put((request.headers, await request.read()))
        return web.Response(status=self.status, text="as told")

    async def next(self) -> dict[str, Any]:
        """Return the body of the next delivery. Raises TimeoutError after ten seconds without one."""
        async with asyncio.timeout(10):
            _, content = await self.deliveries.get()
        body: dict[str, Any] = json.loads(content)
        return body

    async def receive_all(self, *events: str) -> dict[str, dict[str, Any]]:
        """Return the next deliveries by event. They must be of exactly these events, in any order."""
        bodies = [await self.next() for _ in events]
        assert sorted(body["event"] for body in bodies) == sorted(events)
        return {body["event"]: body for body in bodies}

    async def register(self, store: Store, *events: str) -> None:
        """Register a webhook of these events that is sent to this listener."""
        hook = {"id": new_id(), "name": "all", "events": list(events), "config": {"url": self.url}}
        hook |= {"signing_key": "key", "enabled": True, "created_at": now_ms()}
        with store.begin() as connection:
            connection.execute(hooks.insert().values(**hook))


@asynccontextmanager
async def listening() -> AsyncIterator[Listener]:
    """Listen on a free port until the end of the block."""
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
