"""Every lesson is played right and wrong, and shows what the provider really returned."""

from __future__ import annotations

import re

import pytest

from saas_app.lab.evidence import Evidence
from saas_app.lab.lesson import Lesson
from saas_app.lab.lessons import LESSONS
from tests.integration.lab.conftest import LearnerInLab, path_of
from tests.integration.lab.tasks import ANSWERS, play, wrong_answer

EVERY_LESSON = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.slug)


@EVERY_LESSON
async def test_a_right_prediction_is_confirmed_by_what_logto_returned(
    learner: LearnerInLab, lesson: Lesson
) -> None:
    await play(learner, lesson, ANSWERS[lesson.slug])

    assert (await learner.run_of(lesson)).was_right
    assert "You predicted correctly" in await learner.browser.text(path_of(lesson))


@EVERY_LESSON
async def test_a_wrong_prediction_is_explained(learner: LearnerInLab, lesson: Lesson) -> None:
    wrong = wrong_answer(lesson)

    await play(learner, lesson, wrong)

    run, page = await learner.run_of(lesson), await learner.browser.text(path_of(lesson))
    assert (run.prediction, run.answer) == (wrong, ANSWERS[lesson.slug])
    assert "Not what you predicted" in page
    assert all(answer.why in page for answer in lesson.answers)


@EVERY_LESSON
async def test_what_a_lesson_teaches_is_shown_only_with_the_result(
    learner: LearnerInLab, lesson: Lesson
) -> None:
    before = await learner.browser.text(path_of(lesson))

    await play(learner, lesson, ANSWERS[lesson.slug])

    assert lesson.teaser in before
    assert lesson.goal not in before
    assert lesson.goal in await learner.browser.text(path_of(lesson))


async def test_the_contents_do_not_give_answers_away(learner: LearnerInLab) -> None:
    page = await learner.browser.text("/lab")

    assert [lesson.slug for lesson in LESSONS if lesson.goal in page or lesson.teaser not in page] == []


@pytest.mark.parametrize(
    ("slug", "statuses"),
    [("issued-tokens-live", [401, 403]), ("ended-role", [403]), ("second-factor", [200, 401])],
)
async def test_a_service_that_trusts_the_token_alone_stands_beside_workroom(
    learner: LearnerInLab, slug: str, statuses: list[int]
) -> None:
    lesson = next(lesson for lesson in LESSONS if lesson.slug == slug)

    await play(learner, lesson, ANSWERS[slug])

    evidence = Evidence.from_json((await learner.run_of(lesson)).evidence or {})
    assert [decided.decision.allowed for decided in evidence.decisions] == [True, False]
    assert [request.status for request in evidence.requests] == statuses


@pytest.mark.parametrize("slug", ["viewer-and-stranger", "removal", "second-factor"])
async def test_refusals_by_logto_can_be_read_without_opening_anything(
    learner: LearnerInLab, slug: str
) -> None:
    lesson = next(lesson for lesson in LESSONS if lesson.slug == slug)

    await play(learner, lesson, ANSWERS[slug])

    page = await learner.browser.get(path_of(lesson))
    summaries = re.findall(r"<summary>(.*?)</summary>", await page.get_data(as_text=True), re.DOTALL)
    assert any("403 Forbidden" in summary and "organization" in summary for summary in summaries)


@EVERY_LESSON
async def test_the_result_shows_no_token_and_no_secret(learner: LearnerInLab, lesson: Lesson) -> None:
    await play(learner, lesson, ANSWERS[lesson.slug])

    page = await learner.browser.text(path_of(lesson))
    assert "eyJ" not in page  # how every JWT begins
    assert learner.runtime.settings.logto_app_secret.get_secret_value() not in page


@EVERY_LESSON
async def test_a_lesson_has_what_its_page_shows(lesson: Lesson) -> None:
    assert 2 <= len(lesson.answers) <= 5
    assert len({answer.key for answer in lesson.answers}) == len(lesson.answers)
    assert 2 <= lesson.minutes <= 4
    assert lesson.places


def test_the_lessons_have_names_of_their_own() -> None:
    assert len({lesson.slug for lesson in LESSONS}) == len(LESSONS)
