"""What can be done with projects and tasks, and the rules of it.

Whether the caller may do it was settled by the guard on the route; statements live in
:mod:`saas_app.projects.queries` and :mod:`saas_app.projects.task_queries`.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import TYPE_CHECKING

from sqlalchemy.ext.asyncio import AsyncSession

from saas_app.db.base import new_uuid, utc_now
from saas_app.errors import AppError, NotFound, VersionConflict
from saas_app.models import Project, ProjectStatus, Task, TaskStatus
from saas_app.models.project import fold_name
from saas_app.projects import queries, task_queries
from saas_app.projects.moments import begin_change, moment_of_change
from saas_app.projects.queries import (
    ExportRow,
    ProjectDetail,
    ProjectFilter,
    ProjectKey,
    ProjectRow,
    ProjectSort,
    RecentProject,
    StatusFilter,
)
from saas_app.projects.task_queries import TaskFilter, TaskKey, TaskRow
from saas_app.projects.trail import Trail
from saas_app.text.visible import isolated

if TYPE_CHECKING:
    from saas_app.identity.tenant import Tenant

__all__ = [
    "DayCount",
    "ExportRow",
    "ProjectArchived",
    "ProjectConflict",
    "ProjectDetail",
    "ProjectFilter",
    "ProjectInput",
    "ProjectKey",
    "ProjectRow",
    "ProjectSort",
    "ProjectStatus",
    "ProjectSummary",
    "RecentProject",
    "StatusFilter",
    "TaskConflict",
    "TaskFilter",
    "TaskInput",
    "TaskKey",
    "TaskRow",
    "TaskStatus",
]

_RECENT = 5
_DAYS = 14
_EXPORT_BATCH = 500  # rows a statement
_CHANGED_MEANWHILE = "It has changed since you opened it. Nothing was overwritten."


@dataclass(frozen=True, slots=True)
class ProjectInput:
    """What somebody typed for a project; bounds and spaces were seen to by the form."""

    name: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class TaskInput:
    """What somebody typed for a task; bounds and spaces were seen to by the form."""

    title: str
    status: TaskStatus = TaskStatus.TODO
    due_on: date | None = None


@dataclass(frozen=True, slots=True)
class DayCount:
    """How many tasks were completed on a day."""

    day: date
    count: int


@dataclass(frozen=True, slots=True)
class ProjectSummary:
    """What an organization's overview shows. Tasks of archived projects are not counted.

    ``recent`` holds at most five active projects, ``completed_by_day`` the last 14 days, the
    oldest first, today last.
    """

    active: int
    archived: int
    open_tasks: int
    done_tasks: int
    recent: tuple[RecentProject, ...]
    completed_by_day: tuple[DayCount, ...]


class ProjectConflict(VersionConflict):
    """A project's edit that lost: what stands now, and what was to be saved instead."""

    def __init__(self, theirs: ProjectDetail, yours: ProjectInput) -> None:
        super().__init__(_CHANGED_MEANWHILE)
        self.theirs = theirs
        self.yours = yours


class TaskConflict(VersionConflict):
    """A task's edit that lost: what stands now, and what was to be saved instead."""

    def __init__(self, theirs: TaskRow, yours: TaskInput) -> None:
        super().__init__(_CHANGED_MEANWHILE)
        self.theirs = theirs
        self.yours = yours


class ProjectArchived(AppError):
    """Tasks of an archived project stay as they are."""

    status, code, title = 409, "project-archived", "This project is archived"


async def list_projects(
    db: AsyncSession,
    tenant: Tenant,
    wanted: ProjectFilter,
    *,
    after: ProjectKey | None,
    limit: int,
) -> list[ProjectRow]:
    """At most ``limit`` projects behind the sort value and id in ``after``, each with its progress."""
    return await queries.list_projects(db, wanted, after, limit)


async def get_project(db: AsyncSession, tenant: Tenant, project_id: uuid.UUID) -> ProjectDetail:
    """A project of the organization. Raises :class:`NotFound`."""
    project = await queries.find_project(db, project_id)
    if project is None:
        raise NotFound(f"{isolated(tenant.organization_name)} has no such project. It may have been deleted.")
    return project


async def create_project(db: AsyncSession, tenant: Tenant, form: ProjectInput) -> uuid.UUID:
    """Add a project; its id."""
    await begin_change(db, tenant.organization_id)
    project = _new_project(form, tenant.principal.subject, await moment_of_change(db))
    db.add(project)
    await db.flush()
    Trail(db, tenant).project_created(project.id, form)
    return project.id


