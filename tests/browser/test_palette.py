"""The command palette, shortcuts and toasts, by keyboard and by screen reader."""

from __future__ import annotations

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.page_checks import axe_findings
from tests.browser.steps import create_project, expect_path, sign_out, switcher
from tests.clients import Person
from tests.factories import Factory


@pytest.fixture
async def page(open_page: OpenPage, alice: Person, acme: str) -> Page:
    """The overview of Acme, of which Alice is an admin."""
    page = await open_page(alice)
    await page.goto(f"/o/{acme}/")
    return page


def field(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Jump to a page, project or person")


async def open_palette(page: Page) -> None:
    await page.keyboard.press("ControlOrMeta+K")
    await expect(field(page)).to_be_focused()
    await expect(page.get_by_role("option", name="Overview")).to_be_visible()


async def test_a_page_is_opened_with_the_keyboard_alone(page: Page, acme: str) -> None:
    await open_palette(page)
    await page.keyboard.type("audit")
    await expect(page.locator("#palette .is-active")).to_have_accessible_name("Audit log")
    await page.keyboard.press("Enter")

    await page.wait_for_url(f"**/o/{acme}/audit")


async def test_enter_that_ends_the_composition_of_a_word_opens_nothing(page: Page, acme: str) -> None:
    await open_palette(page)
    enter = {"key": "Enter", "isComposing": True, "bubbles": True, "cancelable": True}
    was_left_alone = await field(page).evaluate(
        "(input, enter) => input.dispatchEvent(new KeyboardEvent('keydown', enter))", enter
    )

    assert was_left_alone
    await expect_path(page, f"/o/{acme}/")


async def test_arrows_move_to_the_next_result_which_is_announced(page: Page) -> None:
    await open_palette(page)
    first = await field(page).get_attribute("aria-activedescendant")
    await page.keyboard.press("ArrowDown")

    await expect(field(page)).not_to_have_attribute("aria-activedescendant", first or "")
    await expect(page.locator("#palette [aria-selected=true]")).to_have_count(1)


async def test_escape_closes_the_palette_and_returns_the_focus(page: Page) -> None:
    button = page.get_by_role("link", name="Search", exact=True)
    await button.focus()
    await page.keyboard.press("Enter")
    await expect(field(page)).to_be_focused()
    await page.keyboard.press("Escape")

    await expect(button).to_be_focused()


async def test_another_organization_is_reached(people: Factory, open_page: OpenPage) -> None:
    nina = await people.person("Nina")
    here = await people.organization("Hooli", viewer=nina)
    there = await people.organization("Initech", viewer=nina)
    page = await open_page(nina)
    await page.goto(f"/o/{here}/")
    await open_palette(page)
    await page.keyboard.type("initech")
    await page.keyboard.press("Enter")

    await page.wait_for_url(f"**/o/{there}/")


async def test_recent_places_come_first_until_the_person_signs_out(page: Page, acme: str) -> None:
    await create_project(page, acme, "Rover")
    await page.goto(f"/o/{acme}/")
    await open_palette(page)
    await expect(page.get_by_role("group", name="Recent").get_by_role("option", name="Rover")).to_be_visible()
    await page.keyboard.press("Escape")
    await sign_out(page)

    assert await page.evaluate("() => localStorage.getItem('workroom_recent')") is None


async def test_shortcuts_lead_to_a_page_and_to_a_form(page: Page, acme: str) -> None:
    await page.keyboard.press("g")
    await page.keyboard.press("p")
    await page.wait_for_url(f"**/o/{acme}/projects")
    await page.keyboard.press("c")

    await page.wait_for_url(f"**/o/{acme}/projects/new")


async def test_a_question_mark_opens_the_sheet_of_shortcuts(page: Page) -> None:
    await page.keyboard.press("?")

    await expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    assert await axe_findings(page, "shortcuts") == []


async def test_letters_are_no_shortcuts_while_somebody_types(page: Page, acme: str) -> None:
    await page.goto(f"/o/{acme}/projects")
    await page.get_by_role("searchbox").first.focus()
    await page.keyboard.type("gm?c")

    await expect_path(page, f"/o/{acme}/projects")
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_shortcuts_of_single_letters_can_be_switched_off(page: Page, acme: str) -> None:
    await page.keyboard.press("?")
    await page.get_by_label("Use shortcuts of single letters").uncheck()
    await page.goto(f"/o/{acme}/projects")
    await page.keyboard.press("c")
    await page.keyboard.press("?")

    await expect_path(page, f"/o/{acme}/projects")
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_the_open_palette_is_accessible(page: Page) -> None:
    await open_palette(page)

    assert await axe_findings(page, "palette") == []


async def test_without_a_script_the_search_is_a_page(open_page: OpenPage, alice: Person, acme: str) -> None:
    page = await open_page(alice, java_script_enabled=False)
    await page.goto(f"/o/{acme}/")
    await page.get_by_role("link", name="Search", exact=True).click()
    await page.get_by_label("Search for").fill("audit")
    await page.get_by_role("main").get_by_role("button", name="Search").click()
    await page.get_by_role("main").get_by_role("link", name="Audit log").click()

    await expect_path(page, f"/o/{acme}/audit")


async def test_a_toast_is_announced_and_can_be_dismissed(page: Page, acme: str) -> None:
    await create_project(page, acme, "Rover")
    toast = page.get_by_role("status").get_by_text("Rover")
    await expect(toast).to_be_visible()
    await page.get_by_role("button", name="Dismiss").click()

    await expect(toast).to_have_count(0)


async def test_signing_out_is_confirmed(page: Page) -> None:
    await sign_out(page)

    await expect(page.get_by_text("You are signed out.")).to_be_visible()


@pytest.mark.parametrize("path", ["/account", "/o", "/o/unknown/"])
async def test_the_switcher_is_there_outside_an_organization(page: Page, path: str, acme: str) -> None:
    await page.goto(path)
    await page.get_by_label("Organizations. Switch").click()
    await page.get_by_role("listbox").get_by_role("option", name="Acme").click()

    await page.wait_for_url(f"**/o/{acme}/")


async def test_the_switcher_shows_the_role_in_each_organization(page: Page) -> None:
    await switcher(page).click()

    await expect(page.get_by_role("listbox").get_by_role("option", name="Acme")).to_contain_text("admin")
