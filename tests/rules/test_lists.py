"""Every paginated list rejects cursors and pages that it did not hand out.

The lists are found, not named: API lists by the schema, lists on pages by the query parameters they read. A
new list is tested without any change here.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from quart import Quart
from quart.wrappers import Response
from werkzeug.datastructures import MultiDict

from saas_app.config import Settings
from saas_app.runtime import Runtime
from saas_app.web.clean_request import CleanRequest
from saas_app.web.json_api.pages import schema_text
from saas_app.web.pagination import encode_cursor
from tests.clients import Browser
from tests.factories import Factory
from tests.rules.calls import fill
from tests.rules.routes import TENANT_ROUTES, Route, application
from tests.rules.rows import make_rows

_PLACES = frozenset({"cursor", "after", "before", "page"})
"""Query parameters that say where a page begins."""

PAGES = [route for route in TENANT_ROUTES if route.method == "GET" and not route.is_api]


def _api_lists() -> list[Route]:
    names = {
        operation["operationId"]
        for methods in json.loads(schema_text(application()))["paths"].values()
        for operation in methods.values()
        if any(parameter["name"] == "cursor" for parameter in operation["parameters"])
    }
    return [route for route in TENANT_ROUTES if route.is_api and route.endpoint.rpartition(".")[2] in names]


API_LISTS = _api_lists()


@dataclass(frozen=True, slots=True)
class Office:
    """An organization with several rows on every list, and its admin's browser."""

    browser: Browser
    values: dict[str, Any]

    def address(self, route: Route) -> str:
        return fill(route, self.values)

    async def get(self, route: Route, query: str) -> Response:
        response = await self.browser.app.get(f"{self.address(route)}?{query}")
        assert isinstance(response, Response)
        return response

    async def cursors(self) -> dict[Route, str]:
        """Return the cursor of the second page of each API list."""
        found = {route: await (await self.get(route, "limit=1")).get_json() for route in API_LISTS}
        return {route: body["next_cursor"] for route, body in found.items()}

    async def ids(self) -> set[str]:
        """Return the ids of all rows on the API lists."""
        found = [await (await self.get(route, "limit=100")).get_json() for route in API_LISTS]
        return {item["id"] for body in found for item in body["items"]}


@dataclass(frozen=True, slots=True)
class Lists:
    """Two organizations, and all lists: each a route and the parameter that says where a page begins."""

    acme: Office
    globex: Office
    all: list[tuple[Route, str]]


async def _office_with_rows(
    app: Quart, settings: Settings, make: Factory, runtime: Runtime, name: str
) -> Office:
    admin = await make.person()
    organization_id = await make.organization(name, admin=admin)
    browser = Browser(app, settings.redirect_uri)
    await browser.sign_in(admin)
    rows: dict[str, Any] = {"organization_id": organization_id}
    for _ in range(2):
        rows |= await make_rows(make, runtime, organization_id)
    for title in ("Second", "Third"):  # each is an event of the audit log too
        await browser.post(f"/o/{organization_id}/projects/{rows['project_id']}/tasks", {"title": title})
    return Office(browser, rows)


@contextmanager
def _noting_what_is_read() -> Iterator[set[str]]:
    """Record the names of query parameters that views read, until the block ends."""
    read, cleaned = set(), CleanRequest.__dict__["args"].fget

    class Noting(MultiDict[str, str]):
        def __getitem__(self, name: str) -> str:
            read.add(name)
            return super().__getitem__(name)

        def __contains__(self, name: object) -> bool:
            read.add(str(name))
            return super().__contains__(name)

        def getlist(self, name: str, *rest: Any) -> Any:
            read.add(name)
            return super().getlist(name, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CleanRequest, "args", property(lambda request: Noting(cleaned(request))))
        yield read


async def _lists_among_pages(office: Office) -> list[tuple[Route, str]]:
    found = []
    for route in PAGES:
        with _noting_what_is_read() as read:
            shown = await office.get(route, "")
        if shown.status_code == 200:  # otherwise it redirects to a page that is in PAGES itself
            found += [(route, name) for name in sorted(read & _PLACES)]
    return found


@pytest.fixture(scope="module")
async def lists(app: Quart, settings: Settings, make: Factory, runtime: Runtime) -> AsyncIterator[Lists]:
    """Acme and Globex, and every list."""
    acme = await _office_with_rows(app, settings, make, runtime, "Acme")
    globex = await _office_with_rows(app, settings, make, runtime, "Globex")
    async with acme.browser, globex.browser:
        pages = await _lists_among_pages(acme)
        yield Lists(acme, globex, [*((route, "cursor") for route in API_LISTS), *pages])


