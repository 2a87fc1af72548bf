"""A tour of the lab's contents and of a lesson in each state. It yields the name of the open page."""

from __future__ import annotations

from collections.abc import AsyncIterator

from playwright.async_api import Page, expect

from saas_app.lab.lessons import LESSONS
from tests.browser.lab_steps import Learner
from tests.browser.site import Site
from tests.browser.steps import start_session
from tests.factories import Factory
from tests.integration.lab.tasks import ANSWERS, wrong_answer

ROOT = f"/lab/lessons/{LESSONS[0].slug}"
LONG_NAME = "عبد الرحمن بن محمد الأنصاري"  # written from right to left


async def newcomer(page: Page, people: Factory, site: Site) -> AsyncIterator[str]:
    """Open the contents and the first lesson, from a first look to the prediction."""
    person = await people.person("Lena")
    await people.management.set_user_name(person.id, LONG_NAME)
    await start_session(page, site, person)
    for path in ("/lab", ROOT):
        await page.goto(path)
        yield path
    learner = Learner(page)
    await learner.set_up()
    await page.goto("/lab")
    yield "/lab?ready"
    await page.goto(ROOT)
    await page.locator("form[action$=prediction]").evaluate("form => { form.noValidate = true; }")
    await page.get_by_role("button", name="Predict").click()
    await page.get_by_role("alert").wait_for()
    yield "a lesson without an answer"
    await learner.predict(LESSONS[0], wrong_answer(LESSONS[0]))
    await page.goto(ROOT)
    yield f"{ROOT}?predicted"
    (lesson,) = [one for one in LESSONS if one.slug == "two-speeds"]
    await learner.predict(lesson, ANSWERS[lesson.slug])
    await learner.press(lesson.act_label)
    await page.get_by_role("alert").wait_for()
    yield "a lesson whose task was forgotten"


async def results(page: Page, people: Factory, site: Site) -> AsyncIterator[str]:
    """Open what the first lesson shows in the end, and the contents before and after it."""
    await start_session(page, site, await people.person("Lena"))
    learner = Learner(page)
    await learner.set_up()
    await learner.predict(LESSONS[0], ANSWERS[LESSONS[0].slug])
    await page.goto("/lab")
    yield "/lab?left-off"
    await page.goto(ROOT)
    await learner.act(LESSONS[0])
    await page.goto(ROOT)
    yield f"{ROOT}?result"
    for summary in await page.locator("main details:not([open]) > summary").all():
        if await summary.is_visible():
            await summary.click()
    yield "a result, unfolded"
    await page.goto("/lab")
    await page.get_by_text("Reset…").click()
    await expect(page.get_by_role("button", name="Reset the lab")).to_be_visible()
    yield "the contents, before a reset"
