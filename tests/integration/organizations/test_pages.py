"""The front page, the list, the switcher, creating, the overview and my access, at a real provider."""

from __future__ import annotations

import re

import pytest

from saas_app.db.base import utc_now
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.projects.seed import SeedProject, SeedTask, TaskStatus, seed_projects
from saas_app.rbac.permissions import ROLE_PERMISSIONS, Role
from tests.clients import Browser, text_of
from tests.conftest import OpenBrowser, OpenOffice
from tests.factories import Factory
from tests.tokens import scopes_of


async def _followed(browser: Browser, path: str) -> str:
    response = await browser.follow(path)
    assert response.status_code == 200
    return await text_of(response)


async def test_visitors_can_sign_in_or_sign_up(open_browser: OpenBrowser) -> None:
    page = await (await open_browser()).text("/")
    assert 'href="/sign-in"' in page
    assert 'href="/sign-up"' in page


async def test_a_person_without_an_organization_is_offered_to_create_one(
    make: Factory, open_browser: OpenBrowser
) -> None:
    browser = await open_browser(await make.person())
    assert (await browser.get("/", 303)).headers["Location"] == "/o"
    page = await browser.text("/o")
    assert "You do not belong to an organization yet" in page
    assert 'href="/o/new"' in page


async def test_the_front_page_leads_to_the_last_organization(
    make: Factory, open_browser: OpenBrowser
) -> None:
    alice = await make.person("Alice")
    first, second = await make.organization(viewer=alice), await make.organization(viewer=alice)
    browser = await open_browser(alice)
    for organization_id in (first, second):
        await browser.get(f"/o/{organization_id}/")
        assert (await browser.get("/", 303)).headers["Location"] == f"/o/{organization_id}/"


@pytest.mark.parametrize(
    ("query", "listed"),
    [("", ["Globex", "Zorro Works"]), ("?q=zorro", ["Zorro Works"]), ("?q=nobody", [])],
)
async def test_the_list_shows_organizations_and_filters_them_by_name(
    make: Factory, open_browser: OpenBrowser, query: str, listed: list[str]
) -> None:
    alice = await make.person("Alice")
    await make.organization("Zorro Works", admin=alice)
    await make.organization("Globex", viewer=alice)

    page = await (await open_browser(alice)).text(f"/o{query}")

    assert [name for name in ("Globex", "Zorro Works") if name in page] == listed
    assert ("No organization matches" in page) is (not listed)


async def test_the_list_shows_the_first_fifty_organizations_and_all_on_one_page_on_request(
    make: Factory, open_browser: OpenBrowser
) -> None:
    alice = await make.person("Alice")
    names = [f"Company {number:02}" for number in range(52)]
    for name in names:
        await make.organization(name, viewer=alice)
    browser = await open_browser(alice)

    first, whole = await browser.text("/o"), await browser.text("/o?show=all")

    assert re.findall(r"Company \d\d", first) == names[:50]
    assert '2 more. Filter by name to find them, or <a href="?show=all">' in first
    assert re.findall(r"Company \d\d", whole) == names
    assert "Filter by name to find" not in whole


