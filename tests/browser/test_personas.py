"""Seeing Workroom as a demo person: with the keyboard, without scripts, on a phone, and with *Back*."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from tests.browser.conftest import OpenPage, watched_pages
from tests.browser.page_checks import findings_on
from tests.browser.personas_site import PersonasSite, open_personas_site
from tests.browser.steps import account_menu, press_tab_until

PHONE = {"is_mobile": True, "reduced_motion": "reduce"}
OpenHere = Callable[..., Awaitable[Page]]


@pytest.fixture(scope="module")
async def stage(chromium_path: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PersonasSite]:
    async with open_personas_site(tmp_path_factory.mktemp("personas")) as opened:
        yield opened


@pytest.fixture
async def open_here(browser: Browser, stage: PersonasSite) -> AsyncIterator[OpenPage]:
    """``await open_here(alice)``: a page of the site with demo people."""
    async with watched_pages(browser, stage.site, stage.site.origins, stage.site.origins) as open_one:
        yield open_one


def bar(page: Page) -> Locator:
    """Return the bar that says whose pages the visitor sees."""
    return page.get_by_role("complementary", name="Whose pages you see")


async def play_carol(page: Page, stage: PersonasSite, path: str = "/") -> None:
    """See a page of Acme as Carol, through the account menu."""
    await page.goto(f"/o/{stage.acme}{path}")
    await account_menu(page).click()
    await page.get_by_role("link", name="See this as…").click()
    await page.get_by_role("listitem").filter(has_text="Carol").get_by_role("button").click()
    await expect(bar(page)).to_contain_text("You see this as Carol.")


async def test_a_visitor_plays_a_person_and_returns_with_the_keyboard_alone(
    open_here: OpenHere, stage: PersonasSite
) -> None:
    """One scenario: from a form through the menu to Carol's denial, and back to the form."""
    page = await open_here(stage.alice)
    await page.goto(f"/o/{stage.acme}/projects/new")

    await _enter(page, account_menu(page))
    await _enter(page, page.get_by_role("link", name="See this as…"))
    await expect(page.get_by_role("heading", name="See this as…")).to_be_visible()
    await _enter(page, page.get_by_role("button", name="See this as them", description="Carol"))

    await expect(bar(page)).to_contain_text("You see this as Carol.")
    await expect(page.get_by_role("heading", name="Your role does not allow this")).to_be_visible()
    await _enter(page, page.get_by_role("button", name="Back to Alice"))

    await expect(account_menu(page)).to_have_accessible_name("Account menu of Alice")
    await expect(page.get_by_role("heading", name="Create project")).to_be_visible()
    await expect(bar(page)).to_have_count(0)


async def test_playing_a_person_and_returning_need_no_script(
    open_here: OpenHere, stage: PersonasSite
) -> None:
    page = await open_here(stage.alice, java_script_enabled=False)

    await play_carol(page, stage, "/members")
    await expect(page.get_by_role("heading", name="Members", level=1)).to_be_visible()
    await page.get_by_role("button", name="Back to Alice").click()

    await expect(account_menu(page)).to_have_accessible_name("Account menu of Alice")


async def test_signing_out_as_the_person_keeps_the_visitor_signed_in(
    open_here: OpenHere, stage: PersonasSite
) -> None:
    page = await open_here(stage.alice)
    await play_carol(page, stage)
    await account_menu(page).click()

    await page.get_by_role("banner").get_by_role("button", name="Sign out").click()

    await expect(page.get_by_role("status")).to_contain_text("You are yourself again.")
    await expect(account_menu(page)).to_have_accessible_name("Account menu of Alice")


async def test_the_back_button_after_the_return_shows_no_page_of_the_person(
    open_here: OpenHere, stage: PersonasSite, browser_that_keeps_pages: Browser
) -> None:
    page = await open_here(stage.alice, of=browser_that_keeps_pages)
    await play_carol(page, stage)
    await page.goto(f"/o/{stage.acme}/access")
    await page.get_by_role("button", name="Back to Alice").click()
    await expect(bar(page)).to_have_count(0)

    await page.go_back()

    await expect(account_menu(page)).to_have_accessible_name("Account menu of Alice")
    await expect(bar(page)).to_have_count(0)


async def test_a_page_that_another_tab_left_behind_returns_too(
    open_here: OpenHere, stage: PersonasSite
) -> None:
    page = await open_here(stage.alice)
    await play_carol(page, stage)
    other_tab = await page.context.new_page()
    await other_tab.goto("/account")
    await page.get_by_role("button", name="Back to Alice").click()
    await expect(bar(page)).to_have_count(0)

    await other_tab.get_by_role("button", name="Back to Alice").click()

    await expect(account_menu(other_tab)).to_have_accessible_name("Account menu of Alice")
    assert other_tab.url.endswith("/account")


async def test_pages_of_a_person_are_accessible_and_fit_a_phone(
    open_here: OpenHere, stage: PersonasSite
) -> None:
    page = await open_here(stage.alice, **PHONE)
    assert await findings_on(page, _tour(page, stage)) == []


async def _tour(page: Page, stage: PersonasSite) -> AsyncIterator[str]:
    """Open the list of people, and pages as one of them. Yields the name of the open page."""
    await page.goto("/lab/as")
    yield "/lab/as"
    await page.get_by_role("button", name="See this as them").click()
    await expect(bar(page)).to_be_visible()
    root = f"/o/{stage.acme}"
    for path in ("/o", f"{root}/", f"{root}/access", f"{root}/audit", "/account", "/lab/as", "/no/such/page"):
        await page.goto(path)
        await expect(bar(page)).to_contain_text(re.compile("You see this as Carol"))
        yield f"{path} as Carol"


async def _enter(page: Page, target: Locator) -> None:
    await press_tab_until(page, target)
    await page.keyboard.press("Enter")
