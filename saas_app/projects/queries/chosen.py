"""Statements on several projects or tasks that somebody chose on a list.

Before a change of projects, call :func:`saas_app.projects.queries.projects.begin_change`.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from saas_app.db.session import DatabaseSession, WritingSession
from saas_app.models import Project, Task
from saas_app.projects.queries.projects import DETAILS
from saas_app.projects.queries.tasks import TASK
from saas_app.projects.values import ProjectDetail, ProjectStatus, TaskRow, TaskStatus

_IS_CHOSEN = Project.id.in_(sa.bindparam("ids", type_=Project.id.type, expanding=True))

_PROJECTS = DETAILS.where(_IS_CHOSEN).with_for_update(of=Project)

_PROJECT_NAMES = sa.select(Project.id, Project.name).where(_IS_CHOSEN)


async def list_project_names(db: DatabaseSession, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Return the names of those of the projects that exist."""
    rows = (await db.execute(_PROJECT_NAMES, {"ids": list(ids)})).all()
    return {row.id: row.name for row in rows}


async def list_projects(db: WritingSession, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, ProjectDetail]:
    """Return those of the projects that exist, locked until the transaction ends."""
    rows = (await db.execute(_PROJECTS, {"ids": list(ids)})).all()
    return {row.id: ProjectDetail(*row) for row in rows}


async def update_statuses(
    db: WritingSession, ids: Collection[uuid.UUID], status: ProjectStatus, now: datetime
) -> None:
    """Change the status of projects."""
    values = {"status": status, "updated_at": now, "version": Project.version + 1}
    await db.execute(sa.update(Project).where(Project.id.in_(ids)).values(values))


async def delete_projects(db: WritingSession, ids: Collection[uuid.UUID]) -> None:
    """Delete projects, and their tasks by the foreign key."""
    await db.execute(sa.delete(Project).where(Project.id.in_(ids)))


_IS_CHOSEN_TASK = sa.and_(
    Task.project_id == sa.bindparam("project_id", type_=Task.project_id.type),
    Task.id.in_(sa.bindparam("ids", type_=Task.id.type, expanding=True)),
)

# in one order, so that two transactions cannot wait for each other
_TASKS = TASK.where(_IS_CHOSEN_TASK).order_by(Task.id).with_for_update(of=Task)

_TASK_TITLES = sa.select(Task.id, Task.title).where(_IS_CHOSEN_TASK)


async def list_tasks(
    db: WritingSession, project_id: uuid.UUID, ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, TaskRow]:
    """Return those of the tasks that exist in the project, locked until the transaction ends."""
    rows = await db.execute(_TASKS, {"project_id": project_id, "ids": list(ids)})
    return {row.id: TaskRow(*row) for row in rows}


async def list_task_titles(
    db: DatabaseSession, project_id: uuid.UUID, ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, str]:
    """Return the titles of those of the tasks that exist in the project."""
    rows = await db.execute(_TASK_TITLES, {"project_id": project_id, "ids": list(ids)})
    return {row.id: row.title for row in rows}


async def complete_tasks(db: WritingSession, ids: Collection[uuid.UUID], now: datetime) -> None:
    """Mark tasks that are not done as done. Call :func:`list_tasks` first."""
    values = {
        "status": TaskStatus.DONE,
        "completed_at": now,
        "updated_at": now,
        "version": Task.version + 1,
    }
    await db.execute(sa.update(Task).where(Task.id.in_(ids)).values(values))


async def delete_tasks(db: WritingSession, ids: Collection[uuid.UUID]) -> None:
    """Delete tasks. Call :func:`list_tasks` first."""
    await db.execute(sa.delete(Task).where(Task.id.in_(ids)))
