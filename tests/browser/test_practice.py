"""The “break it” lessons in a browser: with the keyboard alone, without scripts, on a phone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from saas_app.lab.practice.declaration import Break
from saas_app.lab.practice.flaws import BREAKS
from saas_app.logto.client import connect
from tests.browser.class_steps import set_up_lab
from tests.browser.conftest import OpenPage, watched_pages
from tests.browser.page_checks import findings_on
from tests.browser.practice_site import open_practice_site
from tests.browser.site import Site
from tests.browser.steps import press_tab_until
from tests.clients import Person
from tests.factories import Factory
from tests.integration.lab.practice.plays import PLAYS, Form

OPTIONS = {"is_mobile": True, "reduced_motion": "reduce"}


@pytest.fixture(scope="module")
def practice_site(chromium_path: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_practice_site(tmp_path_factory.mktemp("practice-site")) as opened:
        yield opened


@pytest.fixture
async def lena(practice_site: Site) -> Person:
    async with connect(practice_site.management) as management:
        return await Factory(management).person("Lena")


@pytest.fixture
async def open_here(browser: Browser, practice_site: Site) -> AsyncIterator[OpenPage]:
    """``await open_here(lena)``: a page of the site with the practice service."""
    async with watched_pages(
        browser, practice_site, practice_site.origins, practice_site.judged_origins
    ) as open_one:
        yield open_one


async def send(page: Page, form: Form) -> None:
    """Fill in the request and send it."""
    await page.get_by_label("Method").select_option(form["method"])
    await page.get_by_label("Path").fill(form["path"])
    await page.locator(f"input[name=token][value={form['token']}]").check()
    if form["body"]:
        await page.get_by_label("JSON body").fill(form["body"])
    await page.get_by_role("button", name="Send request").click()
    await expect(page.get_by_role("heading", name="Your last request")).to_be_visible()


async def leak(page: Page, lesson: Break) -> None:
    """Open a lesson and send the requests that leak."""
    play = PLAYS[lesson.slug]
    await page.goto(f"/lab/practice/{lesson.slug}")
    for form in (play.honest, *play.attack):
        await send(page, form)
    await expect(page.get_by_text("Leak proved")).to_be_visible()


def fix_of(page: Page, lesson: Break, name: str) -> Locator:
    """Return the radio button of a fix."""
    fix = lesson.find_fix(name)
    assert fix is not None
    return page.get_by_role("radio", name=str(fix.idea))


async def try_fix(page: Page, lesson: Break, name: str) -> None:
    """Choose a fix and run the hidden checks."""
    await fix_of(page, lesson, name).check()
    await page.get_by_role("button", name="Run the hidden checks").click()
    await page.wait_for_url("**#checks")


@pytest.mark.parametrize("lesson", BREAKS, ids=lambda lesson: lesson.slug)
async def test_a_lesson_is_played_wrong_and_right_without_scripts(
    open_here: OpenPage, lena: Person, lesson: Break
) -> None:
    """One scenario: the leak, a fix that is not good enough, and the right one."""
    page = await open_here(lena, java_script_enabled=False)
    await set_up_lab(page)
    play = PLAYS[lesson.slug]
    await leak(page, lesson)

    await try_fix(page, lesson, play.wrong)
    await expect(page.get_by_text("This fix is not good enough")).to_be_visible()
    await expect(page.get_by_text("Failed", exact=True)).to_have_count(len(play.failing[play.wrong]))

    await try_fix(page, lesson, play.right)
    await expect(page.get_by_text("Failed", exact=True)).to_have_count(0)
    await expect(page.get_by_role("heading", name="3. What to remember")).to_be_visible()
    await expect(page.get_by_text(lesson.owasp)).to_be_visible()
    await page.goto("/lab")
    await expect(
        page.get_by_role("listitem").filter(has_text=str(lesson.title)).get_by_text("Fixed")
    ).to_be_visible()


async def test_a_lesson_is_played_wrong_and_right_with_the_keyboard_alone(
    open_here: OpenPage, lena: Person
) -> None:
    """One scenario: from the contents to the right fix, with Tab, Enter, arrow keys and typing."""
    page, lesson = await open_here(lena), BREAKS[0]
    play = PLAYS[lesson.slug]
    await set_up_lab(page)
    await press_tab_until(page, page.get_by_role("link", name=str(lesson.title)))
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/lab/practice/{lesson.slug}")

    await press_tab_until(page, page.get_by_label("Path"))
    await page.keyboard.press("Control+A")
    await page.keyboard.type("/reports/1")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Leak proved")).to_be_visible()

    ideas = [fix_of(page, lesson, fix.name) for fix in lesson.fixes]
    await press_tab_until(page, ideas[0])
    await page.keyboard.press("Space")
    await press_tab_until(page, page.get_by_role("button", name="Run the hidden checks"))
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("This fix is not good enough")).to_be_visible()
    await expect(page.get_by_role("heading", name="The hidden checks")).to_be_focused()

    await page.reload()
    await press_tab_until(page, ideas[0])  # the fix that was tried is still chosen
    for _ in range([fix.name for fix in lesson.fixes].index(play.right)):
        await page.keyboard.press("ArrowDown")
    await press_tab_until(page, page.get_by_role("button", name="Run the hidden checks"))
    await page.keyboard.press("Enter")

    await expect(page.get_by_role("heading", name="3. What to remember")).to_be_visible()


async def test_the_pages_of_a_lesson_are_accessible_and_fit_a_phone(
    open_here: OpenPage, lena: Person
) -> None:
    page = await open_here(lena, **OPTIONS)
    assert await findings_on(page, pages_of(page, BREAKS[0])) == []


async def test_finished_lessons_are_accessible_and_fit_a_phone(open_here: OpenPage, lena: Person) -> None:
    page = await open_here(lena, **OPTIONS)
    assert await findings_on(page, finished_lessons(page)) == []


async def pages_of(page: Page, lesson: Break) -> AsyncIterator[str]:
    """Open a lesson before anything is set up, at its start, after the leak, and with a refused request."""
    await page.goto(f"/lab/practice/{lesson.slug}")
    yield f"/lab/practice/{lesson.slug}"
    await set_up_lab(page)
    await page.goto(f"/lab/practice/{lesson.slug}")
    yield f"/lab/practice/{lesson.slug}"
    await leak(page, lesson)
    yield "the leak"
    await try_fix(page, lesson, PLAYS[lesson.slug].wrong)
    yield "a wrong fix"
    await page.get_by_label("Path").fill("no path")
    await page.get_by_role("button", name="Send request").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    yield "a refused request"
    await page.goto("/lab")
    yield "/lab"


async def finished_lessons(page: Page) -> AsyncIterator[str]:
    """Open every lesson at its end, with everything unfolded."""
    await set_up_lab(page)
    for lesson in BREAKS:
        await leak(page, lesson)
        await try_fix(page, lesson, PLAYS[lesson.slug].right)
        await page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        yield f"/lab/practice/{lesson.slug}"
