"""What every fake provider is made of: a server on this machine that keeps what it hears and has bad days.

A provider runs in the event loop of the test, so a test sets its mood by plain attributes and methods,
and waits for a request by an event, never by the clock.
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
    """One request, as it came: ``target`` is path and query undecoded, ``body`` the bytes."""

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
        """The fields of a form body; of a field sent twice, the last."""
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def header(self, name: str) -> str:
        """The value of a header, however its name was capitalized; empty without it."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    @property
    def credentials(self) -> tuple[str, str] | None:
        """User and password of HTTP Basic authentication; None without a readable pair."""
        scheme, _, encoded = self.header("authorization").partition(" ")
        try:
            user, colon, password = b64decode(encoded, validate=True).decode().partition(":")
        except ValueError:
            return None
        return (user, password) if scheme.lower() == "basic" and colon else None


RECEIVED = web.RequestKey("received", Received)


class FakeProvider:
    """A provider's server: its routes come from the subclass, its memory and its moods from here."""

    base_url: str

    def __init__(self) -> None:
        self.received: list[Received] = []
        self._taken: set[int] = set()
        self._arrival = asyncio.Condition()
        self._mood: tuple[Answer, str] | None = None
        self._released = asyncio.Event()

    # --- what has come

    async def next_request(self, matching: Callable[[Received], bool] = lambda _: True) -> Received:
        """The earliest matching request that was not handed out yet; waits for it, at most ten seconds."""

        def waiting() -> int | None:
            found = (at for at, one in enumerate(self.received) if at not in self._taken and matching(one))
            return next(found, None)

        async with self._arrival, asyncio.timeout(ARRIVAL_SECONDS):
            while (at := waiting()) is None:
                await self._arrival.wait()
        self._taken.add(at)
        return self.received[at]

    # --- bad days: each lasts until ``behave``; ``path`` limits it to one address of the provider

    def refuse(self, status: int, body: str | dict[str, Any] = "", *, path: str = "") -> None:
        """Answer with this status; a dict is sent as JSON, a string as text."""

        async def answer(_request: web.Request) -> web.StreamResponse:
            if isinstance(body, dict):
                return web.json_response(body, status=status)
            return web.Response(text=body, status=status)

        self._mood = (answer, path)

    def answer_malformed(self, status: int = 200, *, path: str = "") -> None:
        """Say JSON and break off in the middle of it."""

        async def answer(_request: web.Request) -> web.StreamResponse:
            return web.Response(body=b'{"id": "<2026', status=status, content_type="application/json")

        self._mood = (answer, path)

    def answer_slowly(self, *, path: str = "") -> None:
        """Take the request and say nothing until ``behave`` (or the end of the server)."""
        self._released.clear()

        async def answer(_request: web.Request) -> web.StreamResponse:
            await self._released.wait()
            return web.Response(status=503)

        self._mood = (answer, path)

    def drop_connections(self, *, path: str = "") -> None:
        """Take the request and hang up."""

        async def answer(request: web.Request) -> web.StreamResponse:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()

        self._mood = (answer, path)

    def behave(self) -> None:
        """End the bad day, and answer whoever still waits with 503."""
        self._mood = None
        self._released.set()

    # --- for subclasses

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
    """The provider on a free port of the loopback interface for the time of the block."""
    app = web.Application(middlewares=[provider._listen])
    provider.add_routes(app.router)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=5)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        provider.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield provider
    finally:
        provider.behave()
        await runner.cleanup()
