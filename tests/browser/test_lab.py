"""The lab in a browser: every lesson, right and wrong, with the keyboard alone and without scripts."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from saas_app.lab.lesson import Lesson
from saas_app.lab.lessons import LESSONS
from tests.browser.conftest import OpenPage
from tests.browser.lab_steps import KEYBOARD, Learner
from tests.browser.steps import expect_path
from tests.factories import Factory
from tests.integration.lab.tasks import ANSWERS, wrong_answer

EVERY_LESSON = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.slug)
FIRST = LESSONS[0]


@pytest.fixture
async def page(open_page: OpenPage, people: Factory) -> Page:
    """The page of a person who has not used the lab yet."""
    return await open_page(await people.person("Lena"))


@pytest.fixture
async def learner(page: Page) -> Learner:
    """A learner with practice organizations, who uses the keyboard alone."""
    await Learner(page).set_up()
    return Learner(page, KEYBOARD)


@EVERY_LESSON
@pytest.mark.parametrize("is_right", [True, False], ids=["right", "wrong"])
async def test_a_lesson_is_played_with_the_keyboard_alone(
    learner: Learner, lesson: Lesson, is_right: bool
) -> None:
    await learner.play(lesson, ANSWERS[lesson.slug] if is_right else wrong_answer(lesson))

    verdict = "You predicted correctly" if is_right else "Not what you predicted"
    await expect(learner.page.get_by_text(verdict)).to_be_visible()
    await expect(learner.page.get_by_role("heading", name="What happened")).to_be_focused()
    await expect(learner.page.locator(".answer.is-right")).to_contain_text(
        next(answer.text for answer in lesson.answers if answer.key == ANSWERS[lesson.slug])
    )


@EVERY_LESSON
async def test_a_lesson_is_played_without_scripts(
    open_page: OpenPage, people: Factory, lesson: Lesson
) -> None:
    learner = Learner(await open_page(await people.person("Lena"), java_script_enabled=False))
    await learner.set_up()

    await learner.play(lesson, ANSWERS[lesson.slug])

    await expect(learner.page.get_by_text("You predicted correctly")).to_be_visible()


async def test_a_newcomer_is_led_from_one_step_to_the_next(page: Page) -> None:
    """One scenario with the keyboard alone: only the primary button of each page is pressed."""
    learner = Learner(page, KEYBOARD)
    await page.goto("/lab")
    await learner.press("Set up my practice organizations")
    await learner.press("Start the first lesson")
    await expect(page.get_by_role("heading", name=FIRST.title, level=1)).to_be_visible()
    await KEYBOARD.choose(page, page.locator("input[name=answer]").first)
    await learner.press("Predict")
    await expect(page.get_by_role("heading", name="2. Act")).to_be_focused()

    await page.goto("/lab")
    await expect(page.get_by_role("heading", name="You left off here")).to_be_visible()
    await learner.press("Continue")
    await learner.act(FIRST)

    await expect(page.locator("main .btn-primary")).to_have_count(1)
    await learner.press(re.compile("^(Next: |All lessons)"))
    await expect(page.get_by_text("You predicted correctly")).to_have_count(0)


async def test_a_lesson_offers_to_set_up_and_is_shown_again_afterwards(page: Page) -> None:
    learner = Learner(page, KEYBOARD)
    await page.goto(f"/lab/lessons/{FIRST.slug}")

    await learner.press("Set up my practice organizations")

    await expect_path(page, f"/lab/lessons/{FIRST.slug}")
    await expect(page.get_by_role("button", name="Predict")).to_be_visible()


async def test_reset_asks_first_and_then_begins_again(learner: Learner) -> None:
    await learner.play(FIRST, ANSWERS[FIRST.slug])
    page = learner.page
    await page.goto("/lab")
    await expect(page.get_by_text(f"1 of {len(LESSONS)} done")).to_be_visible()

    await KEYBOARD.press(page, page.locator("summary", has_text="Reset…"))
    await learner.press("Reset the lab")

    await expect(page.get_by_role("status")).to_contain_text("were deleted")
    await expect(page.get_by_text(f"0 of {len(LESSONS)} done")).to_be_visible()
    await expect(page.get_by_role("button", name="Set up my practice organizations")).to_be_visible()


async def test_without_a_choice_the_first_answer_gets_the_focus(open_page: OpenPage, people: Factory) -> None:
    page = await open_page(await people.person("Lena"))
    await Learner(page).set_up()
    await page.goto(f"/lab/lessons/{FIRST.slug}")
    await page.locator("form[action$=prediction]").evaluate("form => { form.noValidate = true; }")

    await page.get_by_role("button", name="Predict").click()

    await expect(page.get_by_role("alert")).to_contain_text("Choose one of the answers")
    await expect(page.get_by_role("radio").first).to_be_focused()


async def test_a_task_that_was_forgotten_is_named_beside_the_button(learner: Learner) -> None:
    (lesson,) = [one for one in LESSONS if one.slug == "two-speeds"]
    await learner.predict(lesson, ANSWERS[lesson.slug])
    await learner.press(lesson.act_label)
    await expect(learner.page.get_by_role("alert")).to_contain_text(
        "Sam is not an admin of your workshop yet"
    )
    await expect(learner.page.get_by_role("alert")).to_be_focused()

    await learner.do_tasks(lesson)
    await learner.act(lesson)

    await expect(learner.page.get_by_text("You predicted correctly")).to_be_visible()


async def test_a_task_says_that_it_opens_a_new_tab(learner: Learner) -> None:
    await learner.predict(FIRST, ANSWERS[FIRST.slug])

    await expect(learner.page.locator(".tasks a").first).to_have_accessible_name(
        f"{FIRST.tasks[0].text} (opens in a new tab)"
    )
