"""Statements on all projects of an organization: the overview, and the export."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from itertools import pairwise
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from saas_app.db.readings import Reading
from saas_app.db.session import DatabaseSession
from saas_app.models import Project, Task, User
from saas_app.projects.values import (
    Count,
    ExportRow,
    ProjectStatus,
    RecentProject,
    Summary,
    TaskStatus,
    Totals,
)

COUNTED: Final = 1000
"""The bound of all counts: so many projects, or tasks of a day, are counted at most."""


def summary(recent: int, bounds: Sequence[datetime]) -> Reading[Summary]:
    """Count the organization's projects and the tasks of active projects, and find those that changed last.

    The tasks completed from each of ``bounds`` to the next are counted too. If there are more active projects
    than :data:`COUNTED`, the tasks of the latest are counted.
    """
    values = {f"bound_{place}": moment for place, moment in enumerate(bounds)}
    return Reading(_summary(len(bounds)), {"recent": recent, **values}, _as_summary)


def _as_summary(rows: Sequence[Sequence[Any]]) -> Summary:
    """Return the summary. Each row has a recent project, or none, and all numbers."""
    active, archived, open_tasks, done_tasks, *completed = rows[0][3:]
    more = active > COUNTED
    totals = Totals(_count(active), _count(archived), _count(open_tasks, more), _count(done_tasks, more))
    projects = [RecentProject(*row[:3]) for row in rows if row[0] is not None]
    projects.sort(key=lambda project: (project.updated_at, project.id), reverse=True)
    return Summary(totals, tuple(projects), tuple(map(_count, completed)))


def _count(number: int, has_more: bool = False) -> Count:
    return Count(min(number, COUNTED), has_more or number > COUNTED)


def _bounded(rows: sa.Select[Any]) -> sa.ScalarSelect[int]:
    """Count rows, one more than :data:`COUNTED` at most."""
    return sa.select(sa.func.count()).select_from(rows.limit(COUNTED + 1).subquery()).scalar_subquery()


def _projects(status: ProjectStatus) -> sa.Select[Any]:
    owner = aliased(Project)
    return sa.select(owner.id).where(owner.status == status).order_by(owner.updated_at.desc())


def _tasks_of_active(*statuses: TaskStatus) -> sa.ScalarSelect[int]:
    """Count the tasks of the latest active projects, project by project.

    A join would let the database read all tasks of the organization.
    """
    latest = _projects(ProjectStatus.ACTIVE).limit(COUNTED).subquery()
    task = aliased(Task)
    tasks = (
        sa.select(sa.func.count())
        .select_from(task)
        .where(task.project_id == latest.c.id, task.status.in_(statuses))
        .correlate(latest)
        .scalar_subquery()
    )
    return sa.select(sa.func.coalesce(sa.func.sum(tasks), 0)).select_from(latest).scalar_subquery()


_TOTALS: Final[tuple[sa.ScalarSelect[int], ...]] = (
    _bounded(_projects(ProjectStatus.ACTIVE)),
    _bounded(_projects(ProjectStatus.ARCHIVED)),
    _tasks_of_active(TaskStatus.TODO, TaskStatus.DOING),
    _tasks_of_active(TaskStatus.DONE),
)

_RECENT: Final = (
    sa.select(Project.id, Project.name, Project.updated_at)
    .where(Project.status == ProjectStatus.ACTIVE)
    .order_by(Project.updated_at.desc(), Project.id.desc())
    .limit(sa.bindparam("recent", type_=sa.Integer))
)


@cache
def _summary(bounds: int) -> sa.Select[*tuple[Any, ...]]:
    moments = [sa.bindparam(f"bound_{place}", type_=Task.completed_at.type) for place in range(bounds)]
    completed = [_bounded(_completed(start, end)) for start, end in pairwise(moments)]
    one_row, recent = sa.select(sa.literal_column("1").label("one")).subquery(), _RECENT.subquery()
    return sa.select(*recent.c, *_TOTALS, *completed).select_from(
        one_row.outerjoin(recent, one_row.c.one == sa.literal_column("1"))
    )


def _completed(start: sa.BindParameter[Any], end: sa.BindParameter[Any]) -> sa.Select[Any]:
    task = aliased(Task)
    return sa.select(task.id).where(task.completed_at >= start, task.completed_at < end)


async def list_export_rows(db: DatabaseSession, after: ExportRow | None, limit: int) -> list[ExportRow]:
    """Return at most ``limit`` rows after ``after``, or from the start. The oldest project comes first.

    Projects and tasks are read by two statements, because the database may read all tasks of the organization
    to join them.
    """
    project_id = _FIRST_ID if after is None else after.project_id
    task_id = _FIRST_ID if after is None else after.task_id or _LAST_ID
    projects = (await db.execute(_EXPORT_PROJECTS, {"project_id": project_id, "limit": limit + 1})).all()
    if not projects:
        return []
    values = {"project_id": project_id, "task_id": task_id, "last_id": projects[-1].id, "limit": limit}
    tasks = (await db.execute(_EXPORT_TASKS, values)).all()
    complete_until = _LAST_ID if len(tasks) < limit else tasks[-1].project_id
    by_project: defaultdict[uuid.UUID, list[Any]] = defaultdict(list)
    for task in tasks:
        by_project[task.project_id].append(task)
    rows: list[ExportRow] = []
    for project in projects:
        if project.id > complete_until:
            break
        own = by_project[project.id]
        if own or project.id != project_id:
            rows += [_export_row(project, task) for task in own or (None,)]
    return rows[:limit]


def _export_row(project: Any, task: Any) -> ExportRow:
    """Return a row of the export from a project and one of its tasks, or None if it has none."""
    return ExportRow(
        project_id=project.id,
        task_id=task and task.id,
        project=project.name,
        description=project.description,
        project_status=project.status,
        task=task and task.title,
        task_status=task and task.status,
        due_on=task and task.due_on,
        completed_at=task and task.completed_at,
        assignee=task and task.assignee,
    )


_FIRST_ID: Final = uuid.UUID(int=0)
_LAST_ID: Final = uuid.UUID(int=2**128 - 1)

_PROJECT_ID = sa.bindparam("project_id", type_=sa.Uuid())
_LIMIT = sa.bindparam("limit", type_=sa.Integer())

# Ids never change, so no row is exported twice.
_EXPORT_PROJECTS = (
    sa.select(Project.id, Project.name, Project.description, Project.status)
    .where(Project.id >= _PROJECT_ID)
    .order_by(Project.id)
    .limit(_LIMIT)
)
_EXPORT_TASKS = (
    sa.select(
        Task.id,
        Task.project_id,
        Task.title,
        Task.status,
        Task.due_on,
        Task.completed_at,
        User.display_name(Task.assignee_id).label("assignee"),
    )
    .outerjoin(User, User.id == Task.assignee_id)
    .where(
        Task.project_id >= _PROJECT_ID,
        Task.project_id <= sa.bindparam("last_id", type_=sa.Uuid()),
        (Task.project_id > _PROJECT_ID) | (Task.id > sa.bindparam("task_id", type_=sa.Uuid())),
    )
    .order_by(Task.project_id, Task.id)
    .limit(_LIMIT)
)
