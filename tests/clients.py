"""A browser without a screen: the application's test client, and the providers over HTTP.

Nothing is mocked. People sign in through the Experience API, as at a real Logto, and every token is genuine.
"""

from __future__ import annotations

import asyncio
import copy
import re
from collections.abc import Mapping, Sequence
from html import unescape
from typing import Any, Self
from urllib.parse import urlencode, urljoin, urlsplit

import aiohttp
from contract.client import Form
from local_logto.testing import Machine as Machine  # the tests import both from here
from local_logto.testing import Person as Person
from local_logto.testing.connections import brief_connector
from quart import Quart
from quart.testing.connections import TestHTTPConnection
from quart.wrappers import Response

SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
URLENCODED = {"Content-Type": "application/x-www-form-urlencoded"}
SESSION_COOKIE = "workroom_session"
_REFRESH = re.compile(r'http-equiv="refresh" content="0; url=([^"]+)"')
FRESH = "/sign-in?prompt=login"  # Logto asks for the password, so the sign-in counts as fresh

FormFields = Mapping[str, str | Sequence[str]]


class LeavingConnection(TestHTTPConnection):
    """A request in this process that ends like one over the network if its client disconnects.

    Quart's own test connection lets a canceled request run on, after the application has closed its database
    connections.
    """

    async def __aexit__(self, *error: Any) -> None:
        """Wait for the response. If that is canceled, disconnect and wait for the end of the request."""
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
    """A browser's cookies at the provider, and the steps of its sign-in."""

    def __init__(self) -> None:
        self._http = aiohttp.ClientSession(
            connector=brief_connector(), cookie_jar=aiohttp.CookieJar(unsafe=True, quote_cookie=False)
        )

    async def close(self) -> None:
        await self._http.close()

    @property
    def cookies(self) -> aiohttp.abc.AbstractCookieJar:
        """The cookies that the provider has set."""
        return self._http.cookie_jar

    async def authorize(self, url: str, person: Person | None, destination: str) -> str:
        """Follow an authorization request to a URL that begins with ``destination``, and return that.

        Sign ``person`` in if the provider asks. With ``direct_sign_in=sso:…``, the way leads through the
        company's own provider, and some pages move on by themselves. So does the one that ends the session
        of another account.
        """
        for _ in range(20):
            if url.startswith(destination):
                return url
            if urlsplit(url).path in ("/sign-in", "/register"):
                assert person is not None, "the provider asks who this is"
                url = await self._sign_in(url, person)
                continue
            async with self._http.get(url, allow_redirects=False) as response:
                way_on = await _way_on(response)
            url = urljoin(url, way_on if isinstance(way_on, str) else await self._submit(way_on))
        raise AssertionError(f"not at {destination} after 20 steps, last {url}")

    async def open(self, url: str) -> None:
        """Open a page that a redirect leads to."""
        async with self._http.get(url) as response:
            assert response.status == 200, await response.text()

    async def sign_out(self, endpoint: str, client_id: str) -> None:
        """Sign out at the provider, as another application would. Its page submits itself."""
        url = f"{endpoint}/oidc/session/end?client_id={client_id}"
        async with self._http.get(url) as response:
            form = Form(await response.text())
        async with self._http.post(form.action, data=form.fields, allow_redirects=False) as response:
            assert response.status in (200, 303), await response.text()

    async def _submit(self, form: Form) -> str:
        async with self._http.post(form.action, data=form.fields, allow_redirects=False) as response:
            assert response.status in (302, 303), await response.text()
            return str(response.headers["Location"])

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
    """One browser, with its cookies at the application and at the provider."""

    def __init__(self, app: Quart, redirect_uri: str) -> None:
        self.app = app.test_client()
        self.logto = LogtoVisit()
        self._redirect_uri = redirect_uri
        self._origin = urljoin(redirect_uri, "/")

    def at(self, app: Quart) -> Self:
        """Return this browser, with the same cookies, at another worker."""
        there = copy.copy(self)
        there.app = app.test_client()
        there.app.cookie_jar = self.app.cookie_jar
        return there

    @property
    def session_cookie(self) -> str:
        """The cookie that holds the session. A browser that takes over the cookie takes over the session."""
        (value,) = [
            str(cookie.value) for cookie in self.app.cookie_jar or () if cookie.name == SESSION_COOKIE
        ]
        return value

    @session_cookie.setter
    def session_cookie(self, value: str) -> None:
        self.app.set_cookie("localhost", SESSION_COOKIE, value)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.logto.close()

    async def get(self, path: str, expect: int = 200, **options: Any) -> Response:
        """GET a page. Fail on any status but ``expect``."""
        response = await self.app.get(path, **options)
        return await _expect(response, expect, f"GET {path}")

    async def text(self, path: str, expect: int = 200, **options: Any) -> str:
        """GET a page and return it with its entities resolved, as people read it."""
        return await text_of(await self.get(path, expect, **options))

    async def post(self, path: str, form: FormFields | None = None, expect: int | None = 303) -> Response:
        """POST a form, as from a page of the application. A list sends a field several times.

        Fail on any status but ``expect``. None accepts every status.
        """
        body = urlencode(form or {}, doseq=True)
        response = await self.app.post(path, data=body.encode(), headers={**SAME_ORIGIN, **URLENCODED})
        return await _expect(response, expect, f"POST {path}")

    async def submit(self, path: str, form: FormFields | None = None, expect: int = 200) -> str:
        """POST a form that is answered by a page, and return the page as people read it."""
        return await text_of(await self.post(path, form, expect))

    async def sign_in(self, person: Person, path: str = "/sign-in") -> str:
        """Sign in and return the path to which the application leads afterwards."""
        return await self.come_back((await self.get(path, 303)).headers["Location"], person)

    async def callback(self, person: Person, path: str = "/sign-in") -> str:
        """Sign in at the provider, and return the callback without opening it."""
        return await self.callback_of((await self.get(path, 303)).headers["Location"], person)

    async def come_back(self, url: str, person: Person | None) -> str:
        """Follow an authorization request through the provider and back, and return where it leads."""
        return str((await self.get(await self.callback_of(url, person), 303)).headers["Location"])

    async def callback_of(self, url: str, person: Person | None) -> str:
        """Follow an authorization request through the provider. Return the callback without opening it.

        The way may lead through the application, whose redirects are followed. It must not stop at a page.
        """
        end = await self._walk(url, person)
        assert isinstance(end, str), f"stopped by a page: {end.status_code}\n{await text_of(end)}"
        return end

    async def stopped_at(self, url: str, person: Person | None) -> Response:
        """Follow an authorization request until the application shows a page, and return the page.

        Fail if it reaches the callback.
        """
        end = await self._walk(url, person)
        assert isinstance(end, Response), f"nothing stopped the way to {end}"
        return end

    async def _walk(self, url: str, person: Person | None) -> str | Response:
        """Follow an authorization request to the callback, or to a page of the application before it."""
        for _ in range(8):
            url = await self.logto.authorize(url, person, self._origin)
            if url.startswith(self._redirect_uri):
                return _path(url)
            response = await self.app.get(_path(url))
            way_on = await way_on_from(response)
            if way_on is None:
                return response
            url = urljoin(url, way_on)
        raise AssertionError(f"no callback after 8 redirects of the application, last {url}")

    async def forget_logto(self, visit: LogtoVisit | None = None) -> None:
        """Continue with other cookies at the provider: those of ``visit``, or none."""
        await self.logto.close()
        self.logto = visit or LogtoVisit()

    async def follow(self, path: str, limit: int = 8) -> Response:
        """GET a page and follow every redirect, also through the provider."""
        for _ in range(limit):
            response = await self.app.get(path)
            location = await way_on_from(response)
            if location is None:
                return response
            if location.startswith("http"):
                location = await self.logto.authorize(location, None, self._origin)
            path = _path(location)
        raise AssertionError(f"still redirected after {limit} hops, last {path}")