async def edit_project(
    db: AsyncSession, tenant: Tenant, project_id: uuid.UUID, version: int, form: ProjectInput
) -> None:
    """Save what was typed over ``version``. Raises :class:`ProjectConflict` when that is not what stands."""
    now = await _hold(db, tenant, project_id)
    theirs = await get_project(db, tenant, project_id)
    if await queries.update_project(
        db, project_id, version, name=form.name, description=form.description, now=now
    ):
        Trail(db, tenant).project_edited(theirs, form)
        return
    if ProjectInput(theirs.name, theirs.description) != form:  # the same twice is no conflict
        raise ProjectConflict(theirs, form)


async def archive_project(
    db: AsyncSession, tenant: Tenant, project_id: uuid.UUID, version: int | None = None
) -> None:
    """Put a project away; its tasks stay as they are. One that is archived already stays so.

    Only over ``version``, if one is given. Raises :class:`NotFound`, :class:`VersionConflict`.
    """
    now = await _hold(db, tenant, project_id)
    _require_version(await get_project(db, tenant, project_id), version)
    changed = await queries.update_status(db, project_id, ProjectStatus.ARCHIVED, now)
    project = await get_project(db, tenant, project_id)
    if changed:
        Trail(db, tenant).project_archived(project)


async def unarchive_project(
    db: AsyncSession, tenant: Tenant, project_id: uuid.UUID, version: int | None = None
) -> None:
    """Take a project up again. One that is active already stays so.

    Only over ``version``, if one is given. Raises :class:`NotFound`, :class:`VersionConflict`.
    """
    now = await _hold(db, tenant, project_id)
    _require_version(await get_project(db, tenant, project_id), version)
    changed = await queries.update_status(db, project_id, ProjectStatus.ACTIVE, now)
    project = await get_project(db, tenant, project_id)
    if changed:
        Trail(db, tenant).project_restored(project)


async def delete_project(
    db: AsyncSession, tenant: Tenant, project_id: uuid.UUID, version: int | None = None
) -> None:
    """Delete a project and its tasks for good; only over ``version``, if one is given.

    Raises :class:`NotFound`, :class:`VersionConflict`.
    """
    await queries.lock_project(db, project_id)
    project = await get_project(db, tenant, project_id)
    _require_version(project, version)
    await queries.delete_project(db, project_id)
    Trail(db, tenant).project_deleted(project)


async def list_tasks(
    db: AsyncSession,
    tenant: Tenant,
    project_id: uuid.UUID,
    shown: TaskFilter,
    *,
    after: TaskKey | None,
    limit: int,
) -> list[TaskRow]:
    """At most ``limit`` tasks behind ``after``: those being done, to do, done; the soonest due first."""
    return await task_queries.list_tasks(db, project_id, shown, after, limit)


async def get_task(db: AsyncSession, tenant: Tenant, project_id: uuid.UUID, task_id: uuid.UUID) -> TaskRow:
    """A task of the project. Raises :class:`NotFound`."""
    task = await task_queries.find_task(db, project_id, task_id)
    if task is None:
        raise NotFound(f"{isolated(tenant.organization_name)} has no such task. It may have been deleted.")
    return task


async def add_task(db: AsyncSession, tenant: Tenant, project_id: uuid.UUID, form: TaskInput) -> uuid.UUID:
    """Add a task to an active project; its id. Raises :class:`ProjectArchived`."""
    (task_id,) = await add_tasks(db, tenant, project_id, [form])
    return task_id


async def add_tasks(
    db: AsyncSession, tenant: Tenant, project_id: uuid.UUID, forms: Sequence[TaskInput]
) -> list[uuid.UUID]:
    """Add tasks to an active project, all or none; their ids in order. Raises :class:`ProjectArchived`."""
    project, now = await _touch(db, tenant, project_id)
    tasks = [_new_task(form, project_id, tenant.principal.subject, now) for form in forms]
    db.add_all(tasks)
    await db.flush()
    trail = Trail(db, tenant)
    for task, form in zip(tasks, forms, strict=True):
        trail.task_created(task.id, project.name, form)
    return [task.id for task in tasks]


async def edit_task(
    db: AsyncSession,
    tenant: Tenant,
    project_id: uuid.UUID,
    task_id: uuid.UUID,
    version: int,
    form: TaskInput,
) -> None:
    """Save what was typed over ``version``.

    Raises :class:`TaskConflict` when that is not what stands, :class:`ProjectArchived`.
    """
    _, now = await _touch(db, tenant, project_id)
    theirs = await get_task(db, tenant, project_id, task_id)
    if await task_queries.update_task(
        db, project_id, task_id, version, title=form.title, status=form.status, due_on=form.due_on, now=now
    ):
        Trail(db, tenant).task_edited(theirs, form)
        return
    if TaskInput(theirs.title, theirs.status, theirs.due_on) != form:
        raise TaskConflict(theirs, form)


