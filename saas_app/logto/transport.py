"""How a Management API call travels: machine token, time limits, retries, circuit, pages, typed errors.

No endpoint of the API is named here. Tokens and secrets are never logged and never part of an error.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import quote_plus

import aiohttp
import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt
from tenacity.wait import wait_base, wait_exception, wait_exponential, wait_random_exponential

from saas_app.config import ManagementSettings
from saas_app.coordination.shared_attempts import SharedAttempts
from saas_app.errors import LogtoUnavailable
from saas_app.logto.circuit import Circuit
from saas_app.logto.provider_clock import ProviderClock
from saas_app.text.cleaning import clean_json

log = structlog.get_logger(__name__)

PAGE_SIZE = 100  # the most Logto 1.42 accepts
_ATTEMPTS = 3
_BACKOFF: wait_base = wait_exponential(0.1) + wait_random_exponential(0.2)  # 0.1 to 0.3 s, then 0.2 to 0.6 s
_LONGEST_PAUSE = 2.0  # seconds; a caller who would have to wait longer gets Logto's 429 at once
_MAX_PAGES = 1000
_READINGS = 5  # of a list that changes while it is read, at most
_FAILURES_THAT_OPEN = 5  # in a row
_OPEN_SECONDS = 10.0
_EARLY = 0.2  # a machine token is replaced when this share of its life is left

Json = Any
Query = Mapping[str, str | int]


class ManagementError(Exception):
    """Logto refused a call: HTTP status, its stable code, its message, and data where it sends some.

    ``retry_after`` is how many seconds to wait, where Logto says so.
    """

    def __init__(
        self, status: int, code: str, message: str, data: Json = None, *, retry_after: int | None = None
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.data = data
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful reply. ``body`` is None where Logto sends none, or a text such as ``Created``."""

    body: Json
    total: int | None  # how many entries all pages hold together, for a list that was paged


@dataclass(frozen=True, slots=True)
class _Token:
    value: str = field(repr=False)
    replace_at: float  # time.monotonic()


class ManagementTransport:
    """Calls below ``<endpoint>/api`` with one machine token, fetched once for all who wait."""

    def __init__(self, settings: ManagementSettings, http: aiohttp.ClientSession, timeout: float) -> None:
        self._settings = settings
        self._http = http
        self._time_for_call = timeout
        half = timeout / 2  # an attempt that hangs leaves room for one
        self._timeout = aiohttp.ClientTimeout(total=half, ceil_threshold=half + 1)
        self._token: _Token | None = None
        self._token_attempts = SharedAttempts(rest=0)  # the circuit says when Logto is left alone
        self.clock = ProviderClock()
        self._circuit = Circuit(threshold=_FAILURES_THAT_OPEN, pause=_OPEN_SECONDS)

    async def call(
        self,
        method: str,
        path: str,
        *,
        body: Json = None,
        query: Query | None = None,
        repeatable: bool | None = None,
    ) -> Answer:
        """One call. ``repeatable`` says that doing it twice does no harm; every method but POST is.

        A repeatable call is tried again when Logto fails, does not answer or is asked too often, all within
        the time limit. Raises :class:`ManagementError` when Logto refuses, :class:`LogtoUnavailable` when it
        cannot answer, and at once while it has not answered for a while.
        """
        attempts = _ATTEMPTS if (method != "POST" if repeatable is None else repeatable) else 1
        try:
            async with asyncio.timeout(self._time_for_call):
                return await self._repeat(attempts, method, path, body, query)
        except TimeoutError:
            self._circuit.failed()
            raise LogtoUnavailable("Logto did not respond in time.") from None

    async def _repeat(self, attempts: int, method: str, path: str, body: Json, query: Query | None) -> Answer:
        repeated = AsyncRetrying(
            stop=stop_after_attempt(attempts),
            retry=retry_if_exception(self._may_pass),
            wait=_BACKOFF + wait_exception(_asked_for),
            before_sleep=partial(_report, method, path),
            reraise=True,
        )
        try:
            return await repeated(self._through_circuit, method, path, body, query)
        except ManagementError as refusal:
            if method == "DELETE" and refusal.status == 404 and repeated.statistics["attempt_number"] > 1:
                return Answer(None, None)  # an earlier attempt deleted it, and its answer was lost
            raise

    def _may_pass(self, failure: BaseException) -> bool:
        """Return whether the same call may succeed in a moment."""
        if isinstance(failure, ManagementError):
            return failure.status == 429 and (failure.retry_after or 0) <= _LONGEST_PAUSE
        return isinstance(failure, LogtoUnavailable) and not self._circuit.is_open

    async def _through_circuit(self, method: str, path: str, body: Json, query: Query | None) -> Answer:
        self._circuit.enter()
        try:
            answer = await self._authorized(method, path, body, query)
        except LogtoUnavailable:
            self._circuit.failed()
            raise
        except ManagementError:
            self._circuit.succeeded()
            raise
        except BaseException:
            self._circuit.abandoned()
            raise
        self._circuit.succeeded()
        return answer

    async def list_all(self, path: str, query: Query | None = None) -> list[Json]:
        """Every entry of a paged list, each once, and none missing that was there all along.

        Logto pages by number: an entry moves to a page that was read already when an earlier one goes. So a
        list of more than one page is read until two readings in a row agree. Raises :class:`LogtoUnavailable`
        for a list that changes during every reading: part of it is never taken for the whole.
        """
        before: dict[str, Json] | None = None
        for _ in range(_READINGS):
            found, is_whole = await self._read_list(path, query)
            if is_whole or (before is not None and found.keys() == before.keys()):
                return list(found.values())
            before = found
        raise LogtoUnavailable("The list in Logto kept changing while it was read. Try again in a moment.")

    async def _read_list(self, path: str, query: Query | None) -> tuple[dict[str, Json], bool]:
        """The entries of all pages by id, and whether one page held them all."""
        found: dict[str, Json] = {}
        count = 0
        for page in range(1, _MAX_PAGES + 1):
            answer = await self.call(
                "GET", path, query={**(query or {}), "page": page, "page_size": PAGE_SIZE}
            )
            entries = as_list(answer.body)
            count += len(entries)
            found.update((_id_of(entry), entry) for entry in entries)
            if not entries or answer.total is None or count >= answer.total:
                return found, page == 1
        raise LogtoUnavailable("The list in Logto does not end.")

    async def _authorized(self, method: str, path: str, body: Json, query: Query | None) -> Answer:
        token = await self._machine_token()
        try:
            return await self._send(method, path, body, query, token)
        except ManagementError as refusal:
            if refusal.status != 401:
                raise
        self._forget(token)
        return await self._send(method, path, body, query, await self._machine_token())

    async def _send(self, method: str, path: str, body: Json, query: Query | None, token: _Token) -> Answer:
        return await self._exchange(
            method,
            f"{self._settings.endpoint}/api{path}",
            json=body,
            params=query,
            headers={"Authorization": f"Bearer {token.value}"},
        )

    async def _machine_token(self) -> _Token:
        if (token := self._live_token()) is not None:
            return token
        return await self._token_attempts.join("token", self._fetch_token)

    def _live_token(self) -> _Token | None:
        if self._token is not None and time.monotonic() < self._token.replace_at:
            return self._token
        return None

    def _forget(self, token: _Token) -> None:
        if self._token is token:
            self._token = None

    async def _fetch_token(self) -> _Token:
        """Client credentials with Basic authentication; without ``scope=all`` Logto answers 403 to all."""
        secret, asked = self._settings.app_secret.get_secret_value(), time.monotonic()
        answer = await self._exchange(
            "POST",
            self._settings.token_url,
            data={
                "grant_type": "client_credentials",
                "resource": self._settings.resource,
                "scope": "all",
            },
            headers={"Authorization": _basic(self._settings.app_id, secret)},
        )
        try:
            lifetime, value = float(answer.body["expires_in"]), str(answer.body["access_token"])
        except (KeyError, TypeError, ValueError):
            raise LogtoUnavailable("Logto returned a token response that could not be read.") from None
        answered = time.monotonic()
        self.clock.learn(value, asked=asked, answered=answered)
        self._token = _Token(value, answered + lifetime * (1 - _EARLY))
        return self._token

    async def close(self) -> None:
        """Let a running attempt finish when the application stops."""
        await self._token_attempts.close()

    async def _exchange(self, method: str, url: str, **how: Any) -> Answer:
        try:
            async with self._http.request(method, url, timeout=self._timeout, **how) as response:
                text = await response.text()
        except (aiohttp.ClientError, TimeoutError, UnicodeDecodeError):
            raise LogtoUnavailable("Logto did not respond.") from None
        body = _read(text, response.content_type)
        if response.status >= 400:
            raise _refusal(response.status, body, response.headers.get("Retry-After", ""))
        total = response.headers.get("Total-Number", "")
        return Answer(body, int(total) if total.isdecimal() else None)


