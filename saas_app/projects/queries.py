"""Every statement on projects: what is read comes back as frozen rows, never as entities.

The session is bound to an organization and adds it to each statement. Rules live in
:mod:`saas_app.projects.service`, statements on tasks in :mod:`saas_app.projects.task_queries`.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from itertools import pairwise
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, aliased

from saas_app.models import ApiClient, Project, ProjectStatus, Task, TaskStatus, User
from saas_app.models.project import fold_name

_EXCERPT = 160  # characters of a description that a list shows


class StatusFilter(StrEnum):
    """Which projects a list shows."""

    ACTIVE = "active"
    ARCHIVED = "archived"
    ALL = "all"


class ProjectSort(StrEnum):
    """What a list begins with: the project touched last, the first in the alphabet, or the newest.

    Only the last of these is an order in which nothing ever moves.
    """

    UPDATED = "updated"
    NAME = "name"
    CREATED = "created"


@dataclass(frozen=True, slots=True)
class ProjectFilter:
    """What a list is asked for. ``search`` is a part of the name, in any case; empty means all."""

    search: str = ""
    status: StatusFilter = StatusFilter.ACTIVE
    sort: ProjectSort = ProjectSort.UPDATED


ProjectKey: TypeAlias = tuple[datetime | str, uuid.UUID]
"""A project's place in a list: the moment or the ``folded_name`` by which it is sorted, and its id."""


@dataclass(frozen=True, slots=True)
class ProjectRow:
    """A line of the list. ``excerpt`` is how the description begins."""

    id: uuid.UUID
    name: str
    folded_name: str
    excerpt: str
    status: ProjectStatus
    updated_at: datetime
    open_tasks: int
    done_tasks: int
    created_at: datetime

    @property
    def all_tasks(self) -> int:
        """How many tasks the project has."""
        return self.open_tasks + self.done_tasks

    def key(self, sort: ProjectSort) -> ProjectKey:
        """Its place in a list sorted like this."""
        if sort is ProjectSort.NAME:
            return self.folded_name, self.id
        return (self.created_at if sort is ProjectSort.CREATED else self.updated_at), self.id


@dataclass(frozen=True, slots=True)
class ProjectDetail:
    """A project as its own page shows it. ``created_by`` is a name, or an id nobody has a name for."""

    id: uuid.UUID
    name: str
    description: str
    status: ProjectStatus
    created_by: str
    created_at: datetime
    updated_at: datetime
    version: int
    open_tasks: int
    done_tasks: int

    @property
    def all_tasks(self) -> int:
        """How many tasks the project has."""
        return self.open_tasks + self.done_tasks

    @property
    def is_archived(self) -> bool:
        """Whether its tasks can no longer be changed."""
        return self.status is ProjectStatus.ARCHIVED


@dataclass(frozen=True, slots=True)
class Totals:
    """How many projects and tasks an organization has; tasks of archived projects are not counted."""

    active: int
    archived: int
    open_tasks: int
    done_tasks: int


@dataclass(frozen=True, slots=True)
class RecentProject:
    """A project that was worked on lately."""

    id: uuid.UUID
    name: str
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ExportRow:
    """A project with one of its tasks; one without tasks comes once, its task's values None."""

    project_id: uuid.UUID
    task_id: uuid.UUID | None
    project: str
    description: str
    project_status: ProjectStatus
    task: str | None
    task_status: TaskStatus | None
    due_on: date | None
    completed_at: datetime | None


def _count_tasks(*statuses: TaskStatus) -> sa.ScalarSelect[int]:
    return (
        sa.select(sa.func.count())
        .select_from(Task)
        .where(
            Task.organization_id == Project.organization_id,
            Task.project_id == Project.id,
            Task.status.in_(statuses),
        )
        .correlate(Project)
        .scalar_subquery()
    )


_OPEN_TASKS = _count_tasks(TaskStatus.TODO, TaskStatus.DOING)
_DONE_TASKS = _count_tasks(TaskStatus.DONE)

_LIST = sa.select(
    Project.id,
    Project.name,
    Project.folded_name,
    sa.func.substr(Project.description, 1, _EXCERPT),
    Project.status,
    Project.updated_at,
    _OPEN_TASKS,
    _DONE_TASKS,
    Project.created_at,
)

