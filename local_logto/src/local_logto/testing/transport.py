"""Single HTTP requests to the provider, without redirects. Standard library only."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPMessage
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

_TIMEOUT: Final = 30.0  # seconds


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete response."""

    status: int
    headers: HTTPMessage
    text: str

    @property
    def json(self) -> Any:
        """The decoded body, or None if it is not JSON, such as Logto's text *Created*."""
        return json.loads(self.text) if "json" in self.headers.get("Content-Type", "") else None


class RequestRefused(AssertionError):
    """The provider's response is not what the test needs. The message shows it."""


def send(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: object = None,
    form: Mapping[str, str] | None = None,
) -> Reply:
    """Send a request. ``body`` is sent as JSON, ``form`` as a form."""
    parts = urlsplit(url)
    sent = dict(headers or {})
    data = None
    if form is not None:
        data, sent["Content-Type"] = urlencode(form), "application/x-www-form-urlencoded"
    elif body is not None:
        data, sent["Content-Type"] = json.dumps(body), "application/json"
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_TIMEOUT)
    try:
        target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        connection.request(method, target, data, sent)
        answer = connection.getresponse()
        return Reply(answer.status, answer.headers, answer.read().decode())
    finally:
        connection.close()


def expect(reply: Reply, request: str, *statuses: int) -> Reply:
    """Return the reply if its status is one of these. Raises :class:`RequestRefused`."""
    if reply.status not in statuses:
        raise RequestRefused(f"{request}: {reply.status} {reply.text}")
    return reply
