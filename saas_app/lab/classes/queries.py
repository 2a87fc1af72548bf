"""Statements on classes. Sessions have the key of the class, or that of a person in it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from saas_app.db.base import utc_now
from saas_app.db.rows import changed
from saas_app.db.session import DatabaseSession, WritingSession
from saas_app.db.upsert import insert_if_absent
from saas_app.lab.classes.values import LabClass, Learner, Prediction, Records, Seat
from saas_app.models import LabClass as ClassRow
from saas_app.models import LabClassMember, LabRun

_CLASS: Final = (
    ClassRow.code,
    ClassRow.title,
    ClassRow.created_at,
    ClassRow.closed_at,
    ClassRow.revealed,
)
_SUBJECT: Final = sa.bindparam("subject", type_=sa.String)
_CODE: Final = sa.bindparam("of_code", type_=sa.String)

_SEAT: Final = (
    sa.select(*_CLASS, ClassRow.teacher == _SUBJECT, LabClassMember.subject.is_not(None), LabClassMember.name)
    .outerjoin(
        LabClassMember, sa.and_(LabClassMember.code == ClassRow.code, LabClassMember.subject == _SUBJECT)
    )
    .where(ClassRow.code == _CODE)
)
_TAUGHT: Final = (
    sa.select(*_CLASS)
    .where(ClassRow.teacher == _SUBJECT)
    .order_by(ClassRow.created_at.desc())
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_JOINED_LAST: Final = (
    sa.select(LabClassMember.code)
    .where(LabClassMember.subject == _SUBJECT)
    .order_by(LabClassMember.joined_at.desc(), LabClassMember.code)
    .limit(1)
)
_RECORDS: Final = sa.union_all(
    sa.select(
        LabClassMember.subject,
        LabClassMember.name,
        sa.null().label("lesson"),
        sa.null().label("prediction"),
        LabClassMember.joined_at.label("at"),
        sa.null().label("answer"),
        sa.cast(sa.null(), LabRun.done_at.type).label("done_at"),
    ).where(LabClassMember.code == _CODE),
    sa.select(
        LabRun.subject,
        sa.null(),
        LabRun.lesson,
        LabRun.prediction,
        LabRun.predicted_at,
        LabRun.answer,
        LabRun.done_at,
    ).where(LabRun.class_code == _CODE, LabRun.prediction.is_not(None), LabRun.predicted_at.is_not(None)),
)
"""The learners of a class and what was predicted in it, in one statement: learners have no lesson."""


async def find_seat(db: DatabaseSession, code: str, subject: str) -> Seat | None:
    """Return a class as its teacher or a learner sees it, or None. ``db`` has the key of the class."""
    found = await find_class(db, code, subject)
    return found[1] if found else None


async def find_class(db: DatabaseSession, code: str, subject: str) -> tuple[LabClass, Seat | None] | None:
    """Return a class, and the person's place in it if they have one. ``db`` has the key of the class."""
    row = (await db.execute(_SEAT, {"of_code": code, "subject": subject})).one_or_none()
    if row is None:
        return None
    *of_class, is_teacher, is_learner, name = row
    found = _class(of_class)
    return found, Seat(found, is_teacher, name) if is_teacher or is_learner else None


async def list_taught(db: DatabaseSession, teacher: str, most: int) -> list[LabClass]:
    """Return the classes that a person teaches, the newest first. ``db`` has the key of the person."""
    return [_class(row) for row in await db.execute(_TAUGHT, {"subject": teacher, "most": most})]


async def find_code_of_learner(db: DatabaseSession, subject: str) -> str | None:
    """Return the code of the class that a person joined last. ``db`` has the key of the person."""
    code: str | None = await db.scalar(_JOINED_LAST, {"subject": subject})
    return code


async def count_learners(db: DatabaseSession, code: str) -> int:
    """Return how many learners are in a class."""
    counted = sa.select(sa.func.count()).select_from(LabClassMember).where(LabClassMember.code == code)
    return int(await db.scalar(counted))


