"""A proxy in front of Logto that holds requests or responses back, and counts them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web
from local_logto.testing.connections import brief_connector


@dataclass
class Gate:
    """The proxy: which paths hang, and how often each was requested and carried out.

    Responses of ``silent`` paths are held back, although Logto carries out the request.
    """

    url: str = ""
    hanging: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    asked: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def hang(self, *paths: str) -> None:
        """From now on, hold these paths back and let all others through."""
        async with self.changed:
            self.hanging = set(paths)
            self.asked.clear()
            self.changed.notify_all()

    async def carry_out_without_answering(self, path: str) -> None:
        """Hold the response to this path back, and return once Logto has carried out a request to it."""
        async with self.changed:
            self.hanging.discard(path)
            self.silent.add(path)
            self.changed.notify_all()
            await self.changed.wait_for(lambda: self.done[path] > 0)

    async def answer(self, path: str) -> None:
        """Let the responses of a path through."""
        async with self.changed:
            self.silent.discard(path)
            self.changed.notify_all()

    async def pass_back(self, path: str) -> None:
        """Note that Logto has carried out a request, and wait while its response is held back."""
        async with self.changed:
            self.done[path] += 1
            self.changed.notify_all()
            await self.changed.wait_for(lambda: path not in self.silent)

    async def pass_through(self, path: str) -> None:
        """Note a request, and wait while its path is held back."""
        async with self.changed:
            self.asked[path] += 1
            self.changed.notify_all()
            await self.changed.wait_for(lambda: path not in self.hanging)

    async def wait_until_asked(self, path: str, times: int = 1) -> None:
        """Return once a path was requested this often."""
        async with self.changed:
            await self.changed.wait_for(lambda: self.asked[path] >= times)


@asynccontextmanager
async def hanging_logto(endpoint: str) -> AsyncIterator[Gate]:
    """Run the proxy. The discovery document leads to it, and the issuer stays the same."""
    gate = Gate()
    async with aiohttp.ClientSession(connector=brief_connector()) as http:

        async def answer(request: web.Request) -> web.Response:
            await gate.pass_through(request.path)
            names = ("Authorization", "Content-Type", "Accept")
            headers = {name: request.headers[name] for name in names if name in request.headers}
            async with http.request(
                request.method, f"{endpoint}{request.path_qs}", data=await request.read(), headers=headers
            ) as reply:
                body, status = await reply.read(), reply.status
            await gate.pass_back(request.path)
            if request.path.endswith("/openid-configuration"):
                for name in (b"token", b"jwks", b"me"):
                    body = body.replace(
                        f'"{endpoint}/oidc/'.encode() + name, f'"{gate.url}/oidc/'.encode() + name
                    )
            return web.Response(body=body, status=status, content_type=reply.content_type)

        server = web.Application()
        server.router.add_route("*", "/{path:.*}", answer)
        runner = web.AppRunner(server, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "localhost", 0).start()
        gate.url = f"http://localhost:{runner.addresses[0][1]}"
        try:
            yield gate
        finally:
            await gate.hang()
            for path in list(gate.silent):
                await gate.answer(path)
            await runner.cleanup()
