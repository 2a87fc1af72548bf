"""Pages of lists that Logto pages by number and orders by id: the cursor names the last id.

A number alone would skip somebody when another on an earlier page is removed, and repeat somebody when one is
added. So the page that holds the last id is looked for, from where it was.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

from saas_app.errors import BadRequest
from saas_app.members.service import Listing
from saas_app.web.pagination import decode_cursor, encode_cursor

_LAST_PAGE: Final = 1_000_000
_LARGEST_PAGE: Final = 100  # the most Logto 1.42 gives


class Identified(Protocol):
    """Somebody or something with an id of Logto's."""

    @property
    def id(self) -> str:
        """By which Logto orders the list."""


Item = TypeVar("Item", bound=Identified)


@dataclass(frozen=True, slots=True)
class Position:
    """Behind which id a page begins, on which of Logto's pages that was, and how long those are."""

    after: str
    number: int
    size: int


@dataclass(frozen=True, slots=True)
class Following(Generic[Item]):
    """Items of a page, how many there are on all pages, and the cursor of the next one; None at the end."""

    items: tuple[Item, ...]
    total: int
    next_cursor: str | None


def read_position(cursor: str | None, limit: int) -> Position:
    """Where to go on. Raises :class:`BadRequest`."""
    decoded = decode_cursor(cursor, str, int, int)
    position = Position("", 1, limit) if decoded is None else Position(*decoded)
    if not (1 <= position.number <= _LAST_PAGE and 1 <= position.size <= _LARGEST_PAGE):
        raise BadRequest("This cursor is not valid. Start at the first page.")
    return position


async def following(
    position: Position, read: Callable[[int, int], Awaitable[Listing[Item]]]
) -> Following[Item]:
    """The items behind a position; ``read`` asks Logto for a page by its number and size."""
    number, size, pages = position.number, position.size, dict[int, Listing[Item]]()

    async def page(wanted: int) -> Listing[Item]:
        if wanted not in pages:
            pages[wanted] = await read(wanted, size)
        return pages[wanted]

    while number > 1 and _begins_behind(await page(number), position.after):
        number -= 1  # somebody before was removed
    found: list[tuple[Item, int]] = []
    while True:
        listing = await page(number)
        found += [(item, number) for item in listing.items if item.id > position.after]
        if len(found) > size or not listing.has_next:
            break
        number += 1
    more = found[size - 1] if len(found) > size else None
    cursor = encode_cursor(more[0].id, more[1], size) if more else None
    return Following(tuple(item for item, _ in found[:size]), listing.total, cursor)


def _begins_behind(listing: Listing[Item], after: str) -> bool:
    return not listing.items or listing.items[0].id > after
