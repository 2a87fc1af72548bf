"""Pages of lists: ``page`` and ``page_size`` in the query, ``Total-Number`` and ``Link`` in the response."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import sqlalchemy as sa
from quart import Response, request

from local_logto.context import origin_of
from local_logto.errors import RequestError
from local_logto.responses import json_response

DEFAULT_PAGE_SIZE: Final = 20
LARGEST_PAGE_SIZE: Final = 100


@dataclass(frozen=True)
class Paging:
    """The requested page. ``number`` starts at 1."""

    number: int
    size: int


@dataclass(frozen=True)
class Page:
    """The rows of one page, and their total number. Without ``paging`` it is the whole list."""

    rows: Sequence[sa.RowMapping]
    total: int
    paging: Paging | None


def read_paging(*, is_optional: bool = False) -> Paging | None:
    """Read the requested page. Raises 400 ``guard.invalid_pagination``.

    If ``is_optional``, a request without either parameter gets the whole list: the result is None.
    """
    page, size = request.args.get("page"), request.args.get("page_size")
    if is_optional and page is None and size is None:
        return None
    number, count = _positive(page, 1), _positive(size, DEFAULT_PAGE_SIZE)
    if number is None or count is None or count > LARGEST_PAGE_SIZE:
        raise RequestError(400, "guard.invalid_pagination", "The request pagination value is invalid.")
    return Paging(number, count)


def read_page(connection: sa.Connection, query: sa.Select[Any], paging: Paging | None) -> Page:
    """Read the requested page of an ordered query."""
    if paging is None:
        rows = connection.execute(query).mappings().all()
        return Page(rows, len(rows), None)
    count = sa.select(sa.func.count()).select_from(query.order_by(None).subquery())
    total = connection.execute(count).scalar_one()
    some = query.limit(paging.size).offset((paging.number - 1) * paging.size)
    return Page(connection.execute(some).mappings().all(), total, paging)


def list_response(entities: Sequence[object], page: Page) -> Response:
    """Return the entities of a page, with headers that link to the other pages."""
    response = json_response(list(entities))
    if page.paging is not None:
        response.headers["Total-Number"] = str(page.total)
        for relation, number in _other_pages(page.paging, page.total):
            response.headers.add("Link", f'<{_url_of(number)}>; rel="{relation}"')
    return response


def _positive(value: str | None, default: int) -> int | None:
    if value is None:
        return default
    return int(value) if value.isascii() and value.isdecimal() and int(value) > 0 else None


def _other_pages(paging: Paging, total: int) -> list[tuple[str, int]]:
    last = max(1, -(-total // paging.size))
    found = [("first", 1)]
    if paging.number > 1:
        found.append(("prev", paging.number - 1))
    found.append(("last", last))
    if paging.number < last:
        found.append(("next", paging.number + 1))
    return found


def _url_of(number: int) -> str:
    """Return the URL that Logto gives. It lacks ``/api``, so it doesn't work."""
    path = request.path.removeprefix("/api")
    query = urlencode({**request.args.to_dict(), "page": str(number)}, safe="*")
    return f"{origin_of(request)}{path}?{query}"
