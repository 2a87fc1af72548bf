"""Pages of a list whose rows move when they change. No row that existed the whole time is missed.

The first page notes the last change before it. Further pages first list the rows that have not changed since,
which keep their order. The rows that have changed come at the end, sorted by id. So a row that changes
between two pages can be listed twice, but is never missed.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Generic, Protocol, TypeVar

_BEFORE_ALL: Final = uuid.UUID(int=0)


class Identified(Protocol):
    """A row with an id that never changes."""

    @property
    def id(self) -> uuid.UUID:
        """The UUIDv7, which sorts by the time of creation."""


Row = TypeVar("Row", bound=Identified)
Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Place(Generic[Key]):
    """The row after which a page begins: ``key`` among rows not changed since ``as_of``, else ``changed``."""

    as_of: datetime
    key: Key | None = None
    changed: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Portion(Generic[Row, Key]):
    """The rows of a page, and the place of the next page, or None at the end."""

    rows: list[Row]
    following: Place[Key] | None


@dataclass(frozen=True, slots=True)
class Order(Generic[Row, Key]):
    """The queries of a list.

    ``unchanged(place, limit)`` returns rows not changed since ``place.as_of``, in the order of the list.
    ``changed(as_of, after, limit)`` returns the others, sorted by id.
    """

    key_of: Callable[[Row], Key]
    unchanged: Callable[[Place[Key], int], Awaitable[list[Row]]]
    changed: Callable[[datetime, uuid.UUID | None, int], Awaitable[list[Row]]]


def first_portion(
    rows: list[Row], size: int, as_of: datetime, key_of: Callable[[Row], Key]
) -> Portion[Row, Key]:
    """Return the first page, from ``size + 1`` rows."""
    if len(rows) <= size:
        return Portion(rows, None)
    return Portion(rows[:size], Place(as_of, key_of(rows[size - 1])))


async def next_portion(place: Place[Key], size: int, order: Order[Row, Key]) -> Portion[Row, Key]:
    """Return the page that begins at a place."""
    rows = [] if place.changed is not None else await order.unchanged(place, size + 1)
    unchanged = len(rows)
    if unchanged <= size:
        rows += await order.changed(place.as_of, place.changed, size + 1 - unchanged)
    if len(rows) <= size:
        return Portion(rows, None)
    last = rows[size - 1]
    if unchanged > size:
        return Portion(rows[:size], Place(place.as_of, order.key_of(last)))
    return Portion(rows[:size], Place(place.as_of, changed=_BEFORE_ALL if unchanged == size else last.id))
