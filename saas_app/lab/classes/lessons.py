"""The lessons, as classes need them: titles, and the answers that learners choose from."""

from __future__ import annotations

from saas_app.lab.classes.values import LessonInfo
from saas_app.text.translation import Sentence


def lesson_infos() -> tuple[LessonInfo, ...]:
    """Return the lessons in their order."""
    return (
        LessonInfo(
            "two-organizations",
            Sentence("One person, two answers"),
            {
                "both": Sentence("In both: I am signed in as the same person"),
                "workshop": Sentence("In my workshop only"),
                "neither": Sentence("In neither"),
            },
        ),
        LessonInfo("the-ladder", Sentence("403 or 404"), {"403": Sentence("403"), "404": Sentence("404")}),
        LessonInfo("third", Sentence("Third"), {"a": Sentence("A"), "b": Sentence("B")}),
    )
