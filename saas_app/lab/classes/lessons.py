"""The lessons, as classes need them: titles, and the answers that learners choose from.

In a “break it” lesson, the first fix that somebody chooses is their prediction.
"""

from __future__ import annotations

from functools import cache

from saas_app.lab.classes.values import LessonInfo
from saas_app.lab.lessons import LESSONS
from saas_app.lab.practice.flaws import BREAKS


@cache
def lesson_infos() -> tuple[LessonInfo, ...]:
    """Return the lessons in their order."""
    asked = (
        LessonInfo(lesson.slug, lesson.title, {answer.key: answer.text for answer in lesson.answers})
        for lesson in LESSONS
    )
    broken = (
        LessonInfo(one.run_name, one.title, {fix.name: fix.idea for fix in one.fixes}) for one in BREAKS
    )
    return (*asked, *broken)