_MAKER = sa.and_(
    ApiClient.organization_id == Project.organization_id, ApiClient.client_id == Project.created_by
)

_DETAIL: sa.Select[*tuple[Any, ...]] = (
    sa.select(
        Project.id,
        Project.name,
        Project.description,
        Project.status,
        sa.func.coalesce(User.name, User.username, User.email, ApiClient.name, Project.created_by),
        Project.created_at,
        Project.updated_at,
        Project.version,
        _OPEN_TASKS,
        _DONE_TASKS,
    )
    .outerjoin(User, User.id == Project.created_by)
    .outerjoin(ApiClient, _MAKER)
)


async def list_projects(
    db: AsyncSession,
    wanted: ProjectFilter,
    after: ProjectKey | None,
    limit: int,
    *,
    as_of: datetime | None = None,
) -> list[ProjectRow]:
    """At most ``limit`` projects behind the row whose sort value and id are ``after``, in one statement.

    ``as_of``: only those that were not touched later.
    """
    statement = _matching(wanted).limit(limit)
    if as_of is not None:
        statement = statement.where(Project.updated_at <= as_of)
    if wanted.sort is ProjectSort.NAME:
        key = sa.tuple_(Project.folded_name, Project.id)
        statement = statement.order_by(Project.folded_name, Project.id)
        statement = statement if after is None else statement.where(key > after)
    elif wanted.sort is ProjectSort.CREATED:
        statement = statement.order_by(Project.id.desc())
        statement = statement if after is None else statement.where(Project.id < after[1])
    else:
        key = sa.tuple_(Project.updated_at, Project.id)
        statement = statement.order_by(Project.updated_at.desc(), Project.id.desc())
        statement = statement if after is None else statement.where(key < after)
    return [ProjectRow(*row) for row in await db.execute(statement)]


async def list_touched(
    db: AsyncSession, wanted: ProjectFilter, as_of: datetime, after: uuid.UUID | None, limit: int
) -> list[ProjectRow]:
    """At most ``limit`` projects that were touched after ``as_of``, the oldest first, behind ``after``."""
    statement = _matching(wanted).where(Project.updated_at > as_of).order_by(Project.id).limit(limit)
    if after is not None:
        statement = statement.where(Project.id > after)
    return [ProjectRow(*row) for row in await db.execute(statement)]


def _matching(wanted: ProjectFilter) -> sa.Select[*tuple[Any, ...]]:
    statement: sa.Select[*tuple[Any, ...]] = _LIST
    if wanted.status is not StatusFilter.ALL:
        statement = statement.where(Project.status == ProjectStatus(wanted.status.value))
    if wanted.search:
        statement = statement.where(Project.folded_name.contains(fold_name(wanted.search), autoescape=True))
    return statement


async def find_project(db: AsyncSession, project_id: uuid.UUID) -> ProjectDetail | None:
    """One project with how many tasks are open and done, in one statement."""
    row = (await db.execute(_DETAIL.where(Project.id == project_id))).one_or_none()
    return None if row is None else ProjectDetail(*row)


async def get_totals(db: AsyncSession) -> Totals:
    """Count the organization's projects and the tasks of those that are active, in one statement."""
    statement: sa.Select[*tuple[Any, ...]] = sa.select(
        _count_where(Project.status == ProjectStatus.ACTIVE),
        _count_where(Project.status == ProjectStatus.ARCHIVED),
        _count_tasks_of_active(TaskStatus.TODO, TaskStatus.DOING),
        _count_tasks_of_active(TaskStatus.DONE),
    ).select_from(Project)
    return Totals(*(await db.execute(statement)).one())


