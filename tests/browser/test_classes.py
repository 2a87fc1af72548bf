"""An hour in a class: a teacher and learners, also with the keyboard alone and without scripts."""

from __future__ import annotations

import asyncio
import csv
import io
import re

import pytest
from playwright.async_api import Page, Request, expect

from saas_app.lab.lessons import LESSONS
from tests.browser.class_steps import act, bar_of, join_class, predict, set_up_lab, start_class
from tests.browser.conftest import OpenPage
from tests.browser.steps import press_tab_until
from tests.factories import Factory

LESSON = LESSONS[0]
FIRST, SECOND = LESSON.answers[:2]
HELD_BACK = re.compile("Held back, because there are too few predictions")
SECONDS = 1_000


@pytest.fixture
async def teacher(open_page: OpenPage, people: Factory) -> Page:
    """The page of a person who will teach."""
    return await open_page(await people.person("Tess"))


@pytest.fixture
async def learners(open_page: OpenPage, people: Factory) -> list[Page]:
    """The pages of three people with practice organizations."""
    pages = [await open_page(await people.person(name)) for name in ("Lena", "Omar", "Ines")]
    for page in pages:
        await set_up_lab(page)
    return pages


async def _export(page: Page) -> list[dict[str, str]]:
    async with page.expect_download() as started:
        await page.get_by_role("link", name="Export CSV").click()
    file = await (await started.value).path()
    content = await asyncio.to_thread(file.read_text, encoding="utf-8-sig")
    return list(csv.DictReader(io.StringIO(content)))


async def test_a_class_predicts_acts_and_talks_about_what_it_predicted(
    teacher: Page, learners: list[Page]
) -> None:
    """One scenario, the hour of docs/teaching.md. The teacher's page shows everything without a reload."""
    code = await start_class(teacher)
    lena, omar, ines = learners
    for page, typed in zip(learners, (code, code.lower(), code.replace("-", "")), strict=True):
        await join_class(page, typed)
    await lena.get_by_role("button", name="Show my name to the teacher").click()
    await expect(lena.get_by_role("button", name="Hide my name")).to_be_visible()
    await expect(teacher.get_by_text("1 learner shows you their name")).to_be_visible()

    await predict(lena, LESSON, FIRST)
    await expect(teacher.get_by_text(HELD_BACK)).to_be_visible()
    await predict(omar, LESSON, FIRST)
    await predict(ines, LESSON, SECOND)
    await act(ines, LESSON)

    await expect(teacher.get_by_text("3 predicted, 1 done")).to_be_visible()
    await expect(
        teacher.get_by_text(HELD_BACK)
    ).to_be_visible()  # Lena's answer is known, so two would not hide
    await lena.goto(f"/lab/class/{code}")
    await expect(lena.get_by_text("Nothing revealed yet")).to_be_visible()
    await lena.get_by_role("button", name="Hide my name").click()
    await expect(bar_of(teacher, FIRST)).to_contain_text("2 (67%)")
    await expect(bar_of(teacher, SECOND)).to_contain_text("1 (33%)")

    await teacher.get_by_role("button", name="Reveal for all").click()
    await expect(teacher.get_by_text("Revealed", exact=True)).to_be_visible()
    await lena.get_by_role("link", name="Refresh").click()
    await expect(bar_of(lena, SECOND)).to_contain_text("1 (33%)")

    rows = await _export(teacher)
    assert sorted(row["Prediction"] for row in rows) == sorted(
        map(str, (FIRST.text, FIRST.text, SECOND.text))
    )
    assert {row["Name"] for row in rows} == {""}
    await teacher.get_by_text("Close class…").click()
    await teacher.get_by_role("button", name="Close class").click()
    await expect(teacher.get_by_text("This class was closed")).to_be_visible()
    await omar.goto(f"/lab/class/{code}")
    await expect(omar.get_by_text("Your teacher has closed this class.")).to_be_visible()