async def sign_in_over_http(
    app_url: str,
    person: Person,
    headers: Mapping[str, str] | None = None,
    visit: LogtoVisit | None = None,
    path: str = "/sign-in",
) -> tuple[aiohttp.ClientSession, str]:
    """Sign in to an application that is served over HTTP. Return the session and the callback's URL.

    ``headers`` go with every request to the application, including later ones. ``visit`` keeps the session at
    the provider; without it that session is dropped. ``path`` may be ``FRESH``.
    """
    jar = aiohttp.CookieJar(unsafe=True)
    http = aiohttp.ClientSession(connector=brief_connector(), cookie_jar=jar, headers=headers)
    logto = visit or LogtoVisit()
    async with http.get(f"{app_url}{path}", allow_redirects=False) as started:
        callback = await logto.authorize(started.headers["Location"], person, f"{app_url}/callback")
    if visit is None:
        await logto.close()
    async with http.get(callback, allow_redirects=False) as done:
        assert done.status == 303, await done.text()
    return http, callback


async def _way_on(response: aiohttp.ClientResponse) -> str | Form:
    """Return where a redirect, or a page that moves on by itself, leads, or the form that it submits."""
    if response.status in (302, 303):
        return response.headers["Location"]
    page = await response.text()
    if response.status == 200 and "op.logoutForm" in page:
        return Form(page)
    refresh = _REFRESH.search(page) if response.status == 200 else None
    assert refresh is not None, page
    return unescape(refresh[1])


async def way_on_from(response: Response) -> str | None:
    """Return where a redirect of the application, or a page that moves on by itself, leads, or None."""
    if response.status_code in (302, 303):
        return str(response.headers["Location"])
    refresh = _REFRESH.search(str(await response.get_data(as_text=True)))
    return unescape(refresh[1]) if refresh else None


def _path(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


async def text_of(response: Response) -> str:
    """Return a page with its entities resolved, as people read it."""
    return unescape(str(await response.get_data(as_text=True)))


async def _expect(response: Response, status: int | None, what: str) -> Response:
    if status not in (None, response.status_code):
        body = (await response.get_data(as_text=True))[:2000]
        raise AssertionError(f"{what}: {response.status_code} (not {status}) {response.headers}\n{body}")
    return response
