"""What learners do in the product during a lesson, through its own pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from saas_app.lab.lesson import Lesson
from saas_app.lab.values import SAM
from tests.integration.lab.conftest import LearnerInLab

Do = Callable[[LearnerInLab], Awaitable[None]]


async def open_new_project_in_both(learner: LearnerInLab) -> None:
    ground = await learner.ground()
    await learner.browser.get(f"/o/{ground.workshop.id}/projects/new")
    await learner.browser.get(f"/o/{ground.studio.id}/projects/new", 403)


async def open_audit_log_as_viewer_and_stranger(learner: LearnerInLab) -> None:
    ground = await learner.ground()
    assert "audit:read" in await learner.browser.text(f"/o/{ground.studio.id}/audit", 403)
    await learner.browser.get("/o/nowhere00000/audit", 404)


async def give_sam(learner: LearnerInLab, *roles: str, duration: str = "none") -> None:
    """Choose Sam's roles in the workshop, and how long Sam has those that are new, as the page does."""
    ground = await learner.ground()
    sam = ground.players[SAM].user_id
    held = await learner.lab.management.find_member_roles(ground.workshop.id, sam)
    form = {"seen": ["", *(held or ())], "roles": list(roles), "duration": duration, "step": "confirm"}
    await learner.browser.post(f"/o/{ground.workshop.id}/members/{sam}/roles", form)


async def promote_sam(learner: LearnerInLab) -> None:
    await give_sam(learner, "admin")


async def demote_sam(learner: LearnerInLab) -> None:
    await give_sam(learner, "viewer")


async def promote_sam_for_an_hour(learner: LearnerInLab) -> None:
    await give_sam(learner, "editor", "viewer", duration="hour")


async def remove_sam(learner: LearnerInLab) -> None:
    ground = await learner.ground()
    sam = ground.players[SAM].user_id
    await learner.browser.post(f"/o/{ground.workshop.id}/members/{sam}/remove")


TASKS: Final[dict[str, Do]] = {
    "two-organizations": open_new_project_in_both,
    "viewer-and-stranger": open_audit_log_as_viewer_and_stranger,
    "two-speeds": promote_sam,
    "issued-tokens-live": demote_sam,
    "ended-role": promote_sam_for_an_hour,
    "removal": remove_sam,
}
"""The tasks of a lesson, by its slug. A lesson that only presses the button has none."""

ANSWERS: Final = {
    "two-organizations": "workshop",
    "viewer-and-stranger": "403-404",
    "audience-first": "403",
    "no-organization": "union",
    "two-speeds": "organization",
    "issued-tokens-live": "naive",
    "ended-role": "forbidden",
    "removal": "session",
    "machine-without-scope": "empty",
    "second-factor": "next-exchange",
}
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
