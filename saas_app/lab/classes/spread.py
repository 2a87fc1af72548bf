"""How the predictions of a class were spread, without showing what one person predicted. Pure.

The teacher knows what the learners who show their name predicted. So the others are hidden only if there are
several of them: with one or two, subtracting the known answers from the bars would leave theirs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from saas_app.lab.classes.values import LabClass, LessonInfo, Prediction, Records
from saas_app.text.translation import Sentence, _

FEWEST: Final = 3
"""Fewer people than these cannot hide behind each other."""


@dataclass(frozen=True, slots=True)
class Bar:
    """An answer, and how many learners predicted it. ``is_right``: it is what those who acted have seen."""

    label: str
    count: int
    share: int  # in percent
    is_right: bool


@dataclass(frozen=True, slots=True)
class NamedLearner:
    """A learner who shows their name, and the title of the lesson that they began last, if any."""

    name: str
    lesson: str | None
    is_done: bool


@dataclass(frozen=True, slots=True)
class LessonProgress:
    """How far a class is in a lesson.

    ``here`` counts the learners who began this lesson last. ``bars`` is empty while the spread is held back.
    """

    lesson: LessonInfo
    predicted: int
    done: int
    right: int
    here: int
    is_revealed: bool
    bars: tuple[Bar, ...]

    @property
    def is_held_back(self) -> bool:
        """Whether there are predictions, but too few to show how they are spread."""
        return self.predicted > 0 and not self.bars


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a class is: in each lesson, and each learner who shows their name."""

    learners: int
    waiting: int  # learners who have not begun a lesson yet
    lessons: tuple[LessonProgress, ...]
    named: tuple[NamedLearner, ...]


def progress_of(of: LabClass, records: Records, lessons: Sequence[LessonInfo]) -> Progress:
    """Return how far a class is. Lessons that this version does not know stand behind the others."""
    known = with_unknown(lessons, (one.lesson for one in records.predictions))
    last = _last_of(records)
    here = Counter(one.lesson for one in last.values())
    return Progress(
        learners=len(records.learners),
        waiting=sum(learner.subject not in last for learner in records.learners),
        lessons=tuple(_in_lesson(of, records, lesson, here[lesson.slug]) for lesson in known),
        named=_named(records, last, {lesson.slug: lesson for lesson in known}),
    )


def with_unknown(lessons: Sequence[LessonInfo], slugs: Iterable[str]) -> list[LessonInfo]:
    """Return the lessons, and behind them those that have only a slug, because they are gone."""
    slugs_of_known = {lesson.slug for lesson in lessons}
    others = sorted(set(slugs) - slugs_of_known)
    return [*lessons, *(LessonInfo(slug, Sentence(slug)) for slug in others)]


def hides_each(predictions: Iterable[Prediction], names: Mapping[str, str]) -> bool:
    """Return whether so many people without a name predicted that nobody can tell who predicted what."""
    unnamed = sum(one.subject not in names for one in predictions)
    return unnamed == 0 or unnamed >= FEWEST


def bars_of(predictions: Sequence[Prediction], lesson: LessonInfo) -> tuple[Bar, ...]:
    """Return the answers of a lesson, with how many predicted each, also those that nobody did."""
    counts = Counter(one.choice for one in predictions)
    seen = Counter(one.answer for one in predictions if one.answer is not None)
    right = seen.most_common(1)[0][0] if seen else None
    choices = [*lesson.answers, *sorted(counts.keys() - lesson.answers.keys())]
    return tuple(
        Bar(
            label=lesson.answers.get(choice, Sentence(choice)),
            count=counts[choice],
            share=round(100 * counts[choice] / len(predictions)),
            is_right=choice == right,
        )
        for choice in choices
    )


def _in_lesson(of: LabClass, records: Records, lesson: LessonInfo, here: int) -> LessonProgress:
    predictions = [one for one in records.predictions if one.lesson == lesson.slug]
    is_shown = len(predictions) >= FEWEST and hides_each(predictions, records.names)
    return LessonProgress(
        lesson=lesson,
        predicted=len(predictions),
        done=sum(one.done_at is not None for one in predictions),
        right=sum(one.is_right is True for one in predictions) if is_shown else 0,
        here=here,
        is_revealed=lesson.slug in of.revealed,
        bars=bars_of(predictions, lesson) if is_shown else (),
    )


def _last_of(records: Records) -> dict[str, Prediction]:
    """Return the latest prediction of each person who is still in the class."""
    present = {learner.subject for learner in records.learners}
    in_order = sorted(records.predictions, key=lambda one: one.predicted_at)
    return {one.subject: one for one in in_order if one.subject in present}


def _named(
    records: Records, last: Mapping[str, Prediction], lessons: Mapping[str, LessonInfo]
) -> tuple[NamedLearner, ...]:
    found = []
    for subject, name in records.names.items():
        one = last.get(subject)
        title = lessons[one.lesson].title if one else None
        found.append(NamedLearner(name, title, is_done=one is not None and one.done_at is not None))
    return tuple(sorted(found, key=lambda learner: learner.name.casefold()))


HELD_BACK: Final = _(
    "The bars appear when at least 3 learners have predicted. Of learners who hide their name, there must be "
    "none or at least 3, so that nobody can tell who predicted what."
)
"""Why a spread is not shown yet."""
