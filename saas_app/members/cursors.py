"""Cursors for lists that Logto pages by number and orders by id: the cursor names the last id.

A page number alone would skip an item when one on an earlier page is removed, and repeat one when an item is
added. So the page with the last id is searched for, starting where it was. If an item moved to another page
during the search, the pages are read again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeAlias, TypeVar

from saas_app.errors import BadRequest, LogtoUnavailable
from saas_app.members.values import Listing
from saas_app.text.translation import _
from saas_app.web.pagination import decode_cursor, encode_cursor

_LAST_PAGE: Final = 1_000_000
_LARGEST_PAGE: Final = 100  # the limit of Logto 1.42
_MAX_ATTEMPTS: Final = 5  # if items move while the pages are read
_MAX_PAGES: Final = 20  # between the page in the cursor and the page that has the position now
_INVALID: Final = _("This cursor is not valid. Start from the first page.")


class Identified(Protocol):
    """An item with an id from Logto."""

    @property
    def id(self) -> str:
        """The id, by which Logto sorts the list."""


Item = TypeVar("Item", bound=Identified)
Read: TypeAlias = Callable[[int, int], Awaitable[Listing[Item]]]


@dataclass(frozen=True, slots=True)
class Position:
    """The id after which a page begins, and the number and size of Logto's page that had it."""

    after: str
    number: int
    size: int


@dataclass(frozen=True, slots=True)
class Following(Generic[Item]):
    """The items of a page, the total on all pages, and the cursor of the next page, or None at the end."""

    items: tuple[Item, ...]
    total: int
    next_cursor: str | None


def read_position(cursor: str | None, limit: int) -> Position:
    """Read the position in a cursor. Raises :class:`BadRequest`."""
    decoded = decode_cursor(cursor, str, int, int)
    position = Position("", 1, limit) if decoded is None else Position(*decoded)
    if not (1 <= position.number <= _LAST_PAGE and 1 <= position.size <= _LARGEST_PAGE):
        raise BadRequest(_INVALID)
    return position


async def following(position: Position, read: Read[Item]) -> Following[Item]:
    """Return the items after a position. ``read`` requests a page from Logto by its number and size.

    Raises :class:`LogtoUnavailable` if the list changes during every attempt, and :class:`BadRequest` if the
    position is far from the page that the cursor names, so that no cursor causes thousands of requests to
    Logto.
    """
    for _attempt in range(_MAX_ATTEMPTS):
        pages = await _pages_after(position, read)
        if await _is_unchanged(pages, position.size, read):
            return _portion(position, pages)
    raise LogtoUnavailable(_("The list in Logto kept changing while it was read. Try again in a moment."))


async def _pages_after(position: Position, read: Read[Item]) -> list[Listing[Item]]:
    """Read Logto's pages in order, from the one with the position, until they fill one of our pages."""
    pages = [await _page_of(position, read)]
    while len(_items_after(position, pages)) < position.size and pages[-1].has_next and pages[-1].items:
        if len(pages) > _MAX_PAGES:
            raise BadRequest(_INVALID)
        pages.append(await read(pages[-1].number + 1, position.size))
    return pages


async def _page_of(position: Position, read: Read[Item]) -> Listing[Item]:
    """Find the page with the position: where it was, or earlier if items were removed."""
    listing = await read(position.number, position.size)
    for _attempt in range(_MAX_PAGES):
        if listing.number == 1 or not _begins_after(listing, position.after):
            return listing
        listing = await read(min(listing.number - 1, listing.last_number), position.size)
    raise BadRequest(_INVALID)


async def _is_unchanged(pages: list[Listing[Item]], size: int, read: Read[Item]) -> bool:
    """Return whether no item moved during the search: all pages but the last still have the same items."""
    for listing in pages[:-1]:
        again = await read(listing.number, size)
        if [item.id for item in again.items] != [item.id for item in listing.items]:
            return False
    return True


def _portion(position: Position, pages: list[Listing[Item]]) -> Following[Item]:
    size, found = position.size, _items_after(position, pages)
    has_more = len(found) > size or pages[-1].has_next
    cursor = None
    if has_more and found:
        last, number = found[:size][-1]
        cursor = encode_cursor(last.id, number, size)
    return Following(tuple(item for item, _number in found[:size]), pages[-1].total, cursor)


def _items_after(position: Position, pages: list[Listing[Item]]) -> list[tuple[Item, int]]:
    return [(item, listing.number) for listing in pages for item in listing.items if item.id > position.after]


def _begins_after(listing: Listing[Item], after: str) -> bool:
    return not listing.items or listing.items[0].id > after
