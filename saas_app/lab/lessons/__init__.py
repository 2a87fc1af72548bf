"""The lessons, one module each, in the order in which they are taught. docs/write-a-lesson.md tells how."""

from __future__ import annotations

from typing import Final

from saas_app.lab.lesson import Lesson
from saas_app.lab.lessons import (
    audience_first,
    ended_role,
    issued_tokens_live,
    machine_without_scope,
    no_organization,
    removal,
    second_factor,
    two_organizations,
    two_speeds,
    viewer_and_stranger,
)

LESSONS: Final[tuple[Lesson, ...]] = (
    two_organizations.LESSON,
    viewer_and_stranger.LESSON,
    audience_first.LESSON,
    no_organization.LESSON,
    two_speeds.LESSON,
    issued_tokens_live.LESSON,
    ended_role.LESSON,
    removal.LESSON,
    machine_without_scope.LESSON,
    second_factor.LESSON,
)
"""All lessons, in order."""


def find_lesson(slug: str) -> Lesson | None:
    """Return the lesson with this slug, or None."""
    return next((lesson for lesson in LESSONS if lesson.slug == slug), None)


def lesson_after(lesson: Lesson) -> Lesson | None:
    """Return the lesson that follows, or None after the last."""
    following = LESSONS.index(lesson) + 1
    return LESSONS[following] if following < len(LESSONS) else None
