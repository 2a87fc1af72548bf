"""With the keyboard alone: everything is reached with Tab, shows its focus, and works with Enter."""

from __future__ import annotations

import re

from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.site import Site
from tests.browser.steps import (
    account_menu,
    identifier_field,
    password_field,
    path_of,
    press_tab_until,
)
from tests.clients import Person

# The focus ring may be around the whole row that the link fills.
_SHOWS_FOCUS = """(element) => {
  for (let part = element; part !== document.body; part = part.parentElement) {
    const style = getComputedStyle(part);
    if (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) return true;
  }
  return false;
}"""


async def test_a_person_signs_in_and_creates_a_project_with_the_keyboard_alone(
    open_page: OpenPage, alice: Person, acme: str, site: Site
) -> None:
    """One scenario: from the front page through Logto's page to a new project."""
    page = await open_page()
    await page.goto("/")
    await _go(page, page.get_by_role("main").get_by_role("link", name="Sign in"))

    if site.has_own_logto:
        await expect(identifier_field(page)).to_be_focused()
    else:  # other Logto servers do not move the focus
        await identifier_field(page).wait_for()
        await press_tab_until(page, identifier_field(page))
    await page.keyboard.type(alice.username)
    await press_tab_until(page, password_field(page))
    await page.keyboard.type(alice.password)
    await page.keyboard.press("Enter")

    await expect(account_menu(page)).to_be_visible()
    await _go(page, page.get_by_role("link", name=re.compile("^Acme")))
    await _go(page, page.get_by_role("link", name="Projects", exact=True))
    await _go(page, page.get_by_role("link", name="Create project"))
    await press_tab_until(page, page.get_by_label("Name"))
    await page.keyboard.type("Typed, not clicked")
    await page.keyboard.press("Enter")

    await expect(page.get_by_role("heading", name="Typed, not clicked", level=1)).to_be_visible()
    assert path_of(page).startswith(f"/o/{acme}/projects/")


async def test_the_first_tab_stop_is_a_link_that_skips_the_header(page: Page, acme: str) -> None:
    await page.goto(f"/o/{acme}/projects")
    skip = page.get_by_role("link", name="Skip to content")
    await page.keyboard.press("Tab")
    await expect(skip).to_be_focused()
    await expect(skip).to_be_in_viewport(ratio=1)
    await page.keyboard.press("Enter")
    await press_tab_until(page, page.get_by_role("link", name="Export CSV"), limit=1)


async def test_the_account_menu_opens_and_closes_with_the_keyboard_alone(page: Page) -> None:
    await page.goto("/o")
    menu, leave = account_menu(page), page.get_by_role("button", name="Sign out")
    await press_tab_until(page, menu)
    await page.keyboard.press("Enter")
    await expect(leave).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(leave).to_be_hidden()
    await expect(menu).to_be_focused()


async def test_the_account_menu_signs_out_with_the_keyboard_alone(page: Page) -> None:
    await page.goto("/o")
    await press_tab_until(page, account_menu(page))
    await page.keyboard.press("Enter")
    await press_tab_until(page, page.get_by_role("button", name="Sign out"))
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Work together")).to_be_visible()


async def test_escape_cancels_the_confirmation_of_a_destructive_action(page: Page) -> None:
    await page.goto("/account")
    question = page.locator("summary", has_text="Sign out everywhere…")
    await press_tab_until(page, question)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(question).to_be_focused()
    await expect(page.get_by_role("button", name="Sign out everywhere")).to_be_hidden()


async def _go(page: Page, target: Locator) -> None:
    """Follow a link with Tab and Enter. It must show its focus."""
    await press_tab_until(page, target)
    assert await target.evaluate(_SHOWS_FOCUS), f"{target} does not show its focus"
    await page.keyboard.press("Enter")
    await page.wait_for_load_state()