async def set_task_status(
    db: AsyncSession, tenant: Tenant, task: TaskRow, version: int, status: TaskStatus
) -> None:
    """Give a task another status, as somebody chose who saw it at ``version``.

    Raises :class:`TaskConflict` when it was changed since, :class:`ProjectArchived`.
    """
    form = TaskInput(task.title, status, task.due_on)
    await edit_task(db, tenant, task.project_id, task.id, version, form)


async def delete_task(
    db: AsyncSession,
    tenant: Tenant,
    project_id: uuid.UUID,
    task_id: uuid.UUID,
    version: int | None = None,
) -> None:
    """Delete a task of an active project; only over ``version``, if one is given.

    Raises :class:`NotFound`, :class:`ProjectArchived`, :class:`VersionConflict`.
    """
    project, _ = await _touch(db, tenant, project_id)
    task = await get_task(db, tenant, project_id, task_id)
    _require_version(task, version)
    await task_queries.delete_task(db, project_id, task_id)
    Trail(db, tenant).task_deleted(task, project.name)


def _require_version(current: ProjectDetail | TaskRow, version: int | None) -> None:
    if version is not None and current.version != version:
        raise VersionConflict(_CHANGED_MEANWHILE)


async def _touch(db: AsyncSession, tenant: Tenant, project_id: uuid.UUID) -> tuple[ProjectDetail, datetime]:
    """Hold the project while one of its tasks changes, and say when. Raises :class:`ProjectArchived`."""
    now = await _hold(db, tenant, project_id)
    is_active = await queries.touch_active_project(db, project_id, now)
    project = await get_project(db, tenant, project_id)
    if is_active:
        return project, now
    raise ProjectArchived(f"“{isolated(project.name)}” is archived. Unarchive it to change its tasks.")


async def _hold(db: AsyncSession, tenant: Tenant, project_id: uuid.UUID) -> datetime:
    """Let nobody else change the project until this is done, and return the moment of the change."""
    await begin_change(db, tenant.organization_id)
    await queries.lock_project(db, project_id)
    return await moment_of_change(db)


async def summarize(db: AsyncSession, tenant: Tenant, zone: tzinfo = UTC) -> ProjectSummary:
    """The organization's projects at a glance, in three statements; days are those of ``zone``."""
    today = utc_now().astimezone(zone).date()
    days = [today - timedelta(days=ago) for ago in reversed(range(_DAYS))]
    bounds = [datetime.combine(day, time.min, zone) for day in (*days, today + timedelta(days=1))]
    totals = await queries.get_totals(db)
    recent = await queries.list_recent_projects(db, _RECENT)
    counts = await queries.count_completed_between(db, bounds)
    return ProjectSummary(
        active=totals.active,
        archived=totals.archived,
        open_tasks=totals.open_tasks,
        done_tasks=totals.done_tasks,
        recent=tuple(recent),
        completed_by_day=tuple(DayCount(day, count) for day, count in zip(days, counts, strict=True)),
    )


def record_export(db: AsyncSession, tenant: Tenant) -> None:
    """Tell the audit trail that the projects are taken away."""
    Trail(db, tenant).projects_exported()


async def export_rows(db: AsyncSession, tenant: Tenant) -> AsyncIterator[list[ExportRow]]:
    """Every project with its tasks, some hundred rows at a time."""
    rows = await queries.list_export_rows(db, None, _EXPORT_BATCH)
    while rows:
        yield rows
        if len(rows) < _EXPORT_BATCH:
            return
        rows = await queries.list_export_rows(db, rows[-1], _EXPORT_BATCH)


def _new_project(form: ProjectInput, created_by: str, now: datetime) -> Project:
    return Project(
        id=new_uuid(),
        name=form.name,
        folded_name=fold_name(form.name),
        description=form.description,
        status=ProjectStatus.ACTIVE,
        created_by=created_by,
        created_at=now,
        updated_at=now,
    )


def _new_task(form: TaskInput, project_id: uuid.UUID, created_by: str, now: datetime) -> Task:
    return Task(
        id=new_uuid(),
        project_id=project_id,
        title=form.title,
        status=form.status,
        due_on=form.due_on,
        created_by=created_by,
        created_at=now,
        updated_at=now,
        completed_at=now if form.status is TaskStatus.DONE else None,
    )
