"""Statements on tasks."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import fields
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from saas_app.db.base import UtcDateTime
from saas_app.db.rows import changed
from saas_app.db.session import DatabaseSession, WritingSession
from saas_app.models import AuditActor, Task, User
from saas_app.projects.values import (
    TaskFilter,
    TaskInput,
    TaskKey,
    TaskRow,
    TaskSort,
    TaskStatus,
    WantedTasks,
)

_RANKS = {TaskStatus.DOING: 0, TaskStatus.TODO: 1, TaskStatus.DONE: 2}

_RANK = sa.case(*((Task.status == status, rank) for status, rank in _RANKS.items()))

_SHOWN = {
    TaskFilter.OPEN: (TaskStatus.TODO, TaskStatus.DOING),
    TaskFilter.DONE: (TaskStatus.DONE,),
}


_INSERT = sa.insert(Task)


TASK = sa.select(
    Task.id,
    Task.project_id,
    Task.title,
    Task.status,
    Task.due_on,
    Task.created_at,
    Task.updated_at,
    Task.completed_at,
    Task.version,
    Task.assignee_id,
    User.display_name(Task.assignee_id),
    User.picture,
).outerjoin(User, User.id == Task.assignee_id)


_KNOWN_NAME = (
    sa.select(User.display_name(AuditActor.name))
    .select_from(AuditActor)
    .join(User, User.id == AuditActor.actor_id)
    .where(AuditActor.actor_id == sa.bindparam("user_id", type_=AuditActor.actor_id.type))
    .limit(1)
)


async def list_tasks(
    db: DatabaseSession,
    project_id: uuid.UUID,
    wanted: WantedTasks,
    after: TaskKey | None,
    limit: int,
    *,
    as_of: datetime | None = None,
) -> list[TaskRow]:
    """Return at most ``limit`` tasks of a project after ``after``.

    With ``as_of``, tasks that changed later are left out.
    """
    statement = _sorted(_matching(project_id, wanted), wanted.sort, after).limit(limit)
    if as_of is not None:
        statement = statement.where(Task.updated_at <= as_of)
    return [TaskRow(*row) for row in await db.execute(statement)]


async def list_changed(
    db: DatabaseSession,
    project_id: uuid.UUID,
    wanted: WantedTasks,
    as_of: datetime,
    after: uuid.UUID | None,
    limit: int,
) -> list[TaskRow]:
    """Return at most ``limit`` tasks changed later than ``as_of``, the oldest first, after ``after``."""
    statement = _matching(project_id, wanted).where(Task.updated_at > as_of).order_by(Task.id).limit(limit)
    if after is not None:
        statement = statement.where(Task.id > after)
    return [TaskRow(*row) for row in await db.execute(statement)]


def _matching(project_id: uuid.UUID, wanted: WantedTasks) -> sa.Select[*tuple[Any, ...]]:
    statement: sa.Select[*tuple[Any, ...]] = TASK.where(Task.project_id == project_id)
    if wanted.assignee_id is not None:
        statement = statement.where(Task.assignee_id == wanted.assignee_id)
    shown = _SHOWN.get(wanted.shown)
    return statement if shown is None else statement.where(Task.status.in_(shown))


def _sorted(
    statement: sa.Select[*tuple[Any, ...]], sort: TaskSort, after: TaskKey | None
) -> sa.Select[*tuple[Any, ...]]:
    """Sort tasks, and begin after one of them. Equal tasks are in the order of their ids."""
    latest_first = sort is TaskSort.DUE_OPPOSITE
    no_date = date.min if latest_first else date.max  # tasks without a date come last
    columns: list[Any] = [sa.func.coalesce(Task.due_on, sa.literal(no_date, sa.Date)), Task.id]
    values: list[Any] = [] if after is None else [after[1] or no_date, after[2]]
    if sort.column == "status":
        sign = -1 if sort.is_opposite else 1
        columns.insert(0, _RANK * sign)
        values[:0] = [] if after is None else [_RANKS[after[0]] * sign]
    if values:
        place, start = sa.tuple_(*columns), sa.tuple_(*values)
        statement = statement.where(place < start if latest_first else place > start)
    return statement.order_by(*(column.desc() for column in columns) if latest_first else columns)


async def find_task(db: DatabaseSession, project_id: uuid.UUID, task_id: uuid.UUID) -> TaskRow | None:
    """Return a task of a project, or None."""
    statement = TASK.where(Task.project_id == project_id, Task.id == task_id)
    row = (await db.execute(statement)).one_or_none()
    return None if row is None else TaskRow(*row)


async def find_known_name(db: DatabaseSession, user_id: str) -> str | None:
    """Return the name of a person who appears in the audit log of the organization."""
    name: str | None = await db.scalar(_KNOWN_NAME, {"user_id": user_id})
    return name


async def insert_tasks(db: WritingSession, tasks: Sequence[TaskRow], created_by: str) -> None:
    """Insert new tasks."""
    columns = [field.name for field in fields(TaskRow) if field.name not in ("assignee", "assignee_picture")]
    rows = [{name: getattr(task, name) for name in columns} for task in tasks]
    await db.execute(_INSERT, [{**row, "created_by": created_by} for row in rows])


async def update_task(
    db: WritingSession,
    project_id: uuid.UUID,
    task_id: uuid.UUID,
    version: int,
    form: TaskInput,
    now: datetime,
) -> bool:
    """Save an edit if the task still has ``version``, and return whether it was saved.

    A task that is already done keeps the time at which it was completed.
    """
    done_at = sa.func.coalesce(Task.completed_at, sa.literal(now, UtcDateTime))
    statement = (
        sa.update(Task)
        .where(Task.project_id == project_id, Task.id == task_id, Task.version == version)
        .values(
            title=form.title,
            status=form.status,
            due_on=form.due_on,
            assignee_id=form.assignee_id,
            completed_at=done_at if form.status is TaskStatus.DONE else None,
            updated_at=now,
            version=Task.version + 1,
        )
    )
    return await changed(db, statement, Task.id)


async def delete_task(db: WritingSession, project_id: uuid.UUID, task_id: uuid.UUID) -> bool:
    """Delete a task of a project. Returns whether it existed."""
    statement = sa.delete(Task).where(Task.project_id == project_id, Task.id == task_id)
    return await changed(db, statement, Task.id)