async def test_a_long_list_says_how_many_it_omits_and_the_filter_finds_them(
    make: Factory, open_browser: OpenBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    for bound in ("_LIST_SIZE", "_WHOLE_LIST_SIZE"):
        monkeypatch.setattr(f"saas_app.organizations.pages.organizations.{bound}", 1)
    alice = await make.person("Alice")
    for name in ("Globex", "Initech", "Zorro Works"):
        await make.organization(name, viewer=alice)
    browser = await open_browser(alice)
    page = await browser.text("/o?show=all")
    assert "2 more. Filter by name to find them." in page
    assert "Zorro" not in page
    assert "Zorro Works" in await browser.text("/o?q=zorro")


async def test_a_listed_organization_that_the_person_has_left_cannot_be_entered(
    make: Factory, open_browser: OpenBrowser
) -> None:
    alice = await make.person("Alice")
    acme = await make.organization("Acme", viewer=alice)
    browser = await open_browser(alice)
    await make.management.remove_member(acme, alice.id)
    assert f'href="/o/{acme}/"' in await browser.text("/o")

    page = await browser.text(f"/o/{acme}/", 404)

    assert "This organization does not exist, or you are not a member." in page


async def test_the_creator_of_an_organization_is_its_admin_at_once(
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
    overview = await browser.text(f"/o/{organization[1]}/")
    assert "Hooli & Sons" in overview
    assert f"/o/{organization[1]}/projects/new" in overview


async def test_an_invalid_name_is_explained_and_what_was_typed_stays(
    make: Factory, open_browser: OpenBrowser
) -> None:
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
    assert "Evil" not in await browser.text("/o")


async def test_the_switcher_keeps_the_feature_and_marks_the_current_organization(
    make: Factory, open_browser: OpenBrowser
) -> None:
    alice = await make.person("Alice")
    here = await make.organization("Here", admin=alice)
    there = await make.organization("There", viewer=alice)
    browser = await open_browser(alice)
    options = await browser.text(f"/o/switch?feature=projects&current={here}")
    assert f'href="/o/{there}/projects" aria-selected="false"' in options
    assert f'href="/o/{here}/projects" aria-selected="true"' in options
    assert "<html" not in options
    assert here not in await browser.text(f"/o/switch?q=there&feature=access&current={here}")


async def test_the_switcher_answers_401_after_the_session_has_ended(open_browser: OpenBrowser) -> None:
    accept = {"Accept": "application/problem+json, text/html;q=0.9"}
    await (await open_browser()).get("/o/switch", 401, headers=accept)


@pytest.mark.parametrize(("role", "offered"), [("editor", True), ("viewer", False)])
async def test_the_overview_offers_what_the_role_allows(
    make: Factory, open_browser: OpenBrowser, role: str, offered: bool
) -> None:
    person = await make.person()
    organization_id = await make.organization(**{role: person})
    page = await (await open_browser(person)).text(f"/o/{organization_id}/")
    assert "Active projects" in page
    assert (f"/o/{organization_id}/projects/new" in page) is offered


async def test_a_member_without_a_role_sees_no_projects(make: Factory, open_browser: OpenBrowser) -> None:
    organization_id = await make.organization()
    page = await (await open_browser(await make.member(organization_id, "Sam"))).text(
        f"/o/{organization_id}/"
    )
    assert "Your role does not include projects" in page
    assert "Active projects" not in page


async def test_an_organization_of_others_looks_like_one_that_does_not_exist(
    make: Factory, open_browser: OpenBrowser
) -> None:
    browser = await open_browser(await make.person())
    theirs = await make.organization(admin=await make.person())
    for path in (f"/o/{theirs}/", f"/o/{theirs}/access", "/o/no-such-id/"):
        assert "This organization does not exist, or you are not a member." in await browser.text(path, 404)


async def test_my_access_shows_the_roles_and_the_claims_of_both_tokens_but_no_token(
    open_office: OpenOffice,
) -> None:
    office = await open_office(editor="Eve")

    page = await office.browser.text(f"{office.root}/access")

    assert f"urn:logto:organization:{office.id}" in page
    assert f'"scope": "{" ".join(scopes_of(Role.EDITOR))}"' in page
    assert page.count(">Yes</span>") == len(ROLE_PERMISSIONS[Role.EDITOR])
    assert "(your role)" in page
    assert re.search(r"eyJ[\w-]+\.", page) is None


async def test_refreshing_my_access_finds_a_role_that_was_assigned_in_logto(
    open_office: OpenOffice, make: Factory
) -> None:
    office = await open_office(viewer="Vera")
    access = f"{office.root}/access"
    assert Role.VIEWER.description in await office.browser.text(access)
    await make.give_roles(office.id, office.person, Role.ADMIN)

    await office.browser.post(f"{access}/read-again")

    page = await office.browser.text(access)
    assert "Your access was refreshed." in page
    assert Role.ADMIN.description in page
    assert "but your token does not include them yet" in page


async def test_health_checks_need_no_session(open_browser: OpenBrowser) -> None:
    browser = await open_browser()
    assert await (await browser.get("/healthz")).get_json() == {"status": "ok"}
    assert await (await browser.get("/readyz")).get_json() == {"status": "ok", "database": "ok"}


async def test_static_files_need_no_session_and_may_be_cached(open_browser: OpenBrowser) -> None:
    browser = await open_browser()
    for path in re.findall(r'(?:href|src)="(/static/[^"#]+)', await browser.text("/")):
        assert "immutable" in (await browser.get(path)).headers["Cache-Control"]


async def test_the_days_of_the_chart_are_in_the_readers_format_for_those_who_cannot_see_it(
    open_office: OpenOffice, work: UnitOfWork
) -> None:
    office = await open_office(admin="Ada")
    async with work.writing(office.id) as db:
        await seed_projects(db, "ada", [SeedProject("Apollo", tasks=(SeedTask("Build", TaskStatus.DONE),))])

    page = await office.browser.text(f"{office.root}/", headers={"Accept-Language": "es"})

    assert f'<th scope="row">{utc_now().day} ' in page
