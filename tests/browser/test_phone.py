"""On a phone, menus work by touch, and the current tab is visible. ``test_every_page`` checks the width."""

from __future__ import annotations

import pytest
from playwright.async_api import Locator, Page, expect

from saas_app.lab.lessons import LESSONS
from tests.browser.conftest import OpenPage
from tests.browser.lab_steps import Learner
from tests.browser.page_checks import excess_width
from tests.browser.steps import account_menu, expect_path, option, switcher
from tests.factories import Factory
from tests.integration.lab.tasks import ANSWERS

WIDTH = 375
PHONE = {
    "viewport": {"width": WIDTH, "height": 720},
    "device_scale_factor": 1,
    "is_mobile": True,
    "has_touch": True,
}


async def test_menus_open_within_the_screen_and_work_by_touch(open_page: OpenPage, people: Factory) -> None:
    """One scenario by touch: the switcher, the account menu, and a tab."""
    alice = await people.person()
    acme = await people.organization("Acme Robotics and Sons", admin=alice)
    globex = await people.organization("Globex", viewer=alice)
    page = await open_page(alice, **PHONE)
    await page.goto(f"/o/{acme}/projects")

    await switcher(page).tap()
    await _expect_on_screen(page, option(page, "Globex"))
    await option(page, "Globex").tap()
    await page.wait_for_url(f"**/o/{globex}/projects")

    await account_menu(page).tap()
    account = page.get_by_role("link", name="Account", exact=True)
    await _expect_on_screen(page, account)
    await _expect_on_screen(page, page.get_by_role("button", name="Sign out"))
    await account.tap()
    await page.wait_for_url("**/account")

    await page.goto(f"/o/{globex}/")
    await page.get_by_role("link", name="My access", exact=True).tap()
    await page.wait_for_url("**/access")
    await expect_path(page, f"/o/{globex}/access")


async def _expect_on_screen(page: Page, target: Locator) -> None:
    await expect(target).to_be_in_viewport(ratio=1)
    assert await page.evaluate("() => document.documentElement.scrollWidth") <= WIDTH


@pytest.mark.parametrize("width", [390, 320])
async def test_the_current_tab_and_the_deciding_column_are_visible(
    open_page: OpenPage, people: Factory, width: int
) -> None:
    alice = await people.person()
    acme = await people.organization("Acme Robotics and Sons", admin=alice)
    page = await open_page(alice, **{**PHONE, "viewport": {"width": width, "height": 720}})
    for feature in ("projects", "settings", "access"):
        await page.goto(f"/o/{acme}/{feature}")
        current = page.get_by_role("navigation").locator("[aria-current=page]")
        await _expect_within(page, current, width)
    await _expect_within(page, page.get_by_role("columnheader", name="In your token"), width)
    await page.locator(".table-frame").evaluate("frame => { frame.scrollLeft = 1000 }")
    for kept in ("th[scope=row]", "td.decides"):
        await _expect_within(page, page.locator(f".matrix {kept}").first, width)
    assert await excess_width(page, "my access", width) == []


async def _expect_within(page: Page, place: Locator, width: int) -> None:
    """Expect all of the element to be visible without scrolling sideways."""
    await expect(place).to_be_visible()
    box = await place.bounding_box()
    assert box is not None
    assert box["x"] >= 0, box
    assert box["x"] + box["width"] <= width, box


async def test_the_filters_of_tasks_fit_in_the_longest_language(open_page: OpenPage, people: Factory) -> None:
    alice = await people.person()
    acme = await people.organization("Acme", admin=alice)
    page = await open_page(alice, **{**PHONE, "locale": "es-ES", "viewport": {"width": 320, "height": 720}})
    await page.goto(f"/o/{acme}/projects/new")
    await page.locator("input[name=name]").fill("Rover")
    await page.get_by_role("button", name="Crear proyecto").click()
    await _expect_within(page, page.get_by_role("link", name="Asignadas a mí"), 320)
    assert await excess_width(page, "project", 320) == []


async def test_after_acting_the_verdict_of_a_lesson_is_on_the_screen(
    open_page: OpenPage, people: Factory
) -> None:
    learner = Learner(await open_page(await people.person("Lena"), **PHONE))
    await learner.set_up()

    await learner.play(LESSONS[0], ANSWERS[LESSONS[0].slug])

    await _expect_on_screen(learner.page, learner.page.get_by_text("You predicted correctly"))
    await expect(learner.page.locator(".answer.is-right .answer-text")).to_be_in_viewport()
