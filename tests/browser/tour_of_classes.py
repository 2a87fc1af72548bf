"""A tour of the pages of classes, for their teacher and for learners. It yields the name of the open page."""

from __future__ import annotations

from collections.abc import AsyncIterator

from playwright.async_api import Page, expect

from saas_app.lab.lessons import LESSONS
from tests.browser.class_steps import act, join_class, predict, set_up_lab, start_class
from tests.browser.conftest import OpenPage
from tests.browser.steps import path_of
from tests.browser.tour_of_an_admin import LONG_NAME
from tests.factories import Factory

LONG_TITLE = "Donaudampfschifffahrtsgesellschaftskapitänsmützen, und was wir sonst noch über Rollen lernen"
LESSON = LESSONS[0]


async def for_the_teacher(page: Page, open_page: OpenPage, people: Factory) -> AsyncIterator[str]:
    """Open the pages of a teacher: the forms, a class without learners, with bars, and closed."""
    await page.goto("/lab/class")
    yield "/lab/class"
    await page.get_by_role("button", name="Start class").click()
    await page.get_by_role("alert").wait_for()
    yield "a refused class"
    await page.get_by_label("Join code").fill("WDJB-MJHT")
    await page.get_by_role("button", name="Join class").click()
    await page.get_by_role("alert").wait_for()
    yield "a refused join code"
    code = await start_class(page, LONG_TITLE)
    yield path_of(page)
    for place in range(3):
        learner = await open_page(await people.person(LONG_NAME))
        await set_up_lab(learner)
        await join_class(learner, code)
        await predict(learner, LESSON, LESSON.answers[place % 2])
        if place == 0:
            await act(learner, LESSON)
        await learner.goto(f"/lab/class/{code}")
        await learner.get_by_role("button", name="Show my name to the teacher").click()
        await learner.get_by_role("button", name="Hide my name").wait_for()
    await page.goto(f"/lab/class/{code}")
    await page.get_by_text("3 learners show you their names").click()
    yield "a class with bars and names"
    await page.get_by_role("button", name="Reveal for all").click()
    await expect(page.get_by_text("Revealed", exact=True)).to_be_visible()
    await page.get_by_text("Close class…").click()
    yield "a question before a class is closed"
    await page.get_by_role("button", name="Close class").click()
    await page.get_by_text("This class was closed").wait_for()
    yield f"/lab/class/{code}"
    await page.goto("/lab/class")
    yield "/lab/class"
    await page.goto("/lab/class/WDJB-MJHT")
    yield "/lab/class/WDJB-MJHT"


async def for_a_learner(page: Page, open_page: OpenPage, people: Factory) -> AsyncIterator[str]:
    """Open the pages of a learner: a class without results, with a name shown, revealed, and left."""
    teacher = await open_page(await people.person("Tess"))
    code = await start_class(teacher, LONG_TITLE)
    await set_up_lab(page)
    await join_class(page, code)
    yield path_of(page)
    await page.get_by_role("button", name="Show my name to the teacher").click()
    await page.get_by_role("button", name="Hide my name").wait_for()
    yield "a class in which the learner is named"
    await predict(page, LESSON, LESSON.answers[0])
    await teacher.reload()
    await teacher.get_by_role("button", name="Reveal for all").click()
    await expect(teacher.get_by_text("Revealed", exact=True)).to_be_visible()
    await page.goto(f"/lab/class/{code}")
    await page.get_by_text("The bars appear when").wait_for()
    yield "a lesson that is revealed and held back"
    await page.get_by_text("Leave class…").click()
    yield "a question before a class is left"
    await page.goto("/lab/class")
    yield "/lab/class"
