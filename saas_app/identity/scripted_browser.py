"""A browser without a screen that follows one authorization request at Logto (1.42).

It signs a person in through the Experience API, with cookies of its own. Only addresses of the provider are
opened, with a limit on time and steps. What only a person can answer ends the request.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from html.parser import HTMLParser
from typing import Any, Final
from urllib.parse import parse_qs, urljoin, urlsplit

import aiohttp
import structlog
from yarl import URL

from saas_app.errors import AppError, LogtoUnavailable
from saas_app.identity.logto_messages import LogtoRefusal, fetch_json
from saas_app.logto.http import CallKind
from saas_app.text.translation import _

log = structlog.get_logger(__name__)

_SECONDS: Final = 20.0  # for all requests of one authorization request together
_MOST_STEPS: Final = 12
_LONGEST_PAGE: Final = 65_536  # bytes
_SIGN_IN_PAGE: Final = "/sign-in"
_REDIRECTS: Final = frozenset({302, 303, 307})
_SESSION: Final = "_session"  # how the names of the cookies of Logto's session begin


class Obstacle(StrEnum):
    """Why a scripted sign-in stopped."""

    WRONG_PASSWORD = "wrong-password"  # noqa: S105 - the name of an obstacle
    METHOD_OFF = "method-off"
    MISSING_PROFILE = "missing-profile"
    SECOND_FACTOR = "second-factor"
    SUSPENDED = "suspended"
    BLOCKED = "blocked"
    SESSION_ENDED = "session-ended"
    UNEXPECTED = "unexpected"


_WHAT_TO_DO: Final = {
    Obstacle.WRONG_PASSWORD: _(
        "Logto does not accept this username and password. The password may have changed, or the account was "
        "deleted."
    ),
    Obstacle.METHOD_OFF: _(
        "Logto does not accept a username and a password. The operator can allow them in the sign-in "
        "experience of Logto Console."
    ),
    Obstacle.MISSING_PROFILE: _(
        "Logto asks this account for an email address, a phone number or another detail that it requires of "
        "everybody. The operator can add it in Logto Console, or change what sign-up requires."
    ),
    Obstacle.SECOND_FACTOR: _(
        "Logto asks this person for a second factor, which only they have. They can sign in themselves, in "
        "another browser."
    ),
    Obstacle.SUSPENDED: _("This account is suspended. The operator can reactivate it in Logto Console."),
    Obstacle.BLOCKED: _("Logto has blocked this account after too many wrong passwords. Try again later."),
    Obstacle.SESSION_ENDED: _("This person’s session at Logto has ended, so they have to sign in again."),
    Obstacle.UNEXPECTED: _(
        "Logto asked for something that only the person can answer in a browser. The log has the details."
    ),
}

_OBSTACLES: Final = {
    "session.invalid_credentials": Obstacle.WRONG_PASSWORD,
    "user.sign_in_method_not_enabled": Obstacle.METHOD_OFF,
    "session.mfa.require_mfa_verification": Obstacle.SECOND_FACTOR,
    "user.missing_mfa": Obstacle.SECOND_FACTOR,
    "user.suggest_mfa": Obstacle.SECOND_FACTOR,
    "user.missing_profile": Obstacle.MISSING_PROFILE,
    "user.suspended": Obstacle.SUSPENDED,
    "session.verification_blocked_too_many_attempts": Obstacle.BLOCKED,
    "login_required": Obstacle.SESSION_ENDED,
}
"""The obstacle behind an error code of the Experience API or of an authorization response."""


class ScriptedSignInFailed(AppError):
    """A scripted sign-in stopped at an obstacle. The detail says what to do about it."""

    status, code, title = 409, "scripted-sign-in-failed", _("This person could not be signed in")

    def __init__(self, obstacle: Obstacle) -> None:
        super().__init__(_WHAT_TO_DO[obstacle])
        self.obstacle = obstacle


@dataclass(frozen=True, slots=True)
class Password:
    """What a person types on the sign-in page."""

    username: str
    password: str = field(repr=False)


class ScriptedBrowser:
    """The cookies of one person at the provider, and the steps of an authorization request."""

    def __init__(self, http: aiohttp.ClientSession, url: str, cookies: Mapping[str, str]) -> None:
        """Create a browser for the authorization request at ``url``. ``cookies`` are those of a session."""
        self._http = http
        self._url = url
        self._origin = _origin_of(url)
        self._jar = aiohttp.CookieJar(unsafe=True, quote_cookie=False)  # unsafe: also for IP addresses
        self._jar.update_cookies(cookies, URL(f"{self._origin}/"))

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies of the session at Logto."""
        return {cookie.key: cookie.value for cookie in self._jar if cookie.key.startswith(_SESSION)}

    async def authorize(self, redirect_uri: str, person: Password | None = None) -> str:
        """Follow the authorization request to its callback, and return the URL with the code.

        ``person`` signs in if the provider asks. Raises :class:`ScriptedSignInFailed`, also if it asks and
        nobody is given or the callback reports an error, and :class:`LogtoUnavailable`.
        """
        try:
            async with asyncio.timeout(_SECONDS):
                callback_url = await self._follow(redirect_uri, person)
        except TimeoutError:
            raise LogtoUnavailable(_("Logto did not respond.")) from None
        error = parse_qs(urlsplit(callback_url).query).get("error", [""])[0]
        if error:
            raise _failure(error, "callback")
        return callback_url

    async def _follow(self, redirect_uri: str, person: Password | None) -> str:
        url, has_signed_in = self._url, False
        for _step in range(_MOST_STEPS):
            if url.partition("?")[0] == redirect_uri:
                return url
            if _origin_of(url) != self._origin:
                raise _failure("another site", urlsplit(url).netloc)
            if urlsplit(url).path != _SIGN_IN_PAGE:
                url = await self._open("GET", url)
            elif person is None:
                raise ScriptedSignInFailed(Obstacle.SESSION_ENDED)
            elif has_signed_in:
                raise _failure("asked twice", _SIGN_IN_PAGE)
            else:
                url, has_signed_in = await self._prove(person), True
        raise _failure("too many steps", urlsplit(url).path)

    async def _prove(self, person: Password) -> str:
        """Sign the person in. Returns the URL at which the authorization request continues."""
        identifier = {"type": "username", "value": person.username}
        await self._call("PUT", "", {"interactionEvent": "SignIn"})
        proof = await self._call(
            "POST", "/verification/password", {"identifier": identifier, "password": person.password}
        )
        await self._call("POST", "/identification", {"verificationId": _text(proof, "verificationId")})
        return urljoin(self._origin, _text(await self._call("POST", "/submit"), "redirectTo"))

    async def _call(self, method: str, path: str, body: object = None) -> Any:
        """Call the Experience API and return its answer."""
        url = f"{self._origin}/api/experience{path}"
        try:
            return await fetch_json(self._send(method, url, json=body))
        except LogtoRefusal as refusal:
            raise _failure(refusal.error, path) from None

    async def _open(self, method: str, url: str, form: Mapping[str, str] | None = None) -> str:
        """Open a page as a browser does, and return where it leads to."""
        async with self._answering(method, url, data=form) as response:
            if response.status >= 500 or response.status == 429:
                raise LogtoUnavailable(_("Logto returned status %(status)s.", status=response.status))
            if response.status in _REDIRECTS:
                return urljoin(url, response.headers.get("Location", ""))
            page = (await response.content.read(_LONGEST_PAGE)).decode("utf-8", "replace")
        found = _Form(page)
        if response.status != 200 or method != "GET" or not found.submits_itself:
            raise _failure(f"status {response.status}", urlsplit(url).path)
        target = urljoin(url, found.action)
        if _origin_of(target) != self._origin:
            raise _failure("another site", urlsplit(target).netloc)
        return await self._open("POST", target, found.fields)

    @asynccontextmanager
    async def _answering(
        self, method: str, url: str, **options: Any
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        try:
            async with self._send(method, url, **options) as response:
                yield response
        except (aiohttp.ClientError, TimeoutError):
            raise LogtoUnavailable(_("Logto did not respond.")) from None

    @asynccontextmanager
    async def _send(self, method: str, url: str, **options: Any) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send one request with this browser's cookies, and keep those that its response sets."""
        sent = self._jar.filter_cookies(URL(url)).values()
        headers = {"Cookie": "; ".join(f"{cookie.key}={cookie.coded_value}" for cookie in sent)}
        async with self._http.request(
            method,
            url,
            headers=headers if sent else {},
            allow_redirects=False,
            trace_request_ctx=CallKind.SIGN_IN,
            **options,
        ) as response:
            self._jar.update_cookies(response.cookies, response.url)
            yield response


class _Form(HTMLParser):
    """The first form of a page, as far as a page that submits itself needs it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self._asks = self._has_script = False
        self.feed(page)

    @property
    def submits_itself(self) -> bool:
        """Whether the page submits the form by script, without asking anything."""
        return bool(self.action) and self._has_script and not self._asks

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form" and not self.action and values.get("method", "").lower() == "post":
            self.action = values.get("action", "")
        elif tag == "input" and values.get("type") == "hidden":
            self.fields[values.get("name", "")] = values.get("value", "")
        elif tag in ("input", "select", "textarea") and values.get("type") != "submit":
            self._asks = True
        elif tag == "script" or "onload" in values:
            self._has_script = True


def _failure(code: str, where: str) -> ScriptedSignInFailed:
    obstacle = _OBSTACLES.get(code, Obstacle.UNEXPECTED)
    log.info("a scripted sign-in stopped", obstacle=obstacle.value, logto_code=code, where=where)
    return ScriptedSignInFailed(obstacle)


def _text(answer: Any, name: str) -> str:
    """Return a text of an answer. Raises :class:`ScriptedSignInFailed` if it is missing."""
    found = answer.get(name) if isinstance(answer, dict) else None
    if not isinstance(found, str):
        raise _failure("missing value", name)
    return found


def _origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
