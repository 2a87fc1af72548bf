"""Records exchanges with Logto's token endpoint, for people who learn how tokens are made.

Secrets never enter a record: their values are replaced by the name of what stood there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from http.client import responses
from typing import Any, Final, Self

from saas_app.db.base import utc_now
from saas_app.text.translation import Sentence, _

_SENT: Final = {
    "actor_token": _("actor token"),
    "client_secret": _("client secret"),
    "code": _("authorization code"),
    "code_verifier": _("code verifier"),
    "refresh_token": _("refresh token"),
    "subject_token": _("subject token"),
}
"""Parameters of requests whose values are secret, and what stands in their place."""

_RETURNED: Final = {
    "access_token": _("access token"),
    "id_token": _("ID token"),
    "refresh_token": _("refresh token"),
}
"""Fields of responses whose values are secret, and what stands in their place."""

_OTHER: Final = _("secret")
"""What stands in the place of a value that is not expected, with the name of a secret."""

_NAMES_OF_SECRETS: Final = re.compile(r"token(?!_type)|secret|password|assertion|verifier", re.IGNORECASE)
_REPLACED: Final = {f"‹{secret}›": secret for secret in (*_SENT.values(), *_RETURNED.values(), _OTHER)}


@dataclass(frozen=True, slots=True)
class WireValue:
    """A parameter of a request, or a field of a response, for a page.

    ``secret`` says what the value was, if it is a secret that was replaced.
    """

    name: str
    value: Any
    secret: Sentence | None


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A request to the token endpoint, without secrets. ``form`` are its parameters in their order."""

    method: str
    url: str
    form: tuple[tuple[str, str], ...]

    @property
    def sent(self) -> tuple[WireValue, ...]:
        """The parameters of the request."""
        return tuple(_wire_value(name, value) for name, value in self.form)

    @classmethod
    def of(cls, url: str, form: Mapping[str, str]) -> Self:
        """Return a request as it is sent, with its secrets replaced."""
        return cls("POST", url, tuple(_without(_SENT, form).items()))


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request to the token endpoint and its response (RFC 6749 §4 and §5), without secrets.

    ``form`` are the parameters of the request in their order. ``status`` is 0 if there was no response.
    """

    method: str
    url: str
    form: tuple[tuple[str, str], ...]
    status: int
    answer: Mapping[str, Any]
    at: datetime

    @property
    def request(self) -> TokenRequest:
        """The request alone."""
        return TokenRequest(self.method, self.url, self.form)

    @property
    def returned(self) -> tuple[WireValue, ...]:
        """The fields of the response."""
        return tuple(_wire_value(name, value) for name, value in self.answer.items())

    @property
    def phrase(self) -> str:
        """What the status is called in the protocol."""
        return phrase_of(self.status)

    def as_json(self) -> dict[str, Any]:
        """Return the exchange as JSON, for storage."""
        return {
            "method": self.method,
            "url": self.url,
            "form": [list(pair) for pair in self.form],
            "status": self.status,
            "answer": dict(self.answer),
            "at": self.at.isoformat(),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Return the exchange that :meth:`as_json` stored."""
        return cls(
            stored["method"],
            stored["url"],
            tuple((name, value) for name, value in stored["form"]),
            stored["status"],
            stored["answer"],
            datetime.fromisoformat(stored["at"]),
        )


_recorded: ContextVar[list[Exchange] | None] = ContextVar("recorded_exchanges", default=None)


@contextmanager
def recorded() -> Iterator[list[Exchange]]:
    """Record the exchanges that are made for the block, in the returned list."""
    exchanges: list[Exchange] = []
    token = _recorded.set(exchanges)
    try:
        yield exchanges
    finally:
        _recorded.reset(token)


def record_exchange(url: str, form: Mapping[str, str], status: int, answer: object) -> None:
    """Add an exchange to the running record, if there is one."""
    exchanges = _recorded.get()
    if exchanges is not None:
        shown = answer if isinstance(answer, Mapping) else {}
        sent, returned = TokenRequest.of(url, form), _without(_RETURNED, shown)
        exchanges.append(Exchange(sent.method, sent.url, sent.form, status, returned, utc_now()))


def _without(secrets: Mapping[str, str], values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _shown(secrets, name, value) for name, value in values.items()}


def _shown(secrets: Mapping[str, str], name: str, value: Any) -> Any:
    if value and name in secrets:
        return f"‹{secrets[name]}›"
    if value and _NAMES_OF_SECRETS.search(name):
        return f"‹{_OTHER}›"
    return _without(secrets, value) if isinstance(value, Mapping) else value


def phrase_of(status: int) -> str:
    """Return what a status is called in the protocol, or "" if it has no name there."""
    return responses.get(status, "")


def _wire_value(name: str, value: Any) -> WireValue:
    return WireValue(name, value, _REPLACED.get(value) if isinstance(value, str) else None)
