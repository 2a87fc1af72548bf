"""The front page, the list, the switcher, creating, the overview and my access, through a real provider."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

from saas_app.rbac.permissions import ROLE_PERMISSIONS, Role
from tests.clients import Browser
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.tokens import scopes_of


async def _text(browser: Browser, path: str, expect: int = 200, **options: Any) -> str:
    response = await browser.get(path, expect, **options)
    return unescape(str(await response.get_data(as_text=True)))


async def _followed(browser: Browser, path: str) -> str:
    response = await browser.follow(path)
    assert response.status_code == 200
    return unescape(str(await response.get_data(as_text=True)))


async def test_strangers_are_told_what_this_is(open_browser: OpenBrowser) -> None:
    page = await _text(await open_browser(), "/")
    assert 'href="/sign-in"' in page
    assert 'href="/sign-up"' in page


async def test_somebody_without_an_organization_is_offered_to_create_one(
    make: Factory, open_browser: OpenBrowser
) -> None:
    browser = await open_browser(await make.person())
    assert (await browser.get("/", 303)).headers["Location"] == "/o"
    page = await _text(browser, "/o")
    assert "You do not belong to an organization yet" in page
    assert 'href="/o/new"' in page


async def test_the_front_page_leads_to_the_last_organization_while_one_belongs_to_it(
    make: Factory, open_browser: OpenBrowser
) -> None:
    alice = await make.person("Alice")
    first, second = await make.organization(viewer=alice), await make.organization(viewer=alice)
    browser = await open_browser(alice)
    for organization_id in (first, second):
        await browser.get(f"/o/{organization_id}/")
        assert (await browser.get("/", 303)).headers["Location"] == f"/o/{organization_id}/"


async def test_the_list_names_organizations_and_roles_and_filters(
    make: Factory, open_browser: OpenBrowser
) -> None:
    alice = await make.person("Alice")
    await make.organization("Zorro Works", admin=alice)
    await make.organization("Globex", viewer=alice)
    browser = await open_browser(alice)
    page = await _text(browser, "/o")
    assert "Zorro Works" in page
    assert "Globex" in page
    filtered = await _text(browser, "/o?q=zorro")
    assert "Zorro Works" in filtered
    assert "Globex" not in filtered
    assert "No organization matches" in await _text(browser, "/o?q=nobody")


async def test_the_list_shows_all_organizations_at_once_so_that_renaming_one_hides_none(
    make: Factory, open_browser: OpenBrowser
) -> None:
    alice = await make.person("Alice")
    names = [f"Company {number:02}" for number in range(52)]
    for name in names:
        await make.organization(name, viewer=alice)
    page = await _text(await open_browser(alice), "/o")
    assert re.findall(r"Company \d\d", page) == names
    assert "Next page" not in page


async def test_the_list_says_how_many_it_does_not_show_and_the_filter_finds_them(
    make: Factory, open_browser: OpenBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("saas_app.organizations.pages.organizations._LIST_SIZE", 1)
    alice = await make.person("Alice")
    for name in ("Globex", "Initech", "Zorro Works"):
        await make.organization(name, viewer=alice)
    browser = await open_browser(alice)
    page = await _text(browser, "/o")
    assert "2 more. Filter by name to find them." in page
    assert "Zorro" not in page
    assert "Zorro Works" in await _text(browser, "/o?q=zorro")


async def test_creating_makes_one_admin_at_once_without_signing_in_again(
    make: Factory, open_browser: OpenBrowser
) -> None:
    browser = await open_browser(await make.person())
    created = await browser.post("/o/new", {"name": " Hooli & Sons ", "description": ""})
    location = created.headers["Location"]
    assert location.startswith("/sign-in/renew?next=%2Fo%2F")
    projects = await _followed(browser, location)
    assert "Hooli & Sons was created" in projects
    organization = re.search(r'data-organization="([^"]+)"', projects)
    assert organization is not None
    overview = await _text(browser, f"/o/{organization[1]}/")
    assert "Hooli & Sons" in overview
    assert f"/o/{organization[1]}/projects/new" in overview


async def test_what_was_typed_stays_when_it_is_wrong(make: Factory, open_browser: OpenBrowser) -> None:
    browser = await open_browser(await make.person())
    response = await browser.post("/o/new", {"name": " ", "description": "Kept <text>"}, 422)
    page = await response.get_data(as_text=True)
    assert "Enter a name for the organization." in page
    assert "Kept &lt;text&gt;" in page
    assert 'aria-invalid="true"' in page


async def test_a_cross_site_form_creates_nothing(make: Factory, open_browser: OpenBrowser) -> None:
    browser = await open_browser(await make.person())
    response = await browser.app.post(
        "/o/new", form={"name": "Evil"}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert response.status_code == 403
    assert "Evil" not in await _text(browser, "/o")


async def test_the_switcher_keeps_the_feature_and_marks_the_current_one(
    make: Factory, open_browser: OpenBrowser
) -> None:
    alice = await make.person("Alice")
    here = await make.organization("Here", admin=alice)
    there = await make.organization("There", viewer=alice)
    browser = await open_browser(alice)
    options = await _text(browser, f"/o/switch?feature=projects&current={here}")
    assert f'href="/o/{there}/projects" aria-selected="false"' in options
    assert f'href="/o/{here}/projects" aria-selected="true"' in options
    assert "<html" not in options
    assert here not in await _text(browser, f"/o/switch?q=there&feature=access&current={here}")


async def test_the_switcher_tells_a_program_when_the_session_has_ended(open_browser: OpenBrowser) -> None:
    accept = {"Accept": "application/problem+json, text/html;q=0.9"}
    await (await open_browser()).get("/o/switch", 401, headers=accept)


@pytest.mark.parametrize(("role", "offered"), [("editor", True), ("viewer", False)])
async def test_the_overview_offers_what_the_role_allows(
    make: Factory, open_browser: OpenBrowser, role: str, offered: bool
) -> None:
    person = await make.person()
    organization_id = await make.organization(**{role: person})
    page = await _text(await open_browser(person), f"/o/{organization_id}/")
    assert "Active projects" in page
    assert (f"/o/{organization_id}/projects/new" in page) is offered


async def test_a_member_without_a_role_sees_no_projects(make: Factory, open_browser: OpenBrowser) -> None:
    person = await make.person()
    organization_id = await make.organization()
    await make.join(organization_id, person)
    page = await _text(await open_browser(person), f"/o/{organization_id}/")
    assert "Your role does not include projects" in page
    assert "Active projects" not in page


async def test_somebody_elses_organization_looks_like_none(make: Factory, open_browser: OpenBrowser) -> None:
    browser = await open_browser(await make.person())
    theirs = await make.organization(admin=await make.person())
    for path in (f"/o/{theirs}/", f"/o/{theirs}/access", "/o/no-such-id/"):
        assert "This organization does not exist, or you are not a member." in await _text(browser, path, 404)


async def test_my_access_shows_roles_matrix_and_both_tokens_without_the_tokens(
    make: Factory, open_browser: OpenBrowser
) -> None:
    person = await make.person()
    organization_id = await make.organization(editor=person)
    page = await _text(await open_browser(person), f"/o/{organization_id}/access")
    assert f"urn:logto:organization:{organization_id}" in page
    assert f'"scope": "{" ".join(scopes_of(Role.EDITOR))}"' in page
    assert page.count(">Yes</span>") == len(ROLE_PERMISSIONS[Role.EDITOR])
    assert "(your role)" in page
    assert re.search(r"eyJ[\w-]+\.", page) is None


async def test_reading_again_finds_a_role_that_was_given_elsewhere(
    make: Factory, open_browser: OpenBrowser
) -> None:
    person = await make.person()
    organization_id = await make.organization(viewer=person)
    browser = await open_browser(person)
    before = await _text(browser, f"/o/{organization_id}/access")
    assert Role.VIEWER.description in before
    await make.give_roles(organization_id, person, Role.ADMIN)
    await browser.post(f"/o/{organization_id}/access/read-again")
    after = await _text(browser, f"/o/{organization_id}/access")
    assert "Your access was refreshed." in after
    assert Role.ADMIN.description in after
    assert "but your token does not include them yet" in after


async def test_files_and_health_answer_without_a_session(open_browser: OpenBrowser) -> None:
    browser = await open_browser()
    assert await (await browser.get("/healthz")).get_json() == {"status": "ok"}
    assert await (await browser.get("/readyz")).get_json() == {"status": "ok", "database": "ok"}
    front = await _text(browser, "/")
    for path in re.findall(r'(?:href|src)="(/static/[^"#]+)', front):
        assert "immutable" in (await browser.get(path)).headers["Cache-Control"]
