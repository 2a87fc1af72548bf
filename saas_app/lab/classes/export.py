"""What a class predicted, as CSV: one line for each learner and lesson, for the class's teacher.

Learners who do not show their name have a number, drawn for each file. So a number says nothing about when
somebody joined, and two files cannot be compared person by person. Times are cut to minutes, and a prediction
is left out while its lesson has too few to hide it, as on the teacher's page.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from saas_app.lab.classes.spread import hides_each, with_unknown
from saas_app.lab.classes.values import LessonInfo, Prediction, Records
from saas_app.text.translation import Sentence
from saas_app.web.csv_stream import csv_chunks, moment_cell

COLUMNS: Final = ("Learner", "Name", "Lesson", "Prediction", "Result", "Predicted (UTC)", "Done (UTC)")
HELD_BACK: Final = "held back"

_DRAWING: Final = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class Result:
    """A line of the file. ``prediction`` is None if it is held back."""

    number: int
    name: str
    lesson: LessonInfo
    prediction: Prediction
    is_held_back: bool


def result_chunks(records: Records, lessons: Sequence[LessonInfo]) -> AsyncIterator[bytes]:
    """Yield the file."""
    results = results_of(records, lessons)

    async def batches() -> AsyncIterator[list[Result]]:
        yield results

    return csv_chunks(COLUMNS, batches(), _cells)


def results_of(records: Records, lessons: Sequence[LessonInfo]) -> list[Result]:
    """Return the lines of the file, by number of the learner and then in the order of the lessons."""
    names = records.names
    known = with_unknown(lessons, (one.lesson for one in records.predictions))
    place = {lesson.slug: place for place, lesson in enumerate(known)}
    hiding = {
        slug: hides_each((one for one in records.predictions if one.lesson == slug), names) for slug in place
    }
    subjects = list({one.subject for one in records.predictions})
    _DRAWING.shuffle(subjects)
    numbers = {subject: number for number, subject in enumerate(subjects, start=1)}
    results = [
        Result(
            number=numbers[one.subject],
            name=names.get(one.subject, ""),
            lesson=known[place[one.lesson]],
            prediction=one,
            is_held_back=one.subject not in names and not hiding[one.lesson],
        )
        for one in records.predictions
    ]
    return sorted(results, key=lambda result: (result.number, place[result.lesson.slug]))


def _cells(result: Result) -> tuple[str, ...]:
    one = result.prediction
    choice = result.lesson.answers.get(one.choice, Sentence(one.choice))
    outcome = {None: "", True: "right", False: "wrong"}[one.is_right]
    return (
        str(result.number),
        result.name,
        str(result.lesson.title),
        HELD_BACK if result.is_held_back else str(choice),
        HELD_BACK if result.is_held_back else outcome,
        moment_cell(_minute(one.predicted_at)),
        moment_cell(_minute(one.done_at)),
    )


def _minute(moment: datetime | None) -> datetime | None:
    return moment and moment.replace(second=0, microsecond=0)
