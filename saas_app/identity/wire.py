"""Records exchanges with Logto's token endpoint, for people who learn how tokens are made.

Secrets never enter a record: their values are replaced by the name of what stood there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self

from saas_app.db.base import utc_now

_SENT: Final = {
    "client_secret": "client secret",
    "code": "authorization code",
    "code_verifier": "code verifier",
    "refresh_token": "refresh token",
    "subject_token": "subject token",
}
"""Parameters of requests whose values are secret, and what stands in their place."""

_RETURNED: Final = {
    "access_token": "access token",
    "id_token": "ID token",
    "refresh_token": "refresh token",
}
"""Fields of responses whose values are secret, and what stands in their place."""


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
        sent, returned = _without(_SENT, form), _without(_RETURNED, shown)
        exchanges.append(Exchange("POST", url, tuple(sent.items()), status, returned, utc_now()))


def _without(secrets: Mapping[str, str], values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: f"‹{secrets[name]}›" if value and name in secrets else value for name, value in values.items()
    }