def _basic(client_id: str, secret: str) -> str:
    """RFC 6749 §2.3.1: each half is form-encoded before the two are joined."""
    return aiohttp.encode_basic_auth(quote_plus(client_id), quote_plus(secret))


def as_list(body: Json) -> list[Json]:
    """A reply that must be a list. Raises :class:`LogtoUnavailable` when it is not."""
    if not isinstance(body, list):
        raise LogtoUnavailable("Logto returned a response that could not be read.")
    return body


def _id_of(entry: Json) -> str:
    try:
        return str(entry["id"])
    except (KeyError, TypeError):
        raise LogtoUnavailable("Logto returned a response that could not be read.") from None


def _read(text: str, content_type: str) -> Json:
    if content_type != "application/json":
        return text or None  # "Created", or nothing
    try:
        return clean_json(json.loads(text)) if text else None
    except (ValueError, RecursionError):
        raise LogtoUnavailable("Logto returned a response that could not be read.") from None


def _refusal(status: int, body: Json, retry_after: str) -> Exception:
    """Logto's own refusals carry a code; a failure, of it or of what stands in front of it, does not.

    501 is a refusal too: there is no connector for what was asked (Logto 1.42).
    """
    error = body if isinstance(body, dict) else {}
    code = error.get("code")
    wait = int(retry_after) if retry_after.isdecimal() else None
    if status >= 500 and not (code and status == 501):
        return LogtoUnavailable(f"Logto returned status {status}.")
    message = error.get("error_description") or error.get("message") or ""
    return ManagementError(status, str(code or "unknown"), str(message), error.get("data"), retry_after=wait)


def _asked_for(failure: BaseException) -> float:
    """Return the seconds that Logto asks us to wait; the backoff comes on top, so that callers spread out."""
    return (isinstance(failure, ManagementError) and failure.retry_after) or 0


def _report(method: str, path: str, state: RetryCallState) -> None:
    why = str(state.outcome.exception()) if state.outcome else ""
    log.warning("logto call is tried again", method=method, path=path, why=why)
