"""A person's own settings, as their browser applies them."""

from __future__ import annotations

import re

from playwright.async_api import Page, expect

from tests.browser.steps import account_menu


async def background(page: Page) -> int:
    """Return how light the page is, from 0 to 765."""
    colors = await page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3)")
    return sum(map(int, colors))


async def test_a_chosen_theme_takes_precedence_over_the_system(page: Page) -> None:
    await page.emulate_media(color_scheme="light")
    await page.goto("/account/settings")
    assert await background(page) > 600

    await page.get_by_label("Theme").select_option("Dark")
    await page.get_by_role("button", name="Save settings").click()

    await expect(page.get_by_role("status")).to_contain_text("Settings saved")
    assert await background(page) < 150


async def test_a_chosen_time_zone_is_not_replaced_by_that_of_the_browser(page: Page) -> None:
    await page.goto("/account/settings")
    await page.get_by_label("Time zone").select_option("Asia/Tokyo")
    await page.get_by_role("button", name="Save settings").click()
    await expect(page.get_by_role("status")).to_contain_text("Settings saved")

    await page.goto("/account/settings")

    await expect(page.get_by_label("Time zone")).to_have_value("Asia/Tokyo")
    assert "chosen:Asia/Tokyo" in await page.evaluate("document.cookie")


async def test_the_language_at_the_foot_of_a_page_stays_on_that_page(page: Page) -> None:
    await page.goto("/account/settings")

    await page.get_by_role("contentinfo").get_by_role("button", name="Español").click()

    await expect(page).to_have_url(re.compile("/account/settings$"))
    await expect(page.get_by_role("heading", level=1)).to_have_text("Configuración de la cuenta")


async def test_a_new_name_is_in_the_header_at_once(page: Page) -> None:
    await page.goto("/account/profile")
    await page.get_by_label("Name").fill("Alice Liddell")

    await page.get_by_role("button", name="Save profile").click()

    await expect(page.get_by_role("status")).to_contain_text("Profile saved")
    await expect(account_menu(page)).to_contain_text("Alice Liddell")
