"""A browser for tests without a screen: the application's test client and the provider over HTTP.

Nothing is mocked: the sign-in goes over the Experience API by which any program signs in to Logto, and
every token is a real one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import urljoin, urlsplit

import aiohttp
from contract.client import Form
from local_logto.testing import Machine as Machine  # the tests import both from here
from local_logto.testing import Person as Person
from local_logto.testing.connections import brief_connector
from quart import Quart
from quart.testing.connections import TestHTTPConnection
from quart.wrappers import Response

SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
FRESH = "/sign-in?prompt=login"  # where Logto asks who this is, so that the sign-in counts as fresh


class LeavingConnection(TestHTTPConnection):
    """A request in this process that ends as one over the network does when its client goes away.

    The framework's own lets a cancelled request go on with nobody waiting for it, after the application has
    closed its connections to the database.
    """

    async def __aexit__(self, *error: Any) -> None:
        """Wait for the answer; when that is cancelled, disconnect and wait for the end of the request."""
        serving = asyncio.ensure_future(self._task)
        if error[0] is not None:
            await self.disconnect()
        try:
            await asyncio.shield(serving)
        except asyncio.CancelledError:
            await self.disconnect()
            await asyncio.wait({serving})
            raise
        await super().__aexit__(*error)


class LogtoVisit:
    """A browser's cookies at the provider, and the way through its sign-in."""

    def __init__(self) -> None:
        self._http = aiohttp.ClientSession(
            connector=brief_connector(), cookie_jar=aiohttp.CookieJar(unsafe=True, quote_cookie=False)
        )

    async def close(self) -> None:
        await self._http.close()

    async def authorize(self, url: str, person: Person | None, redirect_uri: str) -> str:
        """Follow an authorization request to the callback URL; signs ``person`` in where it is asked."""
        for _ in range(10):
            if url.startswith(redirect_uri):
                return url
            async with self._http.get(url, allow_redirects=False) as response:
                assert response.status in (302, 303), await response.text()
                url = urljoin(url, response.headers["Location"])
            if urlsplit(url).path in ("/sign-in", "/register"):
                assert person is not None, "the provider asks who this is"
                url = await self._sign_in(url, person)
        raise AssertionError(f"no callback after ten redirects, last {url}")

    async def open(self, url: str) -> None:
        """Open a page, as a browser that was sent there."""
        async with self._http.get(url) as response:
            assert response.status == 200, await response.text()

    async def sign_out(self, endpoint: str, client_id: str) -> None:
        """Sign out at the provider itself, as from another application: its page submits itself."""
        url = f"{endpoint}/oidc/session/end?client_id={client_id}"
        async with self._http.get(url) as response:
            form = Form(await response.text())
        async with self._http.post(form.action, data=form.fields, allow_redirects=False) as response:
            assert response.status in (200, 303), await response.text()

    async def _sign_in(self, page: str, person: Person) -> str:
        identifier = {"type": "username", "value": person.username}
        api = urljoin(page, "/api/experience")
        await self._call("PUT", api, {"interactionEvent": "SignIn"}, 204)
        body = await self._call(
            "POST",
            f"{api}/verification/password",
            {"identifier": identifier, "password": person.password},
            200,
        )
        await self._call("POST", f"{api}/identification", {"verificationId": body["verificationId"]}, 204)
        return str((await self._call("POST", f"{api}/submit", None, 200))["redirectTo"])

    async def _call(self, method: str, url: str, body: Any, status: int) -> Any:
        async with self._http.request(method, url, json=body) as response:
            text = await response.text()
            assert response.status == status, f"{method} {url}: {response.status} {text}"
            return await response.json() if status == 200 else None


class Browser:
    """One browser: cookies at the application and at the provider."""

    def __init__(self, app: Quart, redirect_uri: str) -> None:
        self.app = app.test_client()
        self.logto = LogtoVisit()
        self._redirect_uri = redirect_uri

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.logto.close()

    async def get(self, path: str, expect: int = 200, **options: Any) -> Response:
        """GET a page of the application, with the status it must answer."""
        response = await self.app.get(path, **options)
        return await _expect(response, expect, f"GET {path}")

    async def post(self, path: str, form: dict[str, str] | None = None, expect: int = 303) -> Response:
        """POST a form from a page of the application itself."""
        response = await self.app.post(path, form=form or {}, headers=SAME_ORIGIN)
        return await _expect(response, expect, f"POST {path}")

    async def sign_in(self, person: Person, path: str = "/sign-in") -> str:
        """Sign in all the way; returns the path the application led to."""
        started = await self.get(path, 303)
        callback = await self.logto.authorize(started.headers["Location"], person, self._redirect_uri)
        done = await self.get(_path(callback), 303)
        return str(done.headers["Location"])

    async def follow(self, path: str, limit: int = 8) -> Response:
        """GET with every redirect followed, through the provider too, as a browser does."""
        for _ in range(limit):
            response = await self.app.get(path)
            if response.status_code not in (302, 303):
                return response
            location = response.headers["Location"]
            if location.startswith("http") and not location.startswith(self._redirect_uri):
                location = await self.logto.authorize(location, None, self._redirect_uri)
            path = _path(location)
        raise AssertionError(f"still redirected after {limit} hops, last {path}")


async def sign_in_over_http(
    app_url: str, person: Person, headers: Mapping[str, str] | None = None
) -> tuple[aiohttp.ClientSession, str]:
    """Sign in to an application that is served somewhere; the session, and the callback's URL.

    ``headers`` go with every request to the application, later ones included.
    """
    jar = aiohttp.CookieJar(unsafe=True)
    http = aiohttp.ClientSession(connector=brief_connector(), cookie_jar=jar, headers=headers)
    visit = LogtoVisit()
    async with http.get(f"{app_url}/sign-in", allow_redirects=False) as started:
        callback = await visit.authorize(started.headers["Location"], person, f"{app_url}/callback")
    await visit.close()
    async with http.get(callback, allow_redirects=False) as done:
        assert done.status == 303, await done.text()
    return http, callback


def _path(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


async def _expect(response: Response, status: int, what: str) -> Response:
    if response.status_code != status:
        body = (await response.get_data(as_text=True))[:2000]
        raise AssertionError(f"{what}: {response.status_code} (not {status}) {response.headers}\n{body}")
    return response
