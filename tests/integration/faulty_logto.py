"""A proxy in front of Logto's Management API that passes calls on, fails them, or loses the responses."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
from aiohttp import web

from tests.clients import Browser

DOWN: Final[dict[str, Any]] = {"status": 500, "body": {"message": "Internal server error."}}
LOST: Final[dict[str, Any]] = {**DOWN, "after": True}


@dataclass(frozen=True, slots=True)
class Fault:
    """How a kind of call fails. ``after``: Logto carries out the request, and only the response is lost.

    ``method`` and ``path`` are regular expressions: the method must match completely, the path anywhere.
    """

    method: str
    path: str
    status: int = 501
    body: dict[str, Any] = field(
        default_factory=lambda: {"code": "connector.not_found", "message": "Cannot find any connector."}
    )
    after: bool = False
    times: int = 1000


EVERY_CHANGE: Final = Fault("POST|PUT|PATCH|DELETE", "^/api/", **DOWN)


class Gate:
    """The proxy. ``before`` is called with the path of each request before it is passed on.

    ``traces`` holds the ``traceparent`` of each call, or "".
    """

    def __init__(self, upstream: str, http: aiohttp.ClientSession) -> None:
        self._upstream = upstream
        self._http = http
        self._faults: list[Fault] = []
        self._met: dict[int, int] = {}
        self.url = ""
        self.calls: list[str] = []
        self.traces: list[str] = []
        self.before: Callable[[str], Awaitable[None]] | None = None

    def fail(self, *faults: Fault) -> None:
        """Let these calls fail, and all others succeed, from now on."""
        self._faults = list(faults)
        self._met = {}

    async def answer(self, request: web.Request) -> web.Response:
        """Pass a request on, unless a fault says otherwise."""
        self.calls.append(f"{request.method} {request.path}")
        self.traces.append(request.headers.get("traceparent", ""))
        if self.before is not None:
            await self.before(request.path)
        fault = self._fault_of(request)
        if fault is not None and not fault.after:
            return web.json_response(fault.body, status=fault.status)
        answer = await self._pass_on(request)
        return answer if fault is None else web.json_response(fault.body, status=fault.status)

    async def _pass_on(self, request: web.Request) -> web.Response:
        names = ("Authorization", "Content-Type")
        headers = {name: request.headers[name] for name in names if name in request.headers}
        url, body = f"{self._upstream}{request.path_qs}", await request.read()
        async with self._http.request(request.method, url, data=body, headers=headers) as response:
            kept = {name: response.headers[name] for name in ("Total-Number",) if name in response.headers}
            return web.Response(
                body=await response.read(),
                status=response.status,
                content_type=response.content_type,
                headers=kept,
            )

    def _fault_of(self, request: web.Request) -> Fault | None:
        for position, fault in enumerate(self._faults):
            if re.fullmatch(fault.method, request.method) and re.search(fault.path, request.path):
                met = self._met[position] = self._met.get(position, 0) + 1
                return fault if met <= fault.times else None
        return None


@asynccontextmanager
async def running_gate(upstream: str) -> AsyncIterator[Gate]:
    """Run the proxy in front of a Management API, on a free port."""
    async with aiohttp.ClientSession(auto_decompress=True) as http:
        gate = Gate(upstream, http)
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", gate.answer)
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        gate.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield gate
        await runner.cleanup()


@dataclass(frozen=True, slots=True)
class Faulty:
    """An organization at a worker that reaches the Management API through a gate."""

    gate: Gate
    acme: Any  # an Office, with the methods that a folder's tests need
    open_browser: Callable[..., Awaitable[Browser]]