def _count_where(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.count(sa.case((condition, 1)))


def _count_tasks_of_active(*statuses: TaskStatus) -> sa.ScalarSelect[int]:
    owner = aliased(Project)
    return (
        sa.select(sa.func.count())
        .select_from(Task)
        .join(owner, (owner.organization_id == Task.organization_id) & (owner.id == Task.project_id))
        .where(owner.status == ProjectStatus.ACTIVE, Task.status.in_(statuses))
        .scalar_subquery()
    )


async def list_recent_projects(db: AsyncSession, limit: int) -> list[RecentProject]:
    """The active projects touched last."""
    statement = (
        sa.select(Project.id, Project.name, Project.updated_at)
        .where(Project.status == ProjectStatus.ACTIVE)
        .order_by(Project.updated_at.desc(), Project.id.desc())
        .limit(limit)
    )
    return [RecentProject(*row) for row in await db.execute(statement)]


async def count_completed_between(db: AsyncSession, bounds: Sequence[datetime]) -> list[int]:
    """How many tasks were completed from each of ``bounds`` to the next, in one statement."""
    spans = list(pairwise(bounds))
    counts = [_count_where((Task.completed_at >= start) & (Task.completed_at < end)) for start, end in spans]
    statement: sa.Select[*tuple[Any, ...]] = sa.select(*counts).where(
        Task.completed_at >= bounds[0], Task.completed_at < bounds[-1]
    )
    return list((await db.execute(statement)).one())


async def list_export_rows(db: AsyncSession, after: ExportRow | None, limit: int) -> list[ExportRow]:
    """At most ``limit`` projects with their tasks behind ``after``, the oldest project first."""
    statement: sa.Select[*tuple[Any, ...]] = (
        sa.select(
            Project.id,
            Task.id,
            Project.name,
            Project.description,
            Project.status,
            Task.title,
            Task.status,
            Task.due_on,
            Task.completed_at,
        )
        .outerjoin(Task, (Task.organization_id == Project.organization_id) & (Task.project_id == Project.id))
        .order_by(Project.id, Task.id)  # neither ever changes, so a task that moves meanwhile comes once
        .limit(limit)
    )
    if after is not None:
        further = sa.false() if after.task_id is None else Task.id > after.task_id
        statement = statement.where(Project.id >= after.project_id, (Project.id > after.project_id) | further)
    return [ExportRow(*row) for row in await db.execute(statement)]


async def find_names_among(db: AsyncSession, names: Sequence[str]) -> set[str]:
    """Those of ``names`` that are names of projects already."""
    return set(
        await db.scalars(sa.select(Project.name).where(Project.folded_name.in_(map(fold_name, names))))
    )


async def update_project(
    db: AsyncSession, project_id: uuid.UUID, version: int, *, name: str, description: str, now: datetime
) -> bool:
    """Save an edit if the project still has ``version``; whether it had."""
    statement = (
        sa.update(Project)
        .where(Project.id == project_id, Project.version == version)
        .values(
            name=name,
            folded_name=fold_name(name),
            description=description,
            updated_at=now,
            version=Project.version + 1,
        )
    )
    return await changed(db, statement, Project.id)


async def update_status(
    db: AsyncSession, project_id: uuid.UUID, status: ProjectStatus, now: datetime
) -> bool:
    """Give the project another status; False when it has that one already, or does not exist."""
    statement = (
        sa.update(Project)
        .where(Project.id == project_id, Project.status != status)
        .values(status=status, updated_at=now, version=Project.version + 1)
    )
    return await changed(db, statement, Project.id)


async def lock_project(db: AsyncSession, project_id: uuid.UUID) -> bool:
    """Let no other transaction change it until this one ends; whether it exists.

    What is read after this is what the next statement changes.
    """
    statement = sa.update(Project).where(Project.id == project_id).values(version=Project.version)
    return await changed(db, statement, Project.id)


async def touch_active_project(db: AsyncSession, project_id: uuid.UUID, now: datetime) -> bool:
    """Note that a task is changing; False when the project is archived, or does not exist.

    The version stays: a task is no edit of the project. The row lock lets changes of a project's tasks
    and its archiving pass one after the other.
    """
    statement = (
        sa.update(Project)
        .where(Project.id == project_id, Project.status == ProjectStatus.ACTIVE)
        .values(updated_at=now)
    )
    return await changed(db, statement, Project.id)


async def delete_project(db: AsyncSession, project_id: uuid.UUID) -> bool:
    """Delete a project; its tasks go with it by the foreign key. Whether it existed."""
    return await changed(db, sa.delete(Project).where(Project.id == project_id), Project.id)


async def changed(
    db: AsyncSession, statement: sa.Update | sa.Delete, key: InstrumentedAttribute[uuid.UUID]
) -> bool:
    """Run an update or delete of one row by its key; whether there was such a row."""
    result = await db.execute(statement.returning(key), execution_options={"synchronize_session": False})
    return result.one_or_none() is not None
