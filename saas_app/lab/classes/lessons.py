"""The lessons, as classes need them: titles, and the answers that learners choose from."""

from __future__ import annotations

from functools import cache

from saas_app.lab.classes.values import LessonInfo
from saas_app.lab.lessons import LESSONS


@cache
def lesson_infos() -> tuple[LessonInfo, ...]:
    """Return the lessons in their order."""
    return tuple(
        LessonInfo(lesson.slug, lesson.title, {answer.key: answer.text for answer in lesson.answers})
        for lesson in LESSONS
    )
