"""A browser for the Logto under test, which keeps every reply unchanged.

It sends requests and follows the redirects of a sign-in hop by hop. Tests decide what the replies should be.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import aiohttp
import jwt
from multidict import CIMultiDictProxy
from yarl import URL

from contract.people import App, Person
from local_logto.testing.connections import brief_connector

Parameters = Mapping[str, str | Sequence[str] | None]
MAX_HOPS = 12
_REFRESH = re.compile(r'http-equiv="refresh" content="0; url=([^"]+)"')
NEW_PASSWORD = "Kestrel-4711-Moor"  # of accounts that a test signs up


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply of the server, with the request that caused it."""

    method: str
    url: str
    status: int
    headers: CIMultiDictProxy[str]
    cookies: tuple[str, ...]
    body: Any

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def location(self) -> str:
        """The absolute URL to which the reply redirects the browser."""
        return urljoin(self.url, self.headers["Location"])

    @property
    def redirect_parameters(self) -> dict[str, str]:
        """The query of the redirect's target."""
        return dict(parse_qsl(urlsplit(self.location).query, keep_blank_values=True))

    @property
    def refusal(self) -> tuple[int, str]:
        """The status and Logto's error code."""
        return self.status, self.body["code"]

    @property
    def cookie_names(self) -> set[str]:
        return {cookie.split("=", 1)[0] for cookie in self.cookies}

    def cookie(self, name: str) -> str:
        """Return the whole ``Set-Cookie`` line of a cookie."""
        return next(line for line in self.cookies if line.startswith(f"{name}="))

    def expect(self, status: int) -> Self:
        """Return this reply after checking its status. A failure shows the body."""
        assert self.status == status, f"{self.method} {self.url}: {self.status} {self.body!r}"
        return self


async def read_reply(response: aiohttp.ClientResponse) -> Reply:
    """Read a response completely. JSON is parsed, other bodies stay text."""
    text = await response.text()
    is_json = "json" in response.headers.get("Content-Type", "")
    return Reply(
        response.method,
        str(response.url),
        response.status,
        response.headers,
        tuple(response.headers.getall("Set-Cookie", [])),
        json.loads(text) if is_json and text else text,
    )


class Form(HTMLParser):
    """The first form of a page: its action and its fields."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self._has_script = False
        self.feed(page)

    @property
    def submits_itself(self) -> bool:
        """Whether the page submits the form without a click."""
        return bool(self.action) and self._has_script

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form" and not self.action:
            self.action = values.get("action", "")
        elif tag == "input" and "name" in values:
            self.fields[values["name"]] = values.get("value", "")
        elif tag == "script" or "onload" in values:
            self._has_script = True


@dataclass(frozen=True, slots=True)
class Token:
    """A decoded JWT whose signature was not checked."""

    header: dict[str, Any]
    claims: dict[str, Any]

    @property
    def scopes(self) -> set[str]:
        return set(self.claims["scope"].split())


def decode(token: str) -> Token:
    return Token(jwt.get_unverified_header(token), jwt.decode(token, options={"verify_signature": False}))


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """An authorization request with the secrets that only its sender knows."""

    app: App
    url: str
    state: str
    nonce: str
    code_verifier: str


def authorization_request(endpoint: str, app: App, parameters: Parameters) -> AuthorizationRequest:
    """Build a request for ``app`` with PKCE, state and nonce. ``None`` as a value omits a parameter."""
    verifier, state, nonce = (secrets.token_urlsafe(43), secrets.token_hex(8), secrets.token_hex(8))
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    everything: dict[str, str | Sequence[str] | None] = {
        "client_id": app.id,
        "redirect_uri": app.redirect_uri,
        "response_type": "code",
        "scope": "openid profile offline_access",
        "state": state,
        "nonce": nonce,
        "prompt": "consent",
        "code_challenge": digest,
        "code_challenge_method": "S256",
        **parameters,
    }
    query = urlencode({name: value for name, value in everything.items() if value is not None}, doseq=True)
    return AuthorizationRequest(app, f"{endpoint}/oidc/auth?{query}", state, nonce, verifier)


@dataclass(frozen=True, slots=True)
class Callback:
    """The parameters that reached the application's redirect URI, and every hop on the way there."""

    request: AuthorizationRequest
    parameters: dict[str, str]
    hops: tuple[Reply, ...]

    @property
    def code(self) -> str:
        assert "code" in self.parameters, self.parameters
        return self.parameters["code"]


