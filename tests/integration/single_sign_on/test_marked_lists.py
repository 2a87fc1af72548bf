"""A person's lists mark the organizations that this sign-in does not open."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from quart import Quart

from saas_app.db.base import utc_now
from saas_app.runtime import Runtime
from tests.clients import Browser
from tests.conftest import OpenBrowser, OpenOffice
from tests.factories import Factory
from tests.integration.faulty_logto import Gate
from tests.integration.single_sign_on.required import (
    Strict,
    come_through,
    new_strict_office,
    require_single_sign_on,
)
from tests.integration.statements import statements_of

LISTS = ["/o", "/o/switch"]
MARK = "Single sign-on required"
SPANISH_MARK = "Inicio de sesión único obligatorio"
pytestmark = pytest.mark.parametrize("path", LISTS)


@pytest.fixture
async def strict(open_office: OpenOffice, runtime: Runtime) -> Strict:
    return await new_strict_office(open_office, runtime)


async def test_an_organization_that_this_sign_in_does_not_open_is_marked(strict: Strict, path: str) -> None:
    page = await strict.ella.text(path)
    assert page.count(MARK) == 1


async def test_the_mark_is_in_the_language_of_the_reader(strict: Strict, path: str) -> None:
    page = await strict.ella.text(path, headers={"Accept-Language": "es"})
    assert page.count(SPANISH_MARK) == 1


async def test_a_marked_organization_still_leads_to_the_way_in(strict: Strict, path: str) -> None:
    page = await strict.ella.text(path)
    (link,) = re.findall(rf'href="({strict.root}/[^"]*)"', page)
    assert f"/sign-in/single-sign-on?organization={strict.id}" in await strict.ella.text(link, 403)


async def test_whoever_came_through_the_provider_sees_no_mark(
    strict: Strict, runtime: Runtime, path: str
) -> None:
    await come_through(runtime, strict.ella, strict.connector_id)
    page = await strict.ella.text(path)
    assert strict.name in page
    assert MARK not in page


async def test_the_provider_of_another_organization_does_not_count(
    strict: Strict, runtime: Runtime, path: str
) -> None:
    await come_through(runtime, strict.ella, "another")
    assert MARK in await strict.ella.text(path)


async def test_a_sign_in_from_before_it_was_last_turned_on_does_not_count(
    strict: Strict, runtime: Runtime, path: str
) -> None:
    await come_through(runtime, strict.ella, strict.connector_id)
    await require_single_sign_on(runtime, strict.id, on_at=utc_now() + timedelta(seconds=1))
    assert MARK in await strict.ella.text(path)


async def test_the_recovery_admin_sees_no_mark(strict: Strict, path: str) -> None:
    page = await strict.browsers["admin"].text(path)
    assert strict.name in page
    assert MARK not in page


async def test_optional_single_sign_on_is_not_marked(strict: Strict, runtime: Runtime, path: str) -> None:
    await require_single_sign_on(runtime, strict.id, required_at=None)
    assert MARK not in await strict.ella.text(path)


async def test_single_sign_on_that_is_off_is_not_marked(strict: Strict, runtime: Runtime, path: str) -> None:
    await require_single_sign_on(runtime, strict.id, required_at=None, on_at=None)
    assert MARK not in await strict.ella.text(path)


async def test_other_organizations_of_the_person_have_no_mark(
    strict: Strict, make: Factory, path: str
) -> None:
    await make.organization("Globex", editor=strict.people["editor"])
    await strict.ella.follow("/sign-in/renew")

    page = await strict.ella.text(path)

    assert "Globex" in page
    assert page.count(MARK) == 1


async def test_a_stranger_sees_no_mark(
    strict: Strict, make: Factory, open_browser: OpenBrowser, path: str
) -> None:
    gail = await make.person("Gail")
    await make.organization("Globex", admin=gail)
    page = await (await open_browser(gail)).text(path)
    assert strict.name not in page
    assert MARK not in page


async def test_another_session_of_the_person_that_came_through_changes_nothing_here(
    strict: Strict, open_browser: OpenBrowser, runtime: Runtime, path: str
) -> None:
    other = await open_browser(strict.people["editor"])
    await come_through(runtime, other, strict.connector_id)

    assert MARK not in await other.text(path)
    assert MARK in await strict.ella.text(path)


@pytest.fixture
async def marked(strict: Strict, make: Factory, runtime: Runtime) -> Browser:
    """The browser of somebody with four marked organizations."""
    for number in range(3):
        organization_id = await make.organization(f"Globex {number}", editor=strict.people["editor"])
        await require_single_sign_on(runtime, organization_id)
    await strict.ella.follow("/sign-in/renew")
    return strict.ella


async def test_marks_cost_no_statement(marked: Browser, path: str) -> None:
    """The session, its ID token, the organizations with what they require, and which are for practice."""
    await marked.get(path)

    statements = await statements_of(marked, path)

    assert (await marked.text(path)).count(MARK) == 4
    assert len(statements) == 4, statements


async def test_marks_cost_no_call_to_logto(marked: Browser, faulty_app: Quart, gate: Gate, path: str) -> None:
    there = marked.at(faulty_app)
    await there.get(path)  # which learns that no invitation waits
    gate.calls.clear()

    page = await there.text(path)

    assert page.count(MARK) == 4
    assert gate.calls == []
