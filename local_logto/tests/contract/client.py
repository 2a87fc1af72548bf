"""A browser and a plain HTTP caller for a Logto under test, every reply kept as it came.

What belongs here: sending requests and following the redirects of a sign-in hop by hop. What does not:
saying what the replies should have been, which is the tests' part.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import aiohttp
import jwt
from multidict import CIMultiDictProxy

from contract.people import App, Person
from local_logto.testing.connections import brief_connector

Parameters = Mapping[str, str | Sequence[str] | None]
MAX_HOPS = 12


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer of the server, with the request that caused it."""

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
        """Where the reply sends the browser, absolute."""
        return urljoin(self.url, self.headers["Location"])

    @property
    def redirect_parameters(self) -> dict[str, str]:
        """The query of the redirect's target."""
        return dict(parse_qsl(urlsplit(self.location).query, keep_blank_values=True))

    @property
    def cookie_names(self) -> set[str]:
        return {cookie.split("=", 1)[0] for cookie in self.cookies}

    def cookie(self, name: str) -> str:
        """The whole ``Set-Cookie`` line of a cookie, in lower case after its value."""
        return next(line for line in self.cookies if line.startswith(f"{name}="))

    def expect(self, status: int) -> Self:
        """This reply, after a check of its status that shows the body when it fails."""
        assert self.status == status, f"{self.method} {self.url}: {self.status} {self.body!r}"
        return self


async def read_reply(response: aiohttp.ClientResponse) -> Reply:
    """Keep everything of a response; JSON is parsed, other bodies stay text."""
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
    """The first form of a page: where it goes and what it carries."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self._has_script = False
        self.feed(page)

    @property
    def submits_itself(self) -> bool:
        """Whether the page sends the form without anybody's click."""
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
    """A JWT taken apart without checking its signature."""

    header: dict[str, Any]
    claims: dict[str, Any]

    @property
    def scopes(self) -> set[str]:
        return set(self.claims["scope"].split())


def decode(token: str) -> Token:
    return Token(jwt.get_unverified_header(token), jwt.decode(token, options={"verify_signature": False}))


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """An authorization request and the secrets that only its sender knows."""

    app: App
    url: str
    state: str
    nonce: str
    code_verifier: str


def authorization_request(endpoint: str, app: App, parameters: Parameters) -> AuthorizationRequest:
    """A request for ``app`` with PKCE, state and nonce; ``None`` as a value leaves a parameter out."""
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
    """What came back to the application, and every hop on the way."""

    request: AuthorizationRequest
    parameters: dict[str, str]
    hops: tuple[Reply, ...]

    @property
    def code(self) -> str:
        assert "code" in self.parameters, self.parameters
        return self.parameters["code"]


@dataclass(slots=True)
class LogtoBrowser:
    """One browser: its cookies at the server, and a person's way through the sign-in pages' API."""

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

    async def send(self, method: str, url: str, **options: Any) -> Reply:
        """One request with this browser's cookies; redirects are not followed."""
        target = urljoin(self.endpoint, url)
        async with self._http.request(method, target, allow_redirects=False, **options) as response:
            reply = await read_reply(response)
        self.hops.append(reply)
        return reply

    async def submit(self, form: Form) -> Reply:
        """Send a page's form with the values that it carries."""
        return await self.send("POST", form.action, data=form.fields)

    async def experience(self, method: str, path: str, body: object = None) -> Reply:
        """One call of the Experience API, below ``/api/experience``."""
        options = {} if body is None else {"json": body}
        return await self.send(method, f"/api/experience{path}", **options)

    async def authorize(self, app: App, **parameters: str | Sequence[str] | None) -> Reply:
        """The first hop of an authorization request."""
        request = authorization_request(self.endpoint, app, parameters)
        return await self.send("GET", request.url)

    async def prove_password(self, person: Person, kind: str = "username") -> str:
        """Sign ``person`` in by password in the interaction that is open; returns where it resumes."""
        identifier = {"type": kind, "value": getattr(person, kind)}
        (await self.experience("PUT", "", {"interactionEvent": "SignIn"})).expect(204)
        proof = await self.experience(
            "POST", "/verification/password", {"identifier": identifier, "password": person.password}
        )
        return await self.identify_and_submit(proof.expect(200).body["verificationId"])

    async def identify_and_submit(self, verification_id: str) -> str:
        """The two calls that end a sign-in; returns where the authorization request resumes."""
        identified = await self.experience("POST", "/identification", {"verificationId": verification_id})
        assert identified.status in (201, 204), identified.body
        submitted = (await self.experience("POST", "/submit")).expect(200)
        resume: str = submitted.body["redirectTo"]
        return resume

    async def follow(self, url: str, redirect_uri: str) -> dict[str, str]:
        """Follow redirects until the application's address; returns the parameters it received."""
        for _ in range(MAX_HOPS):
            if url.startswith(redirect_uri):
                parts = urlsplit(url)
                return dict(parse_qsl(parts.query or parts.fragment, keep_blank_values=True))
            reply = await self.send("GET", url)
            if reply.status == 200 and (form := Form(reply.body)).submits_itself:
                reply = await self.submit(form)
            assert reply.status in (302, 303), f"{url}: {reply.status} {reply.body!r}"
            url = reply.location
        raise AssertionError(f"no callback after {MAX_HOPS} hops, last {url}")

    async def sign_in(
        self,
        app: App,
        person: Person,
        *,
        kind: str = "username",
        **parameters: str | Sequence[str] | None,
    ) -> Callback:
        """The whole sign-in of ``person`` to ``app``; the server must ask who this is."""
        self.hops.clear()
        request = authorization_request(self.endpoint, app, parameters)
        first = (await self.send("GET", request.url)).expect(303)
        assert urlsplit(first.location).path == "/sign-in", first.location
        resume = await self.prove_password(person, kind)
        return Callback(request, await self.follow(resume, app.redirect_uri), tuple(self.hops))

    async def authorize_silently(self, app: App, **parameters: str | Sequence[str] | None) -> Callback:
        """An authorization request that is answered without asking the person anything."""
        self.hops.clear()
        request = authorization_request(self.endpoint, app, parameters)
        return Callback(request, await self.follow(request.url, app.redirect_uri), tuple(self.hops))
