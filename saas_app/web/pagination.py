"""Keyset paging: a page begins after a row, not after a count, so it stays correct while rows change.

Pure: cursors and pages as values. The query that uses them belongs to the feature.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from saas_app.errors import BadRequest
from saas_app.text.translation import _

T = TypeVar("T")

MAX_CURSOR_LENGTH = 2400
"""What the longest sort value, a project's folded name in letters of four bytes, and its id need."""

_MAX_INTEGER = 2**63 - 1  # what a database column holds
INVALID_CURSOR = _("This page address is no longer valid. Start from the first page.")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items of a list. ``next_cursor`` is None at the end; ``is_first`` says that none came before."""

    items: tuple[T, ...]
    next_cursor: str | None = None
    is_first: bool = True


def encode_cursor(*values: str | int | uuid.UUID | datetime) -> str:
    """Return the sort values of a row, its unique id last, as an opaque text for a URL."""
    texts = [value.isoformat() if isinstance(value, datetime) else str(value) for value in values]
    raw = json.dumps(texts, separators=(",", ":"), ensure_ascii=False).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode_cursor(cursor: str | None, *kinds: type) -> tuple[Any, ...] | None:
    """Return the values given to :func:`encode_cursor`, of these types, or None if there is no cursor.

    A cursor comes from outside, so everything about it is checked. Raises :class:`BadRequest`.
    """
    if not cursor:
        return None
    try:
        return tuple(_PARSERS[kind](text) for kind, text in zip(kinds, _texts(cursor), strict=True))
    except (ValueError, OverflowError, RecursionError):  # binascii, JSON, Unicode errors are ValueErrors
        raise BadRequest(INVALID_CURSOR) from None


def page_of(
    rows: Sequence[T], size: int, cursor_of: Callable[[T], str], *, after: object | None = None
) -> Page[T]:
    """Return a page from ``size + 1`` rows. The extra row only shows that more follow."""
    items = tuple(rows[:size])
    more = len(rows) > size
    return Page(items, cursor_of(items[-1]) if more and items else None, is_first=after is None)


def _texts(cursor: str) -> list[str]:
    if len(cursor) > MAX_CURSOR_LENGTH or not cursor.isascii():
        raise ValueError("too long or not ASCII")
    raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    texts = json.loads(raw)
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ValueError("not a list of texts")
    return texts


def _text(text: str) -> str:
    text.encode()  # a lone surrogate cannot be sent to a database
    if "\x00" in text:
        raise ValueError("no database compares with NUL")
    return text


def _integer(text: str) -> int:
    number = int(text)
    if abs(number) > _MAX_INTEGER:
        raise ValueError("too large")
    return number


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("times are aware")
    return moment.astimezone(UTC)


_PARSERS: dict[type, Callable[[str], Any]] = {
    str: _text,
    int: _integer,
    uuid.UUID: uuid.UUID,
    datetime: _moment,
}
