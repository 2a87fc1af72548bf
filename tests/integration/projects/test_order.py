"""Projects and organizations in the order of an alphabet, found whatever way they are typed."""

from __future__ import annotations

import json
import secrets
from urllib.parse import quote

import pytest

from tests.clients import SAME_ORIGIN, Browser
from tests.conftest import OpenBrowser
from tests.factories import Factory

NAMES = ["Zebra", "Ärger", "apfel", "İzmir", "Öl", "Straße", "Łódź"]
IN_ORDER = ["apfel", "Ärger", "İzmir", "Łódź", "Öl", "Straße", "Zebra"]


async def _json(browser: Browser, path: str) -> list[str]:
    answer = await (await browser.get(path)).get_json()
    return [item["name"] for item in answer["items"]]


@pytest.fixture
async def place(make: Factory, open_browser: OpenBrowser) -> tuple[Browser, str]:
    person = await make.person()
    organization_id = await make.organization("Acme", admin=person)
    browser = await open_browser(person)
    await browser.get(f"/o/{organization_id}/projects")
    api = f"/api/v1/organizations/{organization_id}/projects"
    for name in NAMES:
        headers = {"Content-Type": "application/json", **SAME_ORIGIN}
        made = await browser.app.post(api, data=json.dumps({"name": name}).encode(), headers=headers)
        assert made.status_code == 201
    return browser, organization_id


async def test_projects_stand_in_the_order_of_the_alphabet_page_after_page(
    place: tuple[Browser, str],
) -> None:
    browser, organization_id = place
    api = f"/api/v1/organizations/{organization_id}/projects?sort=name&limit=2"
    seen: list[str] = []
    cursor = ""
    while True:
        answer = await (await browser.get(f"{api}&cursor={cursor}")).get_json()
        seen += [item["name"] for item in answer["items"]]
        if answer["next_cursor"] is None:
            break
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
async def test_a_project_is_found_without_its_accents(
    place: tuple[Browser, str], typed: str, name: str
) -> None:
    browser, organization_id = place
    typed = quote(typed)
    assert await _json(browser, f"/api/v1/organizations/{organization_id}/projects?search={typed}") == [name]
    page = await (await browser.get(f"/o/{organization_id}/projects?q={typed}")).get_data(as_text=True)
    assert name in page
    assert "Zebra" not in page


@pytest.mark.parametrize(
    ("language", "in_order"),
    [("", "AÄZ"), ("de-DE,de;q=0.9", "AÄZ"), ("sv,en;q=0.5", "AZÄ"), ("en, sv;q=0.9", "AÄZ")],
)
async def test_organizations_stand_in_the_order_of_the_readers_language(
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