@dataclass(slots=True)
class LogtoBrowser:
    """A browser with its own cookies, which signs people in through the Experience API."""

    endpoint: str
    hops: list[Reply] = field(default_factory=list)
    _http: aiohttp.ClientSession = field(init=False)

    def __post_init__(self) -> None:
        jar = aiohttp.CookieJar(unsafe=True, quote_cookie=False)
        self._http = aiohttp.ClientSession(connector=brief_connector(), cookie_jar=jar)

    async def close(self) -> None:
        await self._http.close()

    @property
    def cookie_names(self) -> set[str]:
        return {cookie.key for cookie in self._http.cookie_jar}

    def keep(self, cookies: Mapping[str, str]) -> None:
        """Add cookies of another browser, by name."""
        self._http.cookie_jar.update_cookies(cookies, URL(self.endpoint))

    async def send(self, method: str, url: str, **options: Any) -> Reply:
        """Send one request with this browser's cookies. Redirects are not followed."""
        target = urljoin(self.endpoint, url)
        async with self._http.request(method, target, allow_redirects=False, **options) as response:
            reply = await read_reply(response)
        self.hops.append(reply)
        return reply

    async def submit(self, form: Form) -> Reply:
        """Submit a page's form with the values it contains."""
        return await self.send("POST", form.action, data=form.fields)

    async def experience(self, method: str, path: str, body: object = None) -> Reply:
        """Call the Experience API, below ``/api/experience``."""
        options = {} if body is None else {"json": body}
        return await self.send(method, f"/api/experience{path}", **options)

    async def authorize(self, app: App, **parameters: str | Sequence[str] | None) -> Reply:
        """Send an authorization request and return the first reply."""
        request = authorization_request(self.endpoint, app, parameters)
        return await self.send("GET", request.url)

    async def begin(self, app: App, event: str = "SignIn", **parameters: str | Sequence[str] | None) -> Reply:
        """Open an interaction for ``app`` and set its event. Returns the reply to the latter."""
        await self.authorize(app, **parameters)
        return (await self.experience("PUT", "", {"interactionEvent": event})).expect(204)

    async def offer_password(self, person: Person, kind: str = "username") -> Reply:
        """Send the person's password to the open interaction."""
        identifier = {"type": kind, "value": getattr(person, kind)}
        body = {"identifier": identifier, "password": person.password}
        return await self.experience("POST", "/verification/password", body)

    async def offer_identity(self, username: str, password: str = NEW_PASSWORD) -> Reply:
        """Send a username and a password for a new account to the open interaction."""
        body = {"identifier": {"type": "username", "value": username}, "password": password}
        return await self.experience("POST", "/verification/new-password-identity", body)

    async def prove_password(self, person: Person, kind: str = "username") -> str:
        """Sign in by password in the open interaction. Returns the URL that resumes the request."""
        (await self.experience("PUT", "", {"interactionEvent": "SignIn"})).expect(204)
        proof = (await self.offer_password(person, kind)).expect(200)
        return await self.identify_and_submit(proof.body["verificationId"])

    async def identify_and_submit(self, verification_id: str) -> str:
        """Make the two calls that end a sign-in. Returns the URL that resumes the authorization request."""
        identified = await self.experience("POST", "/identification", {"verificationId": verification_id})
        assert identified.status in (201, 204), identified.body
        return await self.finish()

    async def finish(self) -> str:
        """Submit the interaction. Returns the URL that resumes the authorization request."""
        submitted = (await self.experience("POST", "/submit")).expect(200)
        assert submitted.body.keys() == {"redirectTo"}
        resume: str = submitted.body["redirectTo"]
        return resume

    async def step(self, url: str) -> str:
        """Open a page that sends the browser on by a redirect or by itself. Returns where to."""
        reply = await self.send("GET", url)
        if reply.status == 200 and (refresh := _REFRESH.search(reply.body)):
            return urljoin(reply.url, unescape(refresh[1]))
        if reply.status == 200 and (form := Form(reply.body)).submits_itself:
            reply = await self.submit(form)
        assert reply.status in (302, 303), f"{url}: {reply.status} {reply.body!r}"
        return reply.location

    async def follow(self, url: str, redirect_uri: str) -> dict[str, str]:
        """Follow redirects to the application's redirect URI. Returns the parameters it received."""
        for _ in range(MAX_HOPS):
            if url.startswith(redirect_uri):
                parts = urlsplit(url)
                return dict(parse_qsl(parts.query or parts.fragment, keep_blank_values=True))
            url = await self.step(url)
        raise AssertionError(f"no callback after {MAX_HOPS} hops, last {url}")

    async def sign_in(
        self,
        app: App,
        person: Person,
        *,
        kind: str = "username",
        **parameters: str | Sequence[str] | None,
    ) -> Callback:
        """Sign ``person`` in to ``app``. Fails if the server does not ask them to sign in."""
        self.hops.clear()
        request = authorization_request(self.endpoint, app, parameters)
        first = (await self.send("GET", request.url)).expect(303)
        assert urlsplit(first.location).path == "/sign-in", first.location
        resume = await self.prove_password(person, kind)
        return Callback(request, await self.follow(resume, app.redirect_uri), tuple(self.hops))

    async def authorize_silently(self, app: App, **parameters: str | Sequence[str] | None) -> Callback:
        """Send an authorization request that the server answers without showing a page."""
        self.hops.clear()
        request = authorization_request(self.endpoint, app, parameters)
        return Callback(request, await self.follow(request.url, app.redirect_uri), tuple(self.hops))
