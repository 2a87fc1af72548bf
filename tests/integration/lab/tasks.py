"""What learners do in the product during a lesson, through its own pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from saas_app.lab.lesson import Lesson
from tests.integration.lab.conftest import LearnerInLab

Do = Callable[[LearnerInLab], Awaitable[None]]


async def open_new_project_in_both(learner: LearnerInLab) -> None:
    ground = await learner.ground()
    await learner.browser.get(f"/o/{ground.workshop.id}/projects/new")
    await learner.browser.get(f"/o/{ground.studio.id}/projects/new", 403)


TASKS: Final[dict[str, Do]] = {"two-organizations": open_new_project_in_both}
"""The tasks of a lesson, by its slug. A lesson that only presses the button has none."""

ANSWERS: Final = {"two-organizations": "workshop"}
"""What turns out right. No lesson declares it: it follows from what the provider returned."""


async def do_tasks(learner: LearnerInLab, lesson: Lesson) -> None:
    if lesson.slug in TASKS:
        await TASKS[lesson.slug](learner)


async def play(learner: LearnerInLab, lesson: Lesson, answer: str) -> None:
    """Predict, do the tasks, and let the lesson look."""
    await learner.predict(lesson, answer)
    await do_tasks(learner, lesson)
    await learner.act(lesson)


def wrong_answer(lesson: Lesson) -> str:
    return next(answer.key for answer in lesson.answers if answer.key != ANSWERS[lesson.slug])
