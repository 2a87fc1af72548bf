"""The search finds what the caller may see, in the organization of the path and among their own."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from saas_app.rbac.permissions import Permission
from tests.conftest import OpenBrowser, OpenOffice
from tests.factories import Factory
from tests.offices import Office


@pytest.fixture
async def acme(open_office: OpenOffice) -> Office:
    """An organization with the project *Rover*, which Ada created."""
    office = await open_office(admin="Ada", viewer="Vera")
    await office.browsers["admin"].post(f"{office.root}/projects/new", {"name": "Rover"})
    return office


@pytest.mark.parametrize("query", ["rov", "ROVER", "r"])
async def test_a_project_is_found_by_a_part_of_its_name(acme: Office, query: str) -> None:
    page = await acme.browsers["viewer"].text(f"{acme.root}/search?q={query}")

    assert ">Rover</span>" in page


async def test_a_person_is_found_who_has_done_something(acme: Office) -> None:
    page = await acme.browsers["viewer"].text(f"{acme.root}/search?q=ada")

    assert f'href="{acme.root}/members?q=Ada' in page


async def test_a_person_who_has_left_is_not_found(acme: Office) -> None:
    admin = acme.browsers["admin"]
    await acme.browsers["viewer"].get(f"{acme.root}/projects/new", 403)  # so that the audit log knows her
    await admin.post(f"{acme.root}/members/{acme.people['viewer'].id}/remove")

    page = await admin.text(f"{acme.root}/search?q=vera&part=options")

    assert "?q=vera" in page  # the list of members can be searched
    assert ">Vera" not in page


async def test_projects_of_other_organizations_are_not_found(acme: Office, open_office: OpenOffice) -> None:
    other = await open_office(admin="Olga")

    page = await other.browsers["admin"].text(f"{other.root}/search?q=rover&part=options")

    assert ">Rover</span>" not in page


async def test_a_member_whose_token_grants_nothing_finds_neither_projects_nor_people(
    acme: Office, make: Factory, open_browser: OpenBrowser
) -> None:
    guest = await open_browser(await make.member(acme.id, "Guest"))

    found = [await guest.text(f"{acme.root}/search?q={name}&part=options") for name in ("rover", "ada")]

    assert "Rover</span>" not in found[0]
    assert "Ada</span>" not in found[1]


async def test_a_member_who_may_only_read_members_finds_people_and_no_projects(
    acme: Office, make: Factory, open_browser: OpenBrowser
) -> None:
    role = await make.role(f"reads members of {acme.id}", Permission.MEMBERS_READ)
    reader = await open_browser(await make.member(acme.id, "Reader", role))

    projects = await reader.text(f"{acme.root}/search?q=rover&part=options")
    people = await reader.text(f"{acme.root}/search?q=ada&part=options")

    assert ">Rover</span>" not in projects
    assert f'href="{acme.root}/members?q=Ada' in people


@pytest.mark.parametrize(("role", "offered"), [("admin", True), ("viewer", False)])
async def test_actions_are_offered_to_those_who_may_do_them(acme: Office, role: str, offered: bool) -> None:
    page = await acme.browsers[role].text(f"{acme.root}/search?q=create+project&part=options")

    assert (f'href="{acme.root}/projects/new"' in page) is offered


async def test_a_page_is_found_by_its_name_in_the_readers_language(acme: Office) -> None:
    page = await acme.browsers["admin"].text(
        f"{acme.root}/search?q=auditoria&part=options", headers={"Accept-Language": "es"}
    )

    assert f'href="{acme.root}/audit"' in page


async def test_organizations_are_found_with_the_callers_role(
    make: Factory, open_browser: OpenBrowser
) -> None:
    alice = await make.person("Alice")
    await make.organization("Zorro Works", admin=alice)
    globex = await make.organization("Globex", viewer=alice)

    page = await (await open_browser(alice)).text("/search?q=glob&part=options")

    assert f'href="/o/{globex}/"' in page
    assert ">viewer</span>" in page
    assert "Zorro" not in page


async def test_nothing_found_says_what_to_do(acme: Office) -> None:
    page = await acme.browsers["viewer"].text("/search?q=nothing+like+it")

    assert "Nothing matches “nothing like it”" in page


async def test_a_warm_search_costs_two_statements(acme: Office) -> None:
    await acme.browsers["admin"].get(f"{acme.root}/access")
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        await acme.browsers["admin"].get(f"{acme.root}/search?q=rov&part=options")
    finally:
        event.remove(Engine, "before_cursor_execute", note)

    assert len(statements) == 2, statements
