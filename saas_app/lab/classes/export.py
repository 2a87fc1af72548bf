"""What a class predicted, as CSV: one line for each learner and lesson, for the class's teacher.

Learners who do not show their name have a number, drawn for each lesson and each file. So a number says
nothing about when somebody joined, and a teacher who knows one of their predictions, perhaps because nobody
else has come as far, does not know the others. Times are cut to minutes, and a prediction is left out while
its lesson has too few to hide it, as on the teacher's page.
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
    """A line of the file."""

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
    """Return the lines of the file, lesson by lesson."""
    known = with_unknown(lessons, (one.lesson for one in records.predictions))
    return [result for lesson in known for result in _results_in(lesson, records)]


def _results_in(lesson: LessonInfo, records: Records) -> list[Result]:
    predictions = [one for one in records.predictions if one.lesson == lesson.slug]
    _DRAWING.shuffle(predictions)
    names, are_hidden = records.names, hides_each(predictions, records.names)
    return [
        Result(
            number=number,
            name=names.get(one.subject, ""),
            lesson=lesson,
            prediction=one,
            is_held_back=one.subject not in names and not are_hidden,
        )
        for number, one in enumerate(predictions, start=1)
    ]


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