async def read_records(db: DatabaseSession, code: str) -> Records:
    """Return the learners of a class and what was predicted in it, however many there are."""
    learners, predictions = [], []
    for subject, name, lesson, prediction, at, answer, done_at in await db.execute(
        _RECORDS, {"of_code": code}
    ):
        if lesson is None:
            learners.append(Learner(subject, name))
        else:
            predictions.append(Prediction(subject, lesson, prediction, at, answer, done_at))
    return Records(tuple(learners), tuple(predictions))


async def add_class(db: WritingSession, code: str, teacher: str, title: str) -> bool:
    """Insert a class. Returns False if another has this code."""
    row = {
        "code": code,
        "teacher": teacher,
        "title": title,
        "created_at": utc_now(),
        "revealed": [],
        "closed_at": None,
    }
    return await insert_if_absent(db, ClassRow, row, key=("code",))


async def move_learner(db: WritingSession, code: str, subject: str) -> None:
    """Put a person into a class, without a name, and out of any other. ``db`` has the key of the person."""
    others = sa.delete(LabClassMember).where(LabClassMember.subject == subject, LabClassMember.code != code)
    await db.execute(others)
    row = {"code": code, "subject": subject, "joined_at": utc_now(), "name": None}
    await insert_if_absent(db, LabClassMember, row, key=("code", "subject"))


async def remove_learner(db: WritingSession, code: str, subject: str) -> bool:
    """Take a person out of a class. Returns whether they were in it."""
    return await changed(db, sa.delete(LabClassMember).where(*_is(code, subject)), LabClassMember.subject)


async def set_name(db: WritingSession, code: str, subject: str, name: str | None) -> bool:
    """Set the name that a learner shows the teacher, or none. Returns whether they are in the class."""
    named = sa.update(LabClassMember).where(*_is(code, subject)).values(name=name)
    return await changed(db, named, LabClassMember.subject)


async def add_revealed(db: WritingSession, code: str, teacher: str, lesson: str) -> bool:
    """Add a lesson to those that are revealed. Returns whether the person teaches this class."""
    statement = sa.select(ClassRow.revealed).where(*_is_taught(code, teacher)).with_for_update()
    revealed = await db.scalar(statement)
    if revealed is None:
        return False
    if lesson not in revealed:
        await db.execute(
            sa.update(ClassRow).where(ClassRow.code == code).values(revealed=[*revealed, lesson])
        )
    return True


async def close(db: WritingSession, code: str, teacher: str) -> bool:
    """Record that a class is closed, unless it was before. Returns whether the person teaches this class."""
    closed_at = sa.func.coalesce(ClassRow.closed_at, sa.bindparam("now", utc_now(), ClassRow.closed_at.type))
    return await changed(
        db, sa.update(ClassRow).where(*_is_taught(code, teacher)).values(closed_at=closed_at), ClassRow.code
    )


async def delete_older(db: WritingSession, before: datetime) -> None:
    """Delete the classes of all people that were started before a moment, and what belongs to no class."""
    await db.execute(sa.delete(ClassRow).where(ClassRow.created_at < before))
    codes = sa.select(ClassRow.code)
    await db.execute(sa.delete(LabClassMember).where(LabClassMember.code.not_in(codes)))
    orphans = sa.and_(LabRun.class_code.is_not(None), LabRun.class_code.not_in(codes))
    await db.execute(sa.update(LabRun).where(orphans).values(class_code=None))


def _class(row: Sequence[Any]) -> LabClass:
    code, title, created_at, closed_at, revealed = row
    return LabClass(code, title, created_at, closed_at, frozenset(revealed))


def _is(code: str, subject: str) -> tuple[sa.ColumnElement[bool], ...]:
    return LabClassMember.code == code, LabClassMember.subject == subject


def _is_taught(code: str, teacher: str) -> tuple[sa.ColumnElement[bool], ...]:
    return ClassRow.code == code, ClassRow.teacher == teacher
