"""One HTTP exchange with Logto, and what its response means: a body, a refusal, or an outage.

Tokens and secrets are never logged and never part of an error.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, TypeAlias

import aiohttp

from saas_app.errors import LogtoUnavailable
from saas_app.text.cleaning import clean_json
from saas_app.text.translation import _

Json: TypeAlias = Any


class ManagementError(Exception):
    """A call that Logto refused: the HTTP status, Logto's stable code, its message and any further data.

    ``retry_after`` is in seconds, or None if Logto does not say when to try again.
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
    """A successful response. ``body`` is None if there is none, and text if it is not JSON (``Created``)."""

    body: Json
    total: int | None  # entries on all pages of a paged list


async def exchange(http: aiohttp.ClientSession, method: str, url: str, **options: Any) -> Answer:
    """Send one request and return the response.

    Raises :class:`ManagementError` if Logto refuses the request, and :class:`LogtoUnavailable` if it fails,
    does not respond, or sends something that cannot be read.
    """
    try:
        async with http.request(method, url, **options) as response:
            text = await response.text()
    except (aiohttp.ClientError, TimeoutError, UnicodeDecodeError):
        raise LogtoUnavailable(_("Logto did not respond.")) from None
    body = _read_body(text, response.content_type)
    if response.status >= 400:
        raise _error_of(response.status, body, response.headers.get("Retry-After", ""))
    total = response.headers.get("Total-Number", "")
    return Answer(body, int(total) if total.isdecimal() else None)


def unreadable() -> LogtoUnavailable:
    """Return the error to raise for a successful response without the expected content."""
    return LogtoUnavailable(_("Logto returned a response that could not be read."))


def as_list(body: Json) -> list[Json]:
    """Return a body that must be a list. Raises :class:`LogtoUnavailable` if it is not one."""
    if not isinstance(body, list):
        raise unreadable()
    return body


def _read_body(text: str, content_type: str) -> Json:
    if content_type != "application/json":
        return text or None
    try:
        return clean_json(json.loads(text)) if text else None
    except (ValueError, RecursionError):
        raise unreadable() from None


def _error_of(status: int, body: Json, retry_after: str) -> Exception:
    """Tell a refusal from an outage: only Logto's refusals carry a code, and proxies send none.

    501 is a refusal too: there is no connector for the request (Logto 1.42).
    """
    error = body if isinstance(body, dict) else {}
    code = error.get("code")
    wait = int(retry_after) if retry_after.isdecimal() else None
    if status >= 500 and not (code and status == 501):
        return LogtoUnavailable(_("Logto returned status %(status)s.", status=status))
    message = error.get("error_description") or error.get("message") or ""
    return ManagementError(status, str(code or "unknown"), str(message), error.get("data"), retry_after=wait)


async def ignore_missing(call: Awaitable[None]) -> None:
    """Await a deletion, and ignore a 404, because then there is nothing to delete."""
    try:
        await call
    except ManagementError as refusal:
        if refusal.status != 404:
            raise
