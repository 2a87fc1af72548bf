"""A browser that reaches the cluster through its proxy, or one host behind it."""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import aiohttp

from tests.clients import SAME_ORIGIN, LogtoVisit, Person


@dataclass(frozen=True, slots=True)
class Answer:
    """A response. ``served_by`` is the address of the host, or "" if the proxy answered itself."""

    status: int
    location: str
    retry_after: str
    served_by: str
    text: str


class Visitor:
    """A person's browser. ``at="one"`` asks that host, otherwise the proxy chooses."""

    def __init__(self, url: str, tls: ssl.SSLContext) -> None:
        self._url = url
        self._logto = LogtoVisit()
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=tls),
            cookie_jar=aiohttp.CookieJar(unsafe=True, quote_cookie=False),
            headers=SAME_ORIGIN,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._http.close()
        await self._logto.close()

    async def send(
        self, method: str, path: str, form: Mapping[str, str | Sequence[str]] | None = None, *, at: str = ""
    ) -> Answer:
        """Send a request without following redirects. Raises :class:`aiohttp.ClientError`."""
        fields = [
            (name, value)
            for name, values in (form or {}).items()
            for value in ([values] if isinstance(values, str) else values)
        ]
        async with self._http.request(
            method,
            f"{self._url}{path}",
            data=aiohttp.FormData(fields) if form is not None else None,
            headers={"X-At": at} if at else None,
            allow_redirects=False,
        ) as response:
            found = response.headers.get
            return Answer(
                response.status,
                found("Location", ""),
                found("Retry-After", ""),
                found("X-Served-By", ""),
                await response.text(),
            )

    async def get(self, path: str, expect: int = 200, *, at: str = "") -> Answer:
        """GET a page. Fail on any status but ``expect``."""
        return _expected(await self.send("GET", path, at=at), expect, f"GET {path}")

    async def post(
        self, path: str, form: Mapping[str, str | Sequence[str]], expect: int = 303, *, at: str = ""
    ) -> Answer:
        """POST a form. Fail on any status but ``expect``."""
        return _expected(await self.send("POST", path, form, at=at), expect, f"POST {path}")

    async def sign_in(self, person: Person, *, at: str = "") -> Answer:
        """Sign in through the provider. Return the response to the callback, whatever it is."""
        started = await self.get("/sign-in", 303, at=at)
        callback = await self._logto.authorize(started.location, person, f"{self._url}/callback")
        return await self.send("GET", callback.removeprefix(self._url), at=at)


def _expected(answer: Answer, status: int, what: str) -> Answer:
    assert answer.status == status, f"{what}: {answer.status} (not {status})\n{answer.text[:2000]}"
    return answer
