"""Reads lists page by page, and notices if they change meanwhile."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from saas_app.errors import LogtoUnavailable
from saas_app.logto.responses import Answer, Json, as_list, unreadable
from saas_app.text.translation import _

PAGE_SIZE = 100  # the largest that Logto 1.42 accepts
_MAX_PAGES = 1000
_MAX_READINGS = 5  # of a list that keeps changing

Query: TypeAlias = Mapping[str, str | int]
ReadPage: TypeAlias = Callable[[Query], Awaitable[Answer]]


async def read_whole_list(read_page: ReadPage) -> list[Json]:
    """Return every entry of a paged list once, without missing one that was there all the time.

    Logto numbers its pages: when an entry is deleted, later ones move to a page that has been read already.
    So a list of more than one page is read until two readings in a row agree. Raises
    :class:`LogtoUnavailable` if it changes during every reading, because an incomplete list must not pass for
    a complete one.
    """
    before: dict[str, Json] | None = None
    for _attempt in range(_MAX_READINGS):
        found, is_one_page = await _read_once(read_page)
        if is_one_page or (before is not None and found.keys() == before.keys()):
            return list(found.values())
        before = found
    raise LogtoUnavailable(_("The list in Logto kept changing while it was read. Try again in a moment."))


async def _read_once(read_page: ReadPage) -> tuple[dict[str, Json], bool]:
    """Return the entries of all pages by ID, and whether a single page held them all."""
    found: dict[str, Json] = {}
    count = 0
    for page in range(1, _MAX_PAGES + 1):
        answer = await read_page({"page": page, "page_size": PAGE_SIZE})
        entries = as_list(answer.body)
        count += len(entries)
        found.update((_id_of(entry), entry) for entry in entries)
        if not entries or answer.total is None or count >= answer.total:
            return found, page == 1
    raise LogtoUnavailable(_("The list in Logto does not end."))


def _id_of(entry: Json) -> str:
    try:
        return str(entry["id"])
    except (KeyError, TypeError):
        raise unreadable() from None
