"""Statements on projects: lists, one project, and changes of it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa

from saas_app.db.base import utc_now
from saas_app.db.rows import changed
from saas_app.db.session import DatabaseSession, WritingSession
from saas_app.models import ApiClient, Project, Task, User
from saas_app.models.project import fold_name
from saas_app.projects.values import (
    ProjectDetail,
    ProjectFilter,
    ProjectKey,
    ProjectRow,
    ProjectSort,
    ProjectStatus,
    StatusFilter,
    TaskStatus,
)

_EXCERPT = 160  # characters of a description that a list shows
_ESCAPE = "/"

_ID = sa.bindparam("id", type_=Project.id.type)
_AS_OF = sa.bindparam("as_of", type_=Project.updated_at.type)


def _count_tasks(*statuses: TaskStatus) -> sa.ScalarSelect[int]:
    return (
        sa.select(sa.func.count())
        .select_from(Task)
        .where(
            Task.organization_id == Project.organization_id,
            Task.project_id == Project.id,
            Task.status.in_([sa.literal(status, Task.status.type) for status in statuses]),
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
        User.display_name(ApiClient.name, Project.created_by),
        Project.created_at,
        Project.updated_at,
        Project.version,
        _OPEN_TASKS,
        _DONE_TASKS,
    )
    .outerjoin(User, User.id == Project.created_by)
    .outerjoin(ApiClient, _MAKER)
    .where(Project.id == _ID)
)


@dataclass(frozen=True, slots=True)
class HeldProject:
    """A project that is locked, and the moment of the change that holds it."""

    name: str
    status: ProjectStatus
    moment: datetime


_LAST_CHANGE = sa.select(sa.func.max(Project.updated_at))

_HELD = (
    sa.select(Project.name, Project.status, _LAST_CHANGE.scalar_subquery().label("last_change"))
    .where(Project.id == _ID)
    .with_for_update()
)

_WAIT_FOR_TURN = sa.select(
    sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(sa.bindparam("name", type_=sa.String), 0))
)

_TOUCH = (
    sa.update(Project)
    .where(Project.id == sa.bindparam("id_", type_=Project.id.type))  # "id" would be a value to set
    .values(updated_at=sa.bindparam("now", type_=Project.updated_at.type))
)


async def list_projects(
    db: DatabaseSession,
    wanted: ProjectFilter,
    after: ProjectKey | None,
    limit: int,
    *,
    as_of: datetime | None = None,
) -> list[ProjectRow]:
    """Return at most ``limit`` projects after the row whose sort value and id are ``after``.

    With ``as_of``, projects that changed later are left out.
    """
    statement = _list_statement(
        wanted.status, wanted.sort, bool(wanted.search), after is not None, as_of is not None
    )
    key, project_id = after or (None, None)
    values = {
        "limit": limit,
        "pattern": _pattern(wanted.search),
        "as_of": as_of,
        "key": key,
        "id": project_id,
    }
    return [ProjectRow(*row) for row in (await db.execute(statement, values)).all()]


async def list_changed(
    db: DatabaseSession, wanted: ProjectFilter, as_of: datetime, after: uuid.UUID | None, limit: int
) -> list[ProjectRow]:
    """Return at most ``limit`` projects changed later than ``as_of``, the oldest first, after ``after``."""
    statement = _changed_statement(wanted.status, bool(wanted.search), after is not None)
    values = {"limit": limit, "pattern": _pattern(wanted.search), "as_of": as_of, "id": after}
    return [ProjectRow(*row) for row in (await db.execute(statement, values)).all()]


@cache
def _list_statement(
    status: StatusFilter, sort: ProjectSort, is_searched: bool, is_continued: bool, is_bounded: bool
) -> sa.Select[*tuple[Any, ...]]:
    statement = _matching(status, is_searched).limit(sa.bindparam("limit", type_=sa.Integer))
    if is_bounded:
        statement = statement.where(Project.updated_at <= _AS_OF)
    if sort is ProjectSort.NAME:
        key = sa.tuple_(Project.folded_name, Project.id)
        place = sa.tuple_(sa.bindparam("key", type_=Project.folded_name.type), _ID)
        statement = statement.order_by(Project.folded_name, Project.id)
        return statement.where(key > place) if is_continued else statement
    if sort is ProjectSort.CREATED:
        statement = statement.order_by(Project.id.desc())
        return statement.where(Project.id < _ID) if is_continued else statement
    key = sa.tuple_(Project.updated_at, Project.id)
    place = sa.tuple_(sa.bindparam("key", type_=Project.updated_at.type), _ID)
    statement = statement.order_by(Project.updated_at.desc(), Project.id.desc())
    return statement.where(key < place) if is_continued else statement


@cache
def _changed_statement(
    status: StatusFilter, is_searched: bool, is_continued: bool
) -> sa.Select[*tuple[Any, ...]]:
    statement = _matching(status, is_searched).where(Project.updated_at > _AS_OF)
    statement = statement.order_by(Project.id).limit(sa.bindparam("limit", type_=sa.Integer))
    return statement.where(Project.id > _ID) if is_continued else statement


def _matching(status: StatusFilter, is_searched: bool) -> sa.Select[*tuple[Any, ...]]:
    statement: sa.Select[*tuple[Any, ...]] = _LIST
    if status is not StatusFilter.ALL:
        statement = statement.where(Project.status == ProjectStatus(status.value))
    if is_searched:
        pattern = sa.bindparam("pattern", type_=sa.String)
        statement = statement.where(Project.folded_name.like(pattern, escape=_ESCAPE))
    return statement


def _pattern(search: str) -> str:
    """Return the pattern of names that contain the text, in upper or lower case."""
    folded = fold_name(search)
    for special in (_ESCAPE, "%", "_"):
        folded = folded.replace(special, _ESCAPE + special)
    return f"%{folded}%"


async def find_project(db: DatabaseSession, project_id: uuid.UUID) -> ProjectDetail | None:
    """Return a project with the number of its open and done tasks, in one statement."""
    row = (await db.execute(_DETAIL, {"id": project_id})).one_or_none()
    return None if row is None else ProjectDetail(*row)


async def update_project(
    db: WritingSession, project_id: uuid.UUID, version: int, *, name: str, description: str, now: datetime
) -> bool:
    """Save an edit if the project still has ``version``, and return whether it was saved."""
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
    db: WritingSession, project_id: uuid.UUID, status: ProjectStatus, now: datetime
) -> bool:
    """Change the status. Returns False if the project has it already, or does not exist."""
    statement = (
        sa.update(Project)
        .where(Project.id == project_id, Project.status != status)
        .values(status=status, updated_at=now, version=Project.version + 1)
    )
    return await changed(db, statement, Project.id)


async def hold_project(db: WritingSession, project_id: uuid.UUID) -> HeldProject | None:
    """Lock the project until the transaction ends, so that changes of it run one after the other.

    Returns None if it does not exist. Call :func:`begin_change` first.
    """
    row = (await db.execute(_HELD, {"id": project_id})).one_or_none()
    return None if row is None else HeldProject(row.name, row.status, _moment_after(row.last_change))


async def touch_project(db: WritingSession, project_id: uuid.UUID, now: datetime) -> None:
    """Record that a task changes. The version stays, because that does not edit the project."""
    await db.execute(_TOUCH, {"id_": project_id, "now": now})


async def delete_project(db: WritingSession, project_id: uuid.UUID) -> bool:
    """Delete a project, and its tasks by the foreign key. Returns whether it existed."""
    return await changed(db, sa.delete(Project).where(Project.id == project_id), Project.id)


async def find_names_among(db: DatabaseSession, names: Sequence[str]) -> set[str]:
    """Return those of ``names`` that projects have already."""
    return set(
        await db.scalars(sa.select(Project.name).where(Project.folded_name.in_(map(fold_name, names))))
    )


async def begin_change(db: DatabaseSession, organization_id: str) -> None:
    """Make changes of an organization's projects run one after the other. SQLite has one writer anyway."""
    if db.dialect_name == "postgresql":
        await db.execute(_WAIT_FOR_TURN, {"name": f"projects:{organization_id}"})


async def find_last_change(db: DatabaseSession) -> datetime | None:
    """Return when a project of the organization, or one of its tasks, changed last."""
    moment: datetime | None = await db.scalar(_LAST_CHANGE)
    return moment


async def moment_of_change(db: DatabaseSession) -> datetime:
    """Return the moment of a change that has begun, later than every earlier change."""
    return _moment_after(await find_last_change(db))


def _moment_after(last_change: datetime | None) -> datetime:
    """Return now, or a moment after the last change, if a machine whose clock is ahead made it.

    Pages of a list rely on this order.
    """
    now = utc_now()
    return now if last_change is None else max(now, last_change + timedelta(microseconds=1))