async def test_a_class_works_with_the_keyboard_alone(
    teacher: Page, open_page: OpenPage, people: Factory
) -> None:
    """A teacher starts a class, a learner joins it and shows their name, and the teacher reads it."""
    await teacher.goto("/lab")
    await _go(teacher, "link", "Classes")
    await press_tab_until(teacher, teacher.get_by_label("Title"))
    await teacher.keyboard.type("Typed, not clicked")
    await teacher.keyboard.press("Enter")
    code = await teacher.locator(".the-code [aria-hidden]").inner_text()

    learner = await open_page(await people.person("Lena"))
    await learner.goto(f"/lab/class?code={code}")
    await press_tab_until(learner, learner.get_by_label("Join code"))
    await learner.keyboard.press("Enter")
    await expect(learner.get_by_role("heading", name="Typed, not clicked")).to_be_visible()
    await _go(learner, "button", "Show my name to the teacher")
    await expect(learner.get_by_role("button", name="Hide my name")).to_be_visible()

    names = teacher.locator("summary", has_text="1 learner shows you their name")
    await names.wait_for()
    await press_tab_until(teacher, names)
    await teacher.keyboard.press("Enter")
    await expect(teacher.get_by_role("rowheader", name="Lena")).to_be_visible()


async def test_a_class_works_without_scripts(open_page: OpenPage, people: Factory) -> None:
    """A learner predicts, and the teacher refreshes the page and reveals."""
    teacher, learner = [
        await open_page(await people.person(name), java_script_enabled=False) for name in ("Tess", "Lena")
    ]
    await set_up_lab(learner)
    code = await start_class(teacher)
    await join_class(learner, code)
    await predict(learner, LESSON, FIRST)

    await expect(teacher.get_by_text("Updates by itself")).to_be_hidden()
    await teacher.get_by_role("link", name="Refresh").click()
    await expect(teacher.get_by_text("1 predicted, 0 done")).to_be_visible()
    await teacher.get_by_role("button", name="Reveal for all").click()
    await learner.goto(f"/lab/class/{code}")

    await expect(learner.get_by_text("The bars appear when")).to_be_visible()
    await learner.get_by_text("Leave class…").click()
    await learner.get_by_role("button", name="Leave class").click()
    await expect(learner.get_by_text("You have left the class.")).to_be_visible()


async def test_what_the_teacher_has_opened_stays_open_and_keeps_the_focus(
    teacher: Page, open_page: OpenPage, people: Factory
) -> None:
    code = await start_class(teacher)
    lena, omar = [await open_page(await people.person(name)) for name in ("Lena", "Omar")]
    for learner in (lena, omar):
        await join_class(learner, code)
    await lena.get_by_role("button", name="Show my name to the teacher").click()
    await teacher.get_by_text("1 learner shows you their name").click()

    await omar.get_by_role("button", name="Show my name to the teacher").click()

    names = teacher.locator("summary", has_text="2 learners show you their names")
    await expect(names).to_be_focused()
    await expect(teacher.get_by_role("rowheader", name="Omar")).to_be_visible()


async def test_the_page_asks_for_nothing_while_its_tab_is_hidden(teacher: Page) -> None:
    await teacher.clock.install()
    await start_class(teacher)
    asked: list[str] = []

    def note(request: Request) -> None:
        if request.url.endswith("/progress"):
            asked.append(request.url)

    teacher.on("request", note)
    await _hide(teacher, is_hidden=True)
    await teacher.clock.run_for(60 * SECONDS)
    assert asked == []

    async with teacher.expect_response("**/progress"):
        await _hide(teacher, is_hidden=False)


async def test_a_page_that_gets_no_answer_says_so_and_goes_on_later(teacher: Page) -> None:
    await teacher.clock.install()
    await start_class(teacher)
    state = teacher.locator("[data-live-state]")
    await expect(state).to_have_text("Updates by itself")

    await teacher.route("**/progress", lambda route: route.abort("aborted"))
    for _ in range(3):
        async with teacher.expect_event("requestfailed"):
            await teacher.clock.run_for(6 * SECONDS)
    await expect(state).to_have_text("No longer updated. Use Refresh.")

    await teacher.unroute("**/progress")
    await teacher.clock.run_for(6 * SECONDS)
    await expect(state).to_have_text("Updates by itself")


async def _hide(page: Page, *, is_hidden: bool) -> None:
    """Tell the page that its tab is hidden, or shown again."""
    script = """isHidden => {
      Object.defineProperty(document, "hidden", { value: isHidden, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }"""
    await page.evaluate(script, is_hidden)


async def _go(page: Page, role: str, name: str) -> None:
    """Reach a link or a button with Tab, and press Enter."""
    target = page.get_by_role("button" if role == "button" else "link", name=name, exact=True)
    await press_tab_until(page, target)
    await page.keyboard.press("Enter")
    await page.wait_for_load_state()
