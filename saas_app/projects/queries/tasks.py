"""Statements on tasks."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import fields
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from saas_app.db.base import UtcDateTime
from saas_app.db.rows import changed
from saas_app.db.session import DatabaseSession, WritingSession
from saas_app.models import Task, User
from saas_app.projects.values import (
    TaskFilter,
    TaskInput,
    TaskKey,
    TaskRow,
    TaskStatus,
)

_ORDER = {TaskStatus.DOING: 0, TaskStatus.TODO: 1, TaskStatus.DONE: 2}


_RANK = sa.case(*((Task.status == status, rank) for status, rank in _ORDER.items()))


_DUE = sa.func.coalesce(Task.due_on, sa.literal(date.max, sa.Date))  # tasks without a date come last


_SHOWN = {
    TaskFilter.OPEN: (TaskStatus.TODO, TaskStatus.DOING),
    TaskFilter.DONE: (TaskStatus.DONE,),
}


_INSERT = sa.insert(Task)


_TASK = sa.select(
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
).outerjoin(User, User.id == Task.assignee_id)


_IS_CHOSEN = sa.and_(
    Task.project_id == sa.bindparam("project_id", type_=Task.project_id.type),
    Task.id.in_(sa.bindparam("ids", type_=Task.id.type, expanding=True)),
)

# in one order, so that two transactions cannot wait for each other
_CHOSEN = _TASK.where(_IS_CHOSEN).order_by(Task.id).with_for_update(of=Task)

_TITLES = sa.select(Task.id, Task.title).where(_IS_CHOSEN)


async def list_tasks(
    db: DatabaseSession,
    project_id: uuid.UUID,
    shown: TaskFilter,
    after: TaskKey | None,
    limit: int,
    *,
    as_of: datetime | None = None,
    assignee_id: str | None = None,
) -> list[TaskRow]:
    """Return at most ``limit`` tasks of a project after ``after``, by status and due date.

    With ``as_of``, tasks that changed later are left out, and with ``assignee_id`` those of others.
    """
    statement = _shown(project_id, shown, assignee_id).order_by(_RANK, _DUE, Task.id).limit(limit)
    if as_of is not None:
        statement = statement.where(Task.updated_at <= as_of)
    if after is not None:
        status, due_on, task_id = after
        statement = statement.where(sa.tuple_(_RANK, _DUE, Task.id) > (_ORDER[status], due_on, task_id))
    return [TaskRow(*row) for row in await db.execute(statement)]


async def list_changed(
    db: DatabaseSession,
    project_id: uuid.UUID,
    shown: TaskFilter,
    as_of: datetime,
    after: uuid.UUID | None,
    limit: int,
    *,
    assignee_id: str | None = None,
) -> list[TaskRow]:
    """Return at most ``limit`` tasks changed later than ``as_of``, the oldest first, after ``after``."""
    statement = (
        _shown(project_id, shown, assignee_id).where(Task.updated_at > as_of).order_by(Task.id).limit(limit)
    )
    if after is not None:
        statement = statement.where(Task.id > after)
    return [TaskRow(*row) for row in await db.execute(statement)]


def _shown(project_id: uuid.UUID, shown: TaskFilter, assignee_id: str | None) -> sa.Select[*tuple[Any, ...]]:
    statement: sa.Select[*tuple[Any, ...]] = _TASK.where(Task.project_id == project_id)
    if assignee_id is not None:
        statement = statement.where(Task.assignee_id == assignee_id)
    return statement.where(Task.status.in_(_SHOWN[shown])) if shown in _SHOWN else statement


async def find_task(db: DatabaseSession, project_id: uuid.UUID, task_id: uuid.UUID) -> TaskRow | None:
    """Return a task of a project, or None."""
    statement = _TASK.where(Task.project_id == project_id, Task.id == task_id)
    row = (await db.execute(statement)).one_or_none()
    return None if row is None else TaskRow(*row)


async def list_chosen(
    db: WritingSession, project_id: uuid.UUID, ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, TaskRow]:
    """Return those of the tasks that exist in the project, locked until the transaction ends."""
    rows = await db.execute(_CHOSEN, {"project_id": project_id, "ids": list(ids)})
    return {row.id: TaskRow(*row) for row in rows}


async def list_titles(
    db: DatabaseSession, project_id: uuid.UUID, ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, str]:
    """Return the titles of those of the tasks that exist in the project."""
    rows = await db.execute(_TITLES, {"project_id": project_id, "ids": list(ids)})
    return {row.id: row.title for row in rows}


async def complete_tasks(db: WritingSession, ids: Collection[uuid.UUID], now: datetime) -> None:
    """Mark tasks that are not done as done. Call :func:`list_chosen` first."""
    values = {
        "status": TaskStatus.DONE,
        "completed_at": now,
        "updated_at": now,
        "version": Task.version + 1,
    }
    await db.execute(sa.update(Task).where(Task.id.in_(ids)).values(values))


async def delete_tasks(db: WritingSession, ids: Collection[uuid.UUID]) -> None:
    """Delete tasks. Call :func:`list_chosen` first."""
    await db.execute(sa.delete(Task).where(Task.id.in_(ids)))


async def insert_tasks(db: WritingSession, tasks: Sequence[TaskRow], created_by: str) -> None:
    """Insert new tasks."""
    columns = [field.name for field in fields(TaskRow) if field.name != "assignee"]
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
