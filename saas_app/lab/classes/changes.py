"""Changes of classes: by their teacher, and by learners about themselves."""

from __future__ import annotations

from saas_app.db import keys
from saas_app.db.base import utc_now
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.lab.classes import queries
from saas_app.lab.classes.codes import new_code, read_code
from saas_app.lab.classes.service import find_class_of
from saas_app.lab.classes.values import (
    CAPACITY,
    RETENTION,
    Joined,
    LabClass,
    NoSuchClass,
    NotJoined,
)
from saas_app.limits.changes import ChangeLimits
from saas_app.text.translation import _


async def start_class(work: UnitOfWork, limits: ChangeLimits, teacher: str, title: str) -> str:
    """Start a class, and return its code. Raises :class:`saas_app.limits.changes.LimitReached`."""
    once = limits.spend_unless_failed((limits.new_classes, teacher))
    async with once, work.writing(key=keys.of_person(teacher)) as db:
        while not await queries.add_class(db, code := new_code(), teacher, title):
            pass  # another class has this code, which happens once in billions
    return code


async def join_class(work: UnitOfWork, limits: ChangeLimits, subject: str, typed: str) -> Joined:
    """Join the class with a code, and leave any other.

    Each attempt counts, so that codes cannot be guessed. Raises :class:`NotJoined`, with one answer for codes
    that do not exist and for classes that are closed, and :class:`saas_app.limits.changes.LimitReached`.
    """
    await limits.spend((limits.class_joins, subject))
    before = await find_class_of(work, subject)
    if before is not None and before.code == read_code(typed):
        return Joined(before, was_there=True)
    wanted = await _get_joinable(work, subject, typed)
    async with work.writing(key=keys.of_person(subject)) as db:
        await queries.move_learner(db, wanted.code, subject)
    return Joined(wanted, left=before)


async def _get_joinable(work: UnitOfWork, subject: str, typed: str) -> LabClass:
    if (code := read_code(typed)) is None:
        raise _no_open_class()
    async with work.reading(key=keys.of_class(code)) as db:
        found = await queries.find_class(db, code, subject)
        if found is None or not found[0].is_open:
            raise _no_open_class()
        wanted, seat = found
        if seat is not None and seat.is_teacher:
            raise NotJoined(_("You teach this class. Give the code to your learners."))
        if await queries.count_learners(db, code) >= CAPACITY:
            raise NotJoined(_("This class is full. It has room for %(number)s learners.", number=CAPACITY))
    return wanted


def _no_open_class() -> NotJoined:
    return NotJoined(_("No open class has this code. Check it with your teacher."))


async def leave_class(work: UnitOfWork, subject: str, typed: str) -> None:
    """Leave a class. What the learner predicted in it stays, without a name. Raises :class:`NoSuchClass`."""
    code = _require_code(typed)
    async with work.writing(key=keys.of_person(subject)) as db:
        if not await queries.remove_learner(db, code, subject):
            raise NoSuchClass


async def show_name(work: UnitOfWork, subject: str, typed: str, name: str | None) -> None:
    """Let the teacher see this name of a learner, or with None no name. Raises :class:`NoSuchClass`."""
    code = _require_code(typed)
    async with work.writing(key=keys.of_person(subject)) as db:
        if not await queries.set_name(db, code, subject, name):
            raise NoSuchClass


async def reveal(work: UnitOfWork, teacher: str, typed: str, lesson: str) -> None:
    """Show all learners how the class predicted in a lesson. Raises :class:`NoSuchClass`."""
    code = _require_code(typed)
    async with work.writing(key=keys.of_person(teacher)) as db:
        if not await queries.add_revealed(db, code, teacher, lesson):
            raise NoSuchClass


async def close_class(work: UnitOfWork, teacher: str, typed: str) -> None:
    """Close a class: nobody joins it, and later predictions do not count. Raises :class:`NoSuchClass`."""
    code = _require_code(typed)
    async with work.writing(key=keys.of_person(teacher)) as db:
        if not await queries.close(db, code, teacher):
            raise NoSuchClass


async def delete_expired_classes(jobs: UnitOfWork) -> None:
    """Delete the classes that are older than :data:`RETENTION`, and memberships without a class.

    What people predicted stays theirs. ``jobs`` has the role of jobs, which sees the classes of all people.
    """
    async with jobs.writing() as db:
        await queries.delete_older(db, utc_now() - RETENTION)


def _require_code(typed: str) -> str:
    if (code := read_code(typed)) is None:
        raise NoSuchClass
    return code
