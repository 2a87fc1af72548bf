"""One person in several organizations: the switcher keeps the feature, and tabs never mix."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.steps import (
    create_project,
    expect_path,
    option,
    path_of,
    press_tab_until,
    switch_to,
    switcher,
)
from tests.clients import Person
from tests.factories import Factory


@pytest.fixture
async def globex(people: Factory, alice: Person) -> str:
    """Another organization, in which Alice is a viewer."""
    return await people.organization("Globex", viewer=alice)


@pytest.fixture
async def page(open_page: OpenPage, alice: Person, acme: str, globex: str) -> Page:
    """The page of Alice, who is admin of Acme and viewer of Globex."""
    return await open_page(alice)


async def test_switching_keeps_the_feature_and_shows_what_the_role_there_allows(
    page: Page, acme: str, globex: str
) -> None:
    await page.goto(f"/o/{acme}/projects")
    await expect(page.get_by_role("link", name="Create project")).to_be_visible()

    await switch_to(page, "Globex")
    await expect_path(page, f"/o/{globex}/projects")
    await expect(page.get_by_role("link", name="Create project")).to_have_count(0)

    await page.get_by_role("link", name="My access").click()
    await switch_to(page, "Acme")
    await expect_path(page, f"/o/{acme}/access")


async def test_switching_without_a_role_there_leads_to_the_overview(
    open_page: OpenPage, people: Factory, alice: Person, acme: str
) -> None:
    initech = await people.organization("Initech")
    await people.join(initech, alice)
    page = await open_page(alice)
    await page.goto(f"/o/{acme}/projects")

    await switch_to(page, "Initech")
    await expect_path(page, f"/o/{initech}/")
    await expect(page.get_by_text("Your role does not include projects")).to_be_visible()


async def test_the_switcher_marks_the_current_organization(page: Page, acme: str) -> None:
    await page.goto(f"/o/{acme}/")
    await switcher(page).click()
    await expect(option(page, "Acme")).to_have_attribute("aria-selected", "true")
    await expect(option(page, "Globex")).to_have_attribute("aria-selected", "false")


async def _open_switcher(page: Page) -> None:
    """Open the switcher with the keyboard."""
    await press_tab_until(page, switcher(page))
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Find an organization")).to_be_focused()


async def test_escape_closes_the_switcher(page: Page, acme: str) -> None:
    await page.goto(f"/o/{acme}/projects")
    await _open_switcher(page)
    await _expect_active(page, "Acme")
    await page.keyboard.press("Escape")
    await expect(switcher(page)).to_be_focused()
    await expect(page.get_by_label("Find an organization")).to_be_hidden()


async def test_arrows_choose_an_organization(
    open_page: OpenPage, people: Factory, alice: Person, acme: str, globex: str
) -> None:
    initech = await people.organization("Initech", editor=alice)
    page = await open_page(alice)
    await page.goto(f"/o/{acme}/projects")
    await _open_switcher(page)
    await _expect_active(page, "Acme")
    await page.keyboard.press("ArrowDown")
    await _expect_active(page, "Globex")
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("ArrowUp")
    await _expect_active(page, "Initech")  # the last follows before the first
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/o/{initech}/projects")


async def test_typing_finds_an_organization(page: Page, acme: str, globex: str) -> None:
    await page.goto(f"/o/{globex}/projects")
    await _open_switcher(page)
    await page.keyboard.type("glob")
    await expect(page.get_by_role("listbox").get_by_role("option")).to_have_count(1)
    await _expect_active(page, "Globex")
    await page.keyboard.press("ControlOrMeta+A")
    await page.keyboard.type("acm")
    await page.keyboard.press("Enter")  # before the list has changed: the typed text counts
    await page.wait_for_url(f"**/o/{acme}/projects")


async def _expect_active(page: Page, name: str) -> None:
    """Expect the option that the arrows reached to be the one that assistive technology announces."""
    find = page.get_by_label("Find an organization")
    await expect(page.locator("[role=option].is-active")).to_have_accessible_name(re.compile(name))
    active = await page.locator("[role=option].is-active").get_attribute("id")
    await expect(find).to_have_attribute("aria-activedescendant", active or "nothing is active")


async def test_two_tabs_in_two_organizations_never_mix(
    open_page: OpenPage, people: Factory, alice: Person, acme: str
) -> None:
    globex = await people.organization("Globex", admin=alice)
    left = await open_page(alice)
    right = await left.context.new_page()
    await left.goto(f"/o/{acme}/projects/new")
    await right.goto(f"/o/{globex}/projects/new")  # the other tab's organization is now the last used

    await left.get_by_label("Name").fill("Robot arm")
    await left.get_by_role("button", name="Create project").click()
    await right.get_by_label("Name").fill("Warehouse")
    await right.get_by_role("button", name="Create project").click()

    for tab, organization, own, foreign in (
        (left, acme, "Robot arm", "Warehouse"),
        (right, globex, "Warehouse", "Robot arm"),
    ):
        await expect(tab.get_by_role("heading", name=own, level=1)).to_be_visible()
        assert path_of(tab).startswith(f"/o/{organization}/projects/")
        await tab.get_by_role("link", name="Projects").first.click()
        await expect(tab.get_by_role("rowheader").get_by_role("link")).to_have_text([own])
        await expect(tab.get_by_role("link", name=foreign)).to_have_count(0)


async def test_a_project_is_not_found_under_another_organization(page: Page, acme: str, globex: str) -> None:
    path = await create_project(page, acme, "Robot arm")
    answer = await page.goto(path.replace(acme, globex))
    assert answer is not None
    assert answer.status == 404
    await expect(page.locator("body")).not_to_contain_text("Robot arm")
