"""Projects and organizations are in alphabetical order, and found without their accents."""

from __future__ import annotations

import secrets
from urllib.parse import quote

import pytest

from tests.clients import Browser
from tests.conftest import OpenBrowser, OpenOffice
from tests.factories import Factory
from tests.offices import Office

NAMES = ["Zebra", "Ärger", "apfel", "İzmir", "Öl", "Straße", "Łódź"]
IN_ORDER = ["apfel", "Ärger", "İzmir", "Łódź", "Öl", "Straße", "Zebra"]


async def _json(browser: Browser, path: str) -> list[str]:
    answer = await (await browser.get(path)).get_json()
    return [item["name"] for item in answer["items"]]


@pytest.fixture
async def office(open_office: OpenOffice) -> Office:
    """An organization with projects of all these names."""
    office = await open_office(admin="Ada")
    for name in NAMES:
        await office.browser.post(f"{office.root}/projects/new", {"name": name})
    await office.browser.get(f"{office.root}/projects")  # shows the notices of the new projects
    return office


async def test_projects_are_in_alphabetical_order_page_after_page(office: Office) -> None:
    api = f"/api/v1/organizations/{office.id}/projects?sort=name&limit=2"
    seen: list[str] = []
    cursor = ""
    while cursor is not None:
        answer = await (await office.browser.get(f"{api}&cursor={cursor}")).get_json()
        seen += [item["name"] for item in answer["items"]]
        cursor = answer["next_cursor"]
    assert seen == IN_ORDER


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("izmir", "İzmir"),
        ("IZMİR", "İzmir"),
        ("strasse", "Straße"),
        ("arg", "Ärger"),
        ("ｏｌ", "Öl"),
        ("lodz", "Łódź"),
    ],
)
async def test_a_project_is_found_without_its_accents(office: Office, typed: str, name: str) -> None:
    typed = quote(typed)
    found = f"/api/v1/organizations/{office.id}/projects?search={typed}"
    assert await _json(office.browser, found) == [name]
    page = await office.browser.text(f"{office.root}/projects?q={typed}")
    assert name in page
    assert "Zebra" not in page


@pytest.mark.parametrize(
    ("language", "in_order"),
    [("", "AÄZ"), ("de-DE,de;q=0.9", "AÄZ"), ("sv,en;q=0.5", "AZÄ"), ("en, sv;q=0.9", "AÄZ")],
)
async def test_organizations_are_in_the_alphabetical_order_of_the_readers_language(
    make: Factory, open_browser: OpenBrowser, language: str, in_order: str
) -> None:
    person, mark = await make.person(), secrets.token_hex(3)
    names = {"Z": f"Zebra {mark}", "A": f"Apfel {mark}", "Ä": f"Äpfelchen {mark}"}
    for name in names.values():
        organization = await make.management.create_organization(name)
        await make.management.add_members(organization.id, [person.id])
    browser = await open_browser(person)
    for path in ("/o", "/o/switch", f"/o?q={mark}"):
        answer = await browser.get(path, headers={"Accept-Language": language})
        text = await answer.get_data(as_text=True)
        assert sorted(in_order, key=lambda letter: text.index(names[letter])) == list(in_order)
    found = await (await browser.get("/o/switch?q=apfelch")).get_data(as_text=True)
    assert names["Ä"] in found
