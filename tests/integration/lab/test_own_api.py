"""Requests that lessons send to Workroom's own API count within its limits. Only an answer is evidence."""

from __future__ import annotations

from saas_app.config import Rate
from saas_app.lab.lessons import find_lesson
from tests.conftest import OpenApp
from tests.integration.lab.conftest import NewLearner, path_of
from tests.integration.lab.tasks import ANSWERS, play


async def test_an_answer_over_the_limit_is_no_evidence(new_learner: NewLearner, open_app: OpenApp) -> None:
    lesson = find_lesson("audience-first")
    assert lesson
    lena = await new_learner("Lena", at=await open_app(rate_limit_user=Rate(4, 86_400)))
    await play(lena, lesson, ANSWERS[lesson.slug])
    await lena.browser.post(f"{path_of(lesson)}/again")

    page = await lena.act(lesson, expect=429)

    assert "could not answer a request of this lesson (status 429)" in page
    assert not (await lena.run_of(lesson)).is_done
