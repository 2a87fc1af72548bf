"""``/api/docs`` and the page of its schemas: public, in the reader's language, with their own header."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from typing import Any

import pytest
from quart import Quart
from sqlalchemy import event
from sqlalchemy.engine import Engine

from saas_app.errors import DatabaseUnavailable
from saas_app.identity.logto_client import LogtoCore
from saas_app.identity.membership_changes import note_change
from saas_app.identity.sessions import SessionStore
from saas_app.runtime import Runtime
from saas_app.web.static_files import static_files
from tests.conftest import OpenOffice

DOCS, SCHEMAS = "/api/docs", "/api/docs/schemas"


@pytest.fixture
def statements() -> Iterator[list[str]]:
    """The SQL of all engines during the test."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield sent
    event.remove(Engine, "before_cursor_execute", note)


@pytest.mark.one_database
@pytest.mark.parametrize("path", [DOCS, SCHEMAS])
async def test_the_pages_load_only_our_files_under_the_policy_of_every_page(app: Quart, path: str) -> None:
    client = app.test_client()
    page = await client.get(path)
    assert (
        page.headers["Content-Security-Policy"] == (await client.get("/")).headers["Content-Security-Policy"]
    )
    html = await page.get_data(as_text=True)
    loaded = [part.split('"')[0] for part in html.replace('href="', 'src="').split('src="')[1:]]
    assert all(address.startswith(("/", "#")) for address in loaded)
    for address in loaded:
        if address.startswith("/static/"):
            assert (await client.get(address)).status_code == 200


@pytest.mark.one_database
async def test_the_page_is_in_the_readers_language_and_the_operations_in_english(app: Quart) -> None:
    client = app.test_client()
    for language, heading in (("es", "Convenciones"), ("en", "Conventions")):
        response = await client.get(DOCS, headers={"Accept-Language": language})
        html = await response.get_data(as_text=True)
        assert f">{heading}</h2>" in html
        assert ">List projects</span>" in html


@pytest.mark.one_database
async def test_what_only_this_page_loads_weighs_little(app: Quart) -> None:
    client = app.test_client()
    html = await (await client.get(DOCS)).get_data()
    own = [static_files()[name].content for name in ("api_docs.css", "api_docs.js")]

    assert sum(len(gzip.compress(content)) for content in (html, *own)) < 16_000


@pytest.mark.parametrize("path", [DOCS, SCHEMAS])
async def test_a_stranger_reads_the_pages_without_a_statement(
    app: Quart, statements: list[str], path: str
) -> None:
    response = await app.test_client().get(path)

    assert response.status_code == 200
    assert statements == []


async def test_the_header_costs_two_statements_and_no_call_to_logto(
    open_office: OpenOffice, statements: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    office = await open_office(viewer="Sam")
    await office.browser.get(f"{office.root}/projects")
    monkeypatch.delattr(LogtoCore, "fetch_token")
    statements.clear()

    html = await office.browser.text(DOCS)

    assert f'href="{office.root}/projects"' in html
    assert "Sam" in html
    assert len(statements) == 2, statements


async def test_the_header_names_no_organization_whose_membership_has_changed(
    open_office: OpenOffice, runtime: Runtime
) -> None:
    office = await open_office(viewer="Sam")
    await office.browser.get(f"{office.root}/projects")
    await note_change(runtime.work, office.id, office.person.id)

    html = await office.browser.text(DOCS)

    assert office.id not in html
    assert "Sam" in html


async def test_the_page_is_shown_without_its_reader_if_the_database_does_not_respond(
    open_office: OpenOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = await open_office(viewer="Sam")

    async def fail(*_arguments: object) -> None:
        raise DatabaseUnavailable

    monkeypatch.setattr(SessionStore, "find_access", fail)

    html = await office.browser.text(DOCS)

    assert "/sign-in?next=/api/docs" in html
    assert "Sam" not in html
