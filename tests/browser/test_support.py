"""Support access from end to end: allowed, started, seen by everybody, and ended; without scripts too."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from tests.browser.conftest import OpenPage, watched_pages
from tests.browser.page_checks import findings_on
from tests.browser.steps import account_menu, start_session
from tests.browser.support_site import Customer, SupportSite, open_support_site
from tests.clients import FRESH, Person
from tests.factories import address_of

PHONE = {"is_mobile": True, "reduced_motion": "reduce"}


@pytest.fixture(scope="module")
async def stage(chromium_path: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SupportSite]:
    async with open_support_site(tmp_path_factory.mktemp("support")) as opened:
        yield opened


@pytest.fixture
async def open_here(browser: Browser, stage: SupportSite) -> AsyncIterator[OpenPage]:
    """``await open_here(alice)``: a page of the site with a support team."""
    async with watched_pages(browser, stage.site, stage.site.origins, stage.site.origins) as open_one:
        yield open_one


@pytest.fixture
async def acme(stage: SupportSite) -> Customer:
    return await stage.customer()


@pytest.fixture
async def sam(stage: SupportSite) -> Person:
    return await stage.agent()


def bar(page: Page) -> Locator:
    """Return the bar that says for whom an agent acts."""
    return page.get_by_role("complementary", name="Support access")


async def allow(page: Page, acme: Customer, *, writes: bool = False) -> None:
    """Allow support access for a day, from the settings on."""
    await page.goto(f"{acme.root}/settings")
    await page.get_by_role("link", name="Manage support access").click()
    await page.get_by_label("1 day").check()
    if writes:
        await page.get_by_label("Also allow changes of projects and tasks").check()
    await page.get_by_role("button", name="Allow support access").click()
    await expect(page.get_by_role("button", name="Turn off support access")).to_be_visible()


async def start(page: Page, stage: SupportSite, acme: Customer) -> None:
    """Act for Carol, from the desk on. The browser has signed in within the last minutes."""
    await page.goto(stage.desk)
    await page.locator(f'a[href$="organization={acme.id}"]').click()
    await page.get_by_label("Member").fill(address_of(acme.carol))
    await page.get_by_label("Ticket").fill("4711")
    await page.get_by_label("Reason").fill("Her export stops.")
    await page.get_by_role("button", name="Start support access").click()
    await expect(bar(page)).to_contain_text("You are acting for Carol in Acme Robotics")


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
async def test_an_agent_acts_for_a_member_until_the_customers_admin_ends_it(
    open_here: OpenPage, stage: SupportSite, acme: Customer, sam: Person, scripts: bool
) -> None:
    """One scenario: the admin allows it, the agent views, both admin and member see it, the admin ends it."""
    admin, member = [
        await open_here(person, java_script_enabled=scripts) for person in (acme.alice, acme.carol)
    ]
    agent = await open_here(java_script_enabled=scripts)
    await start_session(agent, stage.site, sam, FRESH)
    await allow(admin, acme)

    await start(agent, stage, acme)

    await expect(bar(agent)).to_contain_text("Ticket 4711")
    await expect(bar(agent)).to_contain_text("View only")
    await expect(account_menu(agent)).to_have_accessible_name("Account menu of Sam")
    await agent.get_by_role("link", name="Projects", exact=True).click()
    await expect(agent.get_by_role("heading", name="Projects", level=1)).to_be_visible()
    await expect(bar(agent)).to_be_visible()
    await expect(agent.get_by_role("link", name="Create project")).to_have_count(0)

    await member.goto(f"{acme.root}/")
    await expect(member.get_by_role("main")).to_contain_text("Sam from support is acting for you.")
    await admin.goto(f"{acme.root}/")
    await expect(admin.get_by_role("main")).to_contain_text("Sam from support is acting for Carol.")
    await admin.get_by_role("button", name="End access").click()
    await expect(admin.get_by_role("main")).to_contain_text("Ended by Alice")

    await agent.reload()
    await expect(agent.get_by_role("heading", name="This support access has ended")).to_be_visible()
    await expect(agent.get_by_role("main")).to_contain_text("Alice ended it.")
    await expect(bar(agent)).to_have_count(0)
    await agent.get_by_role("link", name="Support desk").last.click()
    await expect(agent.get_by_role("main")).to_contain_text("Ended by Alice")


async def test_the_recent_places_of_an_agent_outlast_support_access(
    open_here: OpenPage, stage: SupportSite, acme: Customer, sam: Person
) -> None:
    admin, agent = await open_here(acme.alice), await open_here()
    await start_session(agent, stage.site, sam, FRESH)
    await allow(admin, acme)
    await agent.goto(stage.desk)
    await agent.evaluate("() => localStorage.setItem('workroom_recent', '[]')")

    await start(agent, stage, acme)

    assert await agent.evaluate("() => localStorage.getItem('workroom_recent')") is not None


async def test_an_agent_changes_a_project_where_that_is_allowed_and_ends_it_themselves(
    open_here: OpenPage, stage: SupportSite, acme: Customer, sam: Person
) -> None:
    admin, agent = await open_here(acme.alice), await open_here()
    await start_session(agent, stage.site, sam, FRESH)
    await allow(admin, acme, writes=True)
    await agent.goto(f"{stage.desk}/start?organization={acme.id}")
    await agent.get_by_label("Member").fill(address_of(acme.carol))
    await agent.get_by_label("Ticket").fill("4712")
    await agent.get_by_label("Reason").fill("Create the project that she cannot create.")
    await agent.get_by_label("What you can do").select_option("write")
    await agent.get_by_role("button", name="Start support access").click()
    await expect(bar(agent)).to_contain_text("Can change projects and tasks")

    await agent.get_by_role("link", name="Create project").first.click()
    await agent.get_by_label("Name").fill("Rover")
    await agent.get_by_role("button", name="Create project").click()
    await expect(agent.get_by_role("heading", name="Rover")).to_be_visible()
    await agent.get_by_role("button", name="End support access").click()

    await expect(agent.get_by_role("heading", name="Support desk")).to_be_visible()
    await expect(bar(agent)).to_have_count(0)
    await admin.goto(f"{acme.root}/audit")
    await expect(admin.get_by_role("main")).to_contain_text("created the project Rover")


async def test_pages_of_support_access_are_accessible_and_fit_a_phone(
    open_here: OpenPage, stage: SupportSite, acme: Customer, sam: Person
) -> None:
    admin, agent = await open_here(acme.alice, **PHONE), await open_here(**PHONE)
    await start_session(agent, stage.site, sam, FRESH)
    assert await findings_on(admin, _before(admin, acme)) == []
    assert await findings_on(agent, _acting(agent, stage, acme)) == []
    assert await findings_on(admin, _live(admin, acme)) == []
    assert await findings_on(agent, _ended(agent, stage, acme)) == []


async def _before(page: Page, acme: Customer) -> AsyncIterator[str]:
    path = f"{acme.root}/support-access"
    await page.goto(path)
    yield path
    await allow(page, acme, writes=True)
    yield path
    await page.get_by_text("Change what you allow").click()
    yield "the form, unfolded"


async def _acting(page: Page, stage: SupportSite, acme: Customer) -> AsyncIterator[str]:
    await page.goto(stage.desk)
    yield stage.desk
    form = f"{stage.desk}/start?organization={acme.id}"
    await page.goto(form)
    yield form
    await page.get_by_role("button", name="Start support access").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    yield "a form with errors"
    await start(page, stage, acme)
    for path in ("/", "/projects", "/members", "/audit", "/access", "/projects/new"):
        await page.goto(f"{acme.root}{path}")
        await expect(bar(page)).to_be_visible()
        yield f"{acme.root}{path}"
    await page.goto(stage.desk)
    yield stage.desk


async def _live(page: Page, acme: Customer) -> AsyncIterator[str]:
    for path in ("/", "/support-access", "/settings", "/audit"):
        await page.goto(f"{acme.root}{path}")
        yield f"{acme.root}{path}"
    await page.goto("/notifications")
    yield "/notifications"
    await page.goto(f"{acme.root}/support-access")
    await page.get_by_role("button", name="End access").click()
    await expect(page.get_by_role("main")).to_contain_text("Ended by Alice")
    yield f"{acme.root}/support-access"


async def _ended(page: Page, stage: SupportSite, acme: Customer) -> AsyncIterator[str]:
    await page.goto(f"{acme.root}/projects")
    await expect(page.get_by_role("heading", name="This support access has ended")).to_be_visible()
    yield "the end"
    await page.goto(stage.desk)
    yield stage.desk
