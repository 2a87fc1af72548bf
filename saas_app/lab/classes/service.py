"""Answers questions about classes. What somebody may see depends on their seat: teacher, or learner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from saas_app.db import keys
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.lab.classes import queries
from saas_app.lab.classes.codes import read_code
from saas_app.lab.classes.spread import LessonProgress, Progress, progress_of
from saas_app.lab.classes.values import LabClass, LessonInfo, MyClasses, NoSuchClass, Records, Seat

_MOST_TAUGHT: Final = 50  # classes on the list of a teacher


async def list_classes(work: UnitOfWork, subject: str) -> MyClasses:
    """Return the classes that a person teaches, and the one in which they learn."""
    async with work.reading(key=keys.of_person(subject)) as db:
        taught = await queries.list_taught(db, subject, _MOST_TAUGHT)
        code = await queries.find_code_of_learner(db, subject)
    seat = await _find_seat(work, code, subject) if code else None
    return MyClasses(tuple(taught), seat.of if seat else None)


async def class_of(work: UnitOfWork, subject: str) -> str | None:
    """Return the code that a prediction of this person gets now: of their class, if that is open."""
    found = await find_class_of(work, subject)
    return found.code if found and found.is_open else None


async def find_class_of(work: UnitOfWork, subject: str) -> LabClass | None:
    """Return the class in which a person learns, open or closed, or None."""
    async with work.reading(key=keys.of_person(subject)) as db:
        code = await queries.find_code_of_learner(db, subject)
    seat = await _find_seat(work, code, subject) if code else None
    return seat.of if seat else None


async def find_class_with(work: UnitOfWork, subject: str, code: str | None) -> LabClass | None:
    """Return the class with the code of a prediction, if the learner is still in it."""
    found = await find_class_of(work, subject) if code else None
    return found if found and found.code == code else None


async def get_seat(work: UnitOfWork, typed: str, subject: str) -> Seat:
    """Return a person's seat in the class with a code. Raises :class:`NoSuchClass`."""
    code = read_code(typed)
    seat = await _find_seat(work, code, subject) if code else None
    if seat is None:
        raise NoSuchClass
    return seat


async def get_taught(work: UnitOfWork, typed: str, subject: str) -> LabClass:
    """Return a class for its teacher. Raises :class:`NoSuchClass` for everybody else, learners too."""
    seat = await get_seat(work, typed, subject)
    if not seat.is_teacher:
        raise NoSuchClass
    return seat.of


async def read_progress(work: UnitOfWork, of: LabClass, lessons: Sequence[LessonInfo]) -> Progress:
    """Return how far a class is, for its teacher."""
    return progress_of(of, await read_records(work, of), lessons)


async def list_revealed(
    work: UnitOfWork, of: LabClass, lessons: Sequence[LessonInfo]
) -> tuple[LessonProgress, ...]:
    """Return how the class predicted, for a learner: only the lessons that the teacher has revealed."""
    if not of.revealed:
        return ()
    progress = progress_of(of, await read_records(work, of), lessons)
    return tuple(lesson for lesson in progress.lessons if lesson.is_revealed)


async def is_revealed(work: UnitOfWork, code: str, lesson: str) -> bool:
    """Return whether the teacher has revealed how a class predicted in a lesson."""
    async with work.reading(key=keys.of_class(code)) as db:
        found = await queries.find_class(db, code, subject="")
    return found is not None and lesson in found[0].revealed


async def read_records(work: UnitOfWork, of: LabClass) -> Records:
    """Return all that a class has recorded. Check first whether the caller may see it."""
    async with work.reading(key=keys.of_class(of.code)) as db:
        return await queries.read_records(db, of.code)


async def _find_seat(work: UnitOfWork, code: str, subject: str) -> Seat | None:
    async with work.reading(key=keys.of_class(code)) as db:
        return await queries.find_seat(db, code, subject)
