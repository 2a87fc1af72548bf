"""How predictions are spread, and when that is held back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from saas_app.lab.classes.spread import bars_of, hides_each, progress_of
from saas_app.lab.classes.values import LabClass, Learner, LessonInfo, Prediction, Records
from saas_app.text.translation import Sentence

NOW = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
LESSON = LessonInfo("one", Sentence("One"), {"a": Sentence("Answer A"), "b": Sentence("Answer B")})
CLASS = LabClass("WDJBMJHT", "Class", NOW, None, frozenset({"one"}))


def predictions(*choices: str, lesson: str = "one", answer: str | None = None) -> tuple[Prediction, ...]:
    return tuple(
        Prediction(
            f"p{place}", lesson, choice, NOW + timedelta(seconds=place), answer, (answer and NOW) or None
        )
        for place, choice in enumerate(choices)
    )


@pytest.mark.parametrize(
    ("named", "unnamed", "are_hidden"),
    [(0, 1, False), (0, 2, False), (0, 3, True), (3, 0, True), (3, 1, False), (9, 2, False), (9, 3, True)],
)
def test_one_or_two_people_without_a_name_cannot_hide(named: int, unnamed: int, are_hidden: bool) -> None:
    names = {f"p{place}": "Name" for place in range(named)}

    assert hides_each(predictions(*"a" * (named + unnamed)), names) is are_hidden


def test_bars_show_every_answer_and_mark_the_one_that_came_true() -> None:
    bars = bars_of(predictions("a", "a", "a", answer="b"), LESSON)

    assert [(bar.label, bar.count, bar.share, bar.is_right) for bar in bars] == [
        ("Answer A", 3, 100, False),
        ("Answer B", 0, 0, True),
    ]


def test_an_answer_that_a_newer_version_no_longer_offers_has_a_bar_too() -> None:
    bars = bars_of(predictions("a", "gone"), LESSON)

    assert [bar.label for bar in bars] == ["Answer A", "Answer B", "gone"]


def test_a_lesson_that_is_gone_stands_behind_the_others() -> None:
    progress = progress_of(CLASS, Records((), predictions("x", lesson="gone")), [LESSON])

    assert [one.lesson.slug for one in progress.lessons] == ["one", "gone"]


def test_a_learner_is_where_they_predicted_last() -> None:
    later = Prediction("p0", "two", "a", NOW + timedelta(minutes=1), None, None)
    records = Records((Learner("p0", "Lena"), Learner("p1", None)), (later, *predictions("a")))

    progress = progress_of(CLASS, records, [LESSON, LessonInfo("two", Sentence("Two"))])

    assert [(one.predicted, one.here) for one in progress.lessons] == [(1, 0), (1, 1)]
    assert progress.waiting == 1
    assert [(learner.name, learner.lesson) for learner in progress.named] == [("Lena", "Two")]


def test_people_who_left_are_at_no_lesson() -> None:
    progress = progress_of(CLASS, Records((), predictions("a", "b", "b")), [LESSON])

    assert [(one.predicted, one.here) for one in progress.lessons] == [(3, 0)]


def test_a_spread_that_is_held_back_says_nothing_about_right_and_wrong() -> None:
    records = Records(
        tuple(Learner(f"p{place}", None) for place in range(2)), predictions("a", "a", answer="a")
    )

    (one,) = progress_of(CLASS, records, [LESSON]).lessons

    assert one.is_held_back
    assert (one.bars, one.right, one.done) == ((), 0, 2)
