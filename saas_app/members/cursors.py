"""Cursors of lists that Logto pages: it counts pages, and the cursor says which one and how long they are."""

from __future__ import annotations

from typing import Any, Final

from saas_app.errors import BadRequest
from saas_app.members.service import Listing
from saas_app.web.pagination import decode_cursor, encode_cursor

_LAST_PAGE: Final = 1_000_000
_LARGEST_PAGE: Final = 100  # the most Logto 1.42 gives


def read_page_cursor(cursor: str | None, limit: int) -> tuple[int, int]:
    """The page's number, counted from 1, and its size. Raises :class:`BadRequest`."""
    decoded = decode_cursor(cursor, int, int)
    page, size = (1, limit) if decoded is None else (decoded[0], decoded[1])
    if not (1 <= page <= _LAST_PAGE and 1 <= size <= _LARGEST_PAGE):
        raise BadRequest("This cursor is not valid. Start at the first page.")
    return page, size


def next_page_cursor(found: Listing[Any]) -> str | None:
    """The cursor of the page after this one; None at the end."""
    return encode_cursor(found.number + 1, found.size) if found.has_next else None
