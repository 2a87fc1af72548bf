"""A browser for an application in another process, with cookies and redirects over real HTTP."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Self
from urllib.parse import urljoin

import aiohttp
from local_logto.testing.connections import brief_connector

from tests.clients import SAME_ORIGIN, LogtoVisit, Person

_DEADLINE = 10.0  # seconds until a change made by another process must have taken effect


@dataclass(frozen=True, slots=True)
class Page:
    """A response of the application."""

    status: int
    location: str
    text: str


class RemoteBrowser:
    """One browser, with its cookies at the application and at the provider."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.logto = LogtoVisit()
        self._http = aiohttp.ClientSession(
            connector=brief_connector(), cookie_jar=aiohttp.CookieJar(unsafe=True, quote_cookie=False)
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._http.close()
        await self.logto.close()

    async def get(self, path: str) -> Page:
        """GET a page without following redirects."""
        return await self._send("GET", path)

    async def post(self, path: str, form: dict[str, str] | None = None) -> Page:
        """POST a form, as from a page of the application."""
        return await self._send("POST", path, form or {})

    async def sign_in(self, person: Person) -> None:
        """Sign in through the provider."""
        started = await self.get("/sign-in")
        callback = await self.logto.authorize(started.location, person, f"{self.url}/callback")
        done = await self.get(callback.removeprefix(self.url))
        assert done.status == 303, done.text

    async def _send(self, method: str, path: str, form: dict[str, str] | None = None) -> Page:
        async with self._http.request(
            method, urljoin(self.url, path), data=form, headers=SAME_ORIGIN, allow_redirects=False
        ) as response:
            return Page(response.status, response.headers.get("Location", ""), await response.text())


async def eventually(question: Callable[[], Awaitable[bool]], what: str) -> None:
    """Ask until the answer is yes, about work of another process. ``what`` names it in a failure."""
    deadline = time.monotonic() + _DEADLINE
    while not await question():
        assert time.monotonic() < deadline, f"not within {_DEADLINE:.0f} s: {what}"
        await asyncio.sleep(0.02)
