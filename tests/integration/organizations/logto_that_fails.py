"""A Logto whose Management API answers every change with 500: it reads from the real one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web


@asynccontextmanager
async def failing_management_api(endpoint: str) -> AsyncIterator[str]:
    """The address of a server before ``endpoint`` that passes on what reads, and fails what changes."""
    async with aiohttp.ClientSession() as http:

        async def answer(request: web.Request) -> web.Response:
            if request.method != "GET" and request.path.startswith("/api/"):
                return web.json_response({"message": "Internal server error."}, status=500)
            headers = {
                name: request.headers[name]
                for name in ("Authorization", "Content-Type")
                if name in request.headers
            }
            async with http.request(
                request.method, f"{endpoint}{request.path_qs}", data=await request.read(), headers=headers
            ) as reply:
                return web.Response(
                    body=await reply.read(), status=reply.status, content_type=reply.content_type
                )

        server = web.Application()
        server.router.add_route("*", "/{path:.*}", answer)
        runner = web.AppRunner(server)
        await runner.setup()
        site = web.TCPSite(runner, "localhost", 0)
        await site.start()
        try:
            port = runner.addresses[0][1]
            yield f"http://localhost:{port}"
        finally:
            await runner.cleanup()
