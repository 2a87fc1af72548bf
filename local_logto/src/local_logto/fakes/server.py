"""The base of all fake providers: a local server that records requests and can be made to fail.

A fake runs in the test's event loop. A test controls it with plain attributes and methods, and waits for
requests by event, not by time.
"""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

from aiohttp import web

ARRIVAL_SECONDS = 10.0
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it arrived: ``target`` is the undecoded path and query, ``body`` the bytes."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def form(self) -> dict[str, str]:
        """The fields of a form body. The last of repeated fields wins."""
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def header(self, name: str) -> str:
        """Return the value of a header, ignoring case, or an empty string."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    @property
    def credentials(self) -> tuple[str, str] | None:
        """User and password of HTTP Basic authentication, or None without a valid pair."""
        scheme, _, encoded = self.header("authorization").partition(" ")
        try:
            user, colon, password = b64decode(encoded, validate=True).decode().partition(":")
        except ValueError:
            return None
        return (user, password) if scheme.lower() == "basic" and colon else None


RECEIVED = web.RequestKey("received", Received)


class FakeProvider:
    """A provider's server. Subclasses add the routes; this class records requests and simulates failures."""

    base_url: str

    def __init__(self) -> None:
        self.received: list[Received] = []
        self._taken: set[int] = set()
        self._arrival = asyncio.Condition()
        self._mood: tuple[Answer, str] | None = None
        self._released = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None
        self._port = 0

    # --- received requests

    async def next_request(self, matching: Callable[[Received], bool] = lambda _: True) -> Received:
        """Return the earliest matching request that was not returned before. Waits for it, at most ten
        seconds.
        """

        def waiting() -> int | None:
            found = (at for at, one in enumerate(self.received) if at not in self._taken and matching(one))
            return next(found, None)

        async with self._arrival, asyncio.timeout(ARRIVAL_SECONDS):
            while (at := waiting()) is None:
                await self._arrival.wait()
        self._taken.add(at)
        return self.received[at]

    # --- simulated failures: each lasts until ``behave``; ``path`` limits it to one path of the provider

    def refuse(self, status: int, body: str | dict[str, Any] = "", *, path: str = "") -> None:
        """Answer with this status. A dict is sent as JSON, a string as text."""

        async def answer(_request: web.Request) -> web.StreamResponse:
            if isinstance(body, dict):
                return web.json_response(body, status=status)
            return web.Response(text=body, status=status)

        self._mood = (answer, path)

    def answer_malformed(self, status: int = 200, *, path: str = "") -> None:
        """Answer with truncated JSON."""

        async def answer(_request: web.Request) -> web.StreamResponse:
            return web.Response(body=b'{"id": "<2026', status=status, content_type="application/json")

        self._mood = (answer, path)

    def answer_slowly(self, *, path: str = "") -> None:
        """Accept requests and send nothing until ``behave`` or the end of the server."""
        self._released.clear()

        async def answer(_request: web.Request) -> web.StreamResponse:
            await self._released.wait()
            return web.Response(status=503)

        self._mood = (answer, path)

    def redirect(self, location: str, status: int = 302, *, path: str = "") -> None:
        """Send the client to another address."""

        async def answer(_request: web.Request) -> web.StreamResponse:
            return web.Response(status=status, headers={"Location": location})

        self._mood = (answer, path)

    async def switch_off(self) -> None:
        """Accept no connections, and close those that are open when they are used, until ``switch_on``."""
        self.drop_connections()
        if self._site is not None:
            await self._site.stop()
            self._site = None

    async def switch_on(self) -> None:
        """Listen at the same port again, and answer normally."""
        self.behave()
        if self._site is None:
            await self._open_port()

    def drop_connections(self, *, path: str = "") -> None:
        """Accept requests and close the connection."""

        async def answer(request: web.Request) -> web.StreamResponse:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()

        self._mood = (answer, path)

    def behave(self) -> None:
        """Answer normally again. Requests that still wait get 503."""
        self._mood = None
        self._released.set()

    # --- for subclasses and ``serving``

    async def listen(self, runner: web.AppRunner) -> None:
        """Listen at a free loopback port."""
        self._runner = runner
        await self._open_port()
        self._port = runner.addresses[0][1]
        self.base_url = f"http://127.0.0.1:{self._port}"

    async def _open_port(self) -> None:
        assert self._runner is not None
        self._site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await self._site.start()

    def add_routes(self, router: web.UrlDispatcher) -> None:
        raise NotImplementedError

    @web.middleware
    async def _listen(self, request: web.Request, handler: Answer) -> web.StreamResponse:
        headers = tuple((name.decode(), value.decode()) for name, value in request.raw_headers)
        received = Received(request.method, request.raw_path, headers, await request.read())
        request[RECEIVED] = received
        async with self._arrival:
            self.received.append(received)
            self._arrival.notify_all()
        if self._mood is not None:
            answer, path = self._mood
            if path in ("", request.path):
                return await answer(request)
        return await handler(request)


Fake = TypeVar("Fake", bound=FakeProvider)


@asynccontextmanager
async def serving(provider: Fake) -> AsyncIterator[Fake]:
    """Run the provider on a free loopback port for the duration of the block."""
    app = web.Application(middlewares=[provider._listen])
    provider.add_routes(app.router)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=5)
    await runner.setup()
    try:
        await provider.listen(runner)
        yield provider
    finally:
        provider.behave()
        await runner.cleanup()
