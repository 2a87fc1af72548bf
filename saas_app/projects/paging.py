"""Pages of a list whose order moves: whoever walks through it misses nothing that was there all along.

The first page notes the last change it could see. Further pages go on among what has not changed since, whose
order stands still; what was changed meanwhile comes at the end, in an order that cannot move. So a row that
is touched between two pages may come twice, and never not at all.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Generic, Protocol, TypeVar

_BEFORE_ALL: Final = uuid.UUID(int=0)


class Identified(Protocol):
    """A row with a key that never changes."""

    @property
    def id(self) -> uuid.UUID:
        """The key, sorted by the time it was made."""


Row = TypeVar("Row", bound=Identified)
Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Place(Generic[Key]):
    """Where a page begins: behind ``key`` among what stands since ``as_of``, or behind ``changed``."""

    as_of: datetime
    key: Key | None = None
    changed: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Portion(Generic[Row, Key]):
    """The rows of a page, and where the next one begins; None at the end."""

    rows: list[Row]
    following: Place[Key] | None


@dataclass(frozen=True, slots=True)
class Order(Generic[Row, Key]):
    """How a list is read: ``standing(place, limit)`` answers what did not change since, in the list's order,
    ``changed(as_of, after, limit)`` what did, by id.
    """

    key_of: Callable[[Row], Key]
    standing: Callable[[Place[Key], int], Awaitable[list[Row]]]
    changed: Callable[[datetime, uuid.UUID | None, int], Awaitable[list[Row]]]


def first_portion(
    rows: list[Row], size: int, as_of: datetime, key_of: Callable[[Row], Key]
) -> Portion[Row, Key]:
    """The first page, from ``size + 1`` rows."""
    if len(rows) <= size:
        return Portion(rows, None)
    return Portion(rows[:size], Place(as_of, key_of(rows[size - 1])))


async def next_portion(place: Place[Key], size: int, order: Order[Row, Key]) -> Portion[Row, Key]:
    """The page that begins at a place."""
    rows = [] if place.changed is not None else await order.standing(place, size + 1)
    standing = len(rows)
    if standing <= size:
        rows += await order.changed(place.as_of, place.changed, size + 1 - standing)
    if len(rows) <= size:
        return Portion(rows, None)
    last = rows[size - 1]
    if standing > size:
        return Portion(rows[:size], Place(place.as_of, order.key_of(last)))
    return Portion(rows[:size], Place(place.as_of, changed=_BEFORE_ALL if standing == size else last.id))
