"""What the pages of the lab cost, whatever they show."""

from __future__ import annotations

from typing import Any

import pytest
from quart import Quart

from saas_app.lab.lessons import LESSONS
from tests.integration.faulty_logto import Gate
from tests.integration.lab.conftest import LearnerInLab, path_of
from tests.integration.lab.tasks import ANSWERS, play
from tests.integration.statements import statements_of

FIRST, LAST = LESSONS[0], LESSONS[-1]


@pytest.fixture
async def learner(learner: LearnerInLab) -> LearnerInLab:
    """A learner with a result, who has looked at the pages before."""
    await play(learner, FIRST, ANSWERS[FIRST.slug])
    for path in ("/lab", path_of(FIRST), path_of(LAST)):
        await learner.browser.get(path)
    return learner


async def test_the_contents_take_three_statements(learner: LearnerInLab) -> None:
    """The session, the ground, and the results of all lessons."""
    statements = await statements_of(learner.browser, "/lab")

    assert len(statements) == 3, statements


@pytest.mark.parametrize("lesson", [FIRST, LAST], ids=["with-result", "before"])
async def test_a_lesson_takes_four_statements(learner: LearnerInLab, lesson: Any) -> None:
    """In addition, what this lesson saw, which may be large."""
    statements = await statements_of(learner.browser, path_of(lesson))

    assert len(statements) == 4, statements


@pytest.mark.parametrize("path", ["/lab", path_of(FIRST), path_of(LAST)])
async def test_looking_at_the_lab_calls_nothing_at_logto(
    learner: LearnerInLab, faulty_app: Quart, gate: Gate, path: str
) -> None:
    await learner.browser.at(faulty_app).get(path)

    assert gate.calls == []