async def _is_rejected(route: Route, response: Response) -> bool:
    """Return whether the response is a 400, as a page or a problem document depending on the route."""
    if response.status_code != 400:
        return False
    if route.is_api:
        body = await response.get_json()
        return response.mimetype == "application/problem+json" and body["status"] == 400
    page = await response.get_data(as_text=True)
    return response.mimetype == "text/html" and 'class="error-page"' in page


async def _not_rejected(lists: Lists, value: str) -> list[str]:
    found = []
    for route, name in lists.all:
        response = await lists.acme.get(route, f"{name}={value}")
        if not await _is_rejected(route, response):
            found.append(f"{route}?{name}: {response.status_code} {response.mimetype}")
    return found


def _base64(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


INVALID = {
    "very long": "A" * 10_000,
    "long and well formed": _base64(json.dumps(["a" * 9_000])),
    "not base64": "!!!",
    "not ASCII": quote("ключ"),
    "one character": "A",
    "no UTF-8 inside": "_____w",
    "no JSON inside": _base64("cursor"),
    "an object": _base64("{}"),
    "null": _base64("null"),
    "a number": _base64("7"),
    "a text": _base64('"a"'),
    "an empty list": _base64("[]"),
    "a list of numbers": _base64("[1, 2, 3]"),
    "a list of null": _base64("[null]"),
    "a list of lists": _base64('[["a"]]'),
    "empty texts": _base64('["", "", ""]'),
    "deep": _base64("[" * 740),
    "NUL": "abc%00",
    "NUL inside": _base64('["\\u0000"]'),
    "half a character": "abc%ED%A0%80",
    "half a character inside": _base64('["\\ud800"]'),
    "invisible": "abc%E2%80%8B",
    "right to left": "abc%E2%80%AE",
    "zero": "0",
    "negative": "-1",
    "huge": "1000000000",
    "exponent": "1e9",
    "other digits": quote("١٢"),
}


@pytest.mark.parametrize("value", INVALID.values(), ids=INVALID)
async def test_an_invalid_cursor_or_page_is_rejected_by_every_list(lists: Lists, value: str) -> None:
    assert await _not_rejected(lists, value) == []


async def test_a_cursor_or_page_given_twice_is_rejected_by_every_list(lists: Lists) -> None:
    wrong = [
        f"{route}?{name}"
        for route, name in lists.all
        if not await _is_rejected(route, await lists.acme.get(route, f"{name}=&{name}="))
    ]
    assert wrong == []


@pytest.mark.parametrize(
    "limit", ["", "0", "-1", "101", "1001", "1000000000", "1e9", "1.5", quote("١٢"), "%00"]
)
async def test_a_limit_out_of_bounds_is_rejected_by_every_list(lists: Lists, limit: str) -> None:
    wrong = [
        str(route)
        for route in API_LISTS
        if not await _is_rejected(route, await lists.acme.get(route, f"limit={limit}"))
    ]
    assert wrong == []


async def test_every_list_is_found_and_has_a_second_page(lists: Lists) -> None:
    """The other tests depend on this: without rows there are no cursors of another organization to try."""
    assert {route.endpoint for route, _ in lists.all} >= {"projects.list_projects", "members.list_members"}
    assert [str(route) for route, cursor in (await lists.globex.cursors()).items() if not cursor] == []


def _tampered(cursor: str) -> list[str]:
    values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    others = ("", "100", "9999-12-31T00:00:00+00:00", str(uuid.UUID(int=0)))
    replaced = [
        encode_cursor(*values[:place], other, *values[place + 1 :])
        for place in range(len(values))
        for other in others
    ]
    return [cursor[1:], cursor[:-1], f"{cursor}AAAA", *replaced]


@pytest.fixture(scope="module")
async def odd_cursors(lists: Lists) -> set[str]:
    """Cursors of every list of both organizations, and altered ones of the other organization."""
    own, foreign = (await lists.acme.cursors()).values(), (await lists.globex.cursors()).values()
    return {*own, *foreign, *(odd for cursor in foreign for odd in _tampered(cursor))}


async def test_no_cursor_shows_a_row_of_another_organization(lists: Lists, odd_cursors: set[str]) -> None:
    foreign, wrong = await lists.globex.ids(), []
    for route, name in lists.all:
        for cursor in sorted(odd_cursors):
            response = await lists.acme.get(route, f"{name}={cursor}")
            text = await response.get_data(as_text=True)
            if response.status_code not in (200, 400) or any(row_id in text for row_id in foreign):
                wrong.append(f"{route}?{name}={cursor}: {response.status_code}")
    assert wrong == []
