"""Statements on projects: lists, one project, and changes of it."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from functools import cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from saas_app.db.base import utc_now
from saas_app.db.rows import changed
from saas_app.db.search import ESCAPE, containing, has_trigram, row_by_row
from saas_app.db.session import DatabaseSession, WritingSession
from saas_app.models import ApiClient, Project, ProjectName, Task, User
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

_FEW: Final = 250
"""The number of projects up to which all that match a search are sorted."""

_ID = sa.bindparam("id", type_=Project.id.type)


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
    Project.version,
)


_MAKER = sa.and_(
    ApiClient.organization_id == Project.organization_id, ApiClient.client_id == Project.created_by
)


_DETAILS: sa.Select[*tuple[Any, ...]] = (
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
)

_DETAIL = _DETAILS.where(Project.id == _ID)

_IDS = sa.bindparam("ids", type_=Project.id.type, expanding=True)

_CHOSEN = _DETAILS.where(Project.id.in_(_IDS)).with_for_update(of=Project)

_NAMES = sa.select(Project.id, Project.name).where(Project.id.in_(_IDS))


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


class _Search(Enum):
    """How projects are searched: not at all, by their names first, or in the order of the list."""

    NONE = auto()
    BY_TRIGRAM = auto()
    BY_NAME = auto()
    IN_ORDER = auto()


@dataclass(frozen=True, slots=True)
class _Shape:
    """What makes two lists different statements, apart from their values. Each is built once."""

    status: StatusFilter
    search: _Search
    sort: ProjectSort | None = None  # None: sorted by id
    begins_later: bool = False
    has_moment: bool = False


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
    pattern = containing(fold_name(wanted.search))
    search = await _find_way(db, wanted.search, pattern)
    shape = _Shape(wanted.status, search, wanted.sort, after is not None, as_of is not None)
    value, last_id = after or (None, None)
    return await _list(db, _list_statement(shape), pattern, limit, as_of, value, last_id)


async def list_changed(
    db: DatabaseSession, wanted: ProjectFilter, as_of: datetime, after: uuid.UUID | None, limit: int
) -> list[ProjectRow]:
    """Return at most ``limit`` projects changed later than ``as_of``, the oldest first, after ``after``."""
    search = _Search.IN_ORDER if wanted.search else _Search.NONE
    shape = _Shape(wanted.status, search, None, after is not None, has_moment=True)
    pattern = containing(fold_name(wanted.search))
    return await _list(db, _changed_statement(shape), pattern, limit, as_of, None, after)


async def _find_way(db: DatabaseSession, text: str, pattern: str) -> _Search:
    """Return how to search: a part of many names is soon found in the order of the list.

    All projects with a part of few names are found by their names, and sorted. No index finds a part of one
    or two letters, so for these all of the organization's names may be read, from the index that sorts them.
    """
    if not text:
        return _Search.NONE
    way = _Search.BY_TRIGRAM if has_trigram(fold_name(text)) else _Search.BY_NAME
    found = await db.scalar(_count_statement(way), {"pattern": pattern, "enough": _FEW + 1})
    return _Search.IN_ORDER if found is not None and found > _FEW else way


async def _list(
    db: DatabaseSession,
    statement: sa.Select[*tuple[Any, ...]],
    pattern: str,
    limit: int,
    as_of: datetime | None,
    value: datetime | str | None,
    last_id: uuid.UUID | None,
) -> list[ProjectRow]:
    values = {"pattern": pattern, "limit": limit, "as_of": as_of, "value": value, "last_id": last_id}
    return [ProjectRow(*row) for row in (await db.execute(statement, values)).all()]


_PATTERN = sa.bindparam("pattern", type_=sa.String())
_LIMIT = sa.bindparam("limit", type_=sa.Integer())
_AS_OF = sa.bindparam("as_of", type_=Project.updated_at.type)
_LAST_ID = sa.bindparam("last_id", type_=sa.Uuid())


def _matches(way: _Search) -> sa.Select[uuid.UUID]:
    """Select the ids of projects whose name contains the text."""
    names = ProjectName if way is _Search.BY_TRIGRAM else aliased(Project)
    return sa.select(names.id).where(names.folded_name.like(_PATTERN, escape=ESCAPE))


@cache
def _count_statement(way: _Search) -> sa.Select[int]:
    some = _matches(way).limit(sa.bindparam("enough", type_=sa.Integer()))
    return sa.select(sa.func.count()).select_from(some.subquery())


@cache
def _list_statement(shape: _Shape) -> sa.Select[*tuple[Any, ...]]:
    """Build the statement of a list. Its parameters are those of :func:`_list`."""
    statement = _matching(shape)
    if shape.has_moment:
        statement = statement.where(Project.updated_at <= _AS_OF)
    order: tuple[Any, ...]
    if shape.sort is ProjectSort.CREATED:
        order, after = (Project.id.desc(),), Project.id < _LAST_ID
    elif shape.sort is ProjectSort.NAME:
        order = (Project.folded_name, Project.id)
        after = sa.tuple_(*order) > sa.tuple_(sa.bindparam("value", type_=sa.String()), _LAST_ID)
    else:
        order = (Project.updated_at.desc(), Project.id.desc())
        last = sa.tuple_(sa.bindparam("value", type_=Project.updated_at.type), _LAST_ID)
        after = sa.tuple_(Project.updated_at, Project.id) < last
    return (statement.where(after) if shape.begins_later else statement).order_by(*order).limit(_LIMIT)


@cache
def _changed_statement(shape: _Shape) -> sa.Select[*tuple[Any, ...]]:
    """Build the statement of the projects that changed later. Its parameters are those of :func:`_list`."""
    later = aliased(Project)
    # the offset keeps the database from reading all projects in order: few have changed
    ids = sa.select(later.id).where(later.updated_at > _AS_OF).offset(0)
    statement = _matching(shape).where(Project.id.in_(ids)).order_by(Project.id).limit(_LIMIT)
    return statement.where(Project.id > _LAST_ID) if shape.begins_later else statement


def _matching(shape: _Shape) -> sa.Select[*tuple[Any, ...]]:
    statement: sa.Select[*tuple[Any, ...]] = _LIST
    if shape.status is not StatusFilter.ALL:
        statement = statement.where(Project.status == ProjectStatus(shape.status.value))
    if shape.search is _Search.IN_ORDER:
        statement = statement.where(row_by_row(Project.folded_name.like(_PATTERN, escape=ESCAPE)))
    if shape.search in (_Search.BY_TRIGRAM, _Search.BY_NAME):
        # the offset keeps the database from reading projects in order until enough match
        statement = statement.where(Project.id.in_(_matches(shape.search).offset(0)))
    return statement


async def find_project(db: DatabaseSession, project_id: uuid.UUID) -> ProjectDetail | None:
    """Return a project with the number of its open and done tasks, in one statement."""
    row = (await db.execute(_DETAIL, {"id": project_id})).one_or_none()
    return None if row is None else ProjectDetail(*row)


async def list_names(db: DatabaseSession, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Return the names of those of the projects that exist."""
    rows = (await db.execute(_NAMES, {"ids": list(ids)})).all()
    return {row.id: row.name for row in rows}


async def list_chosen(db: WritingSession, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, ProjectDetail]:
    """Return those of the projects that exist, locked until the transaction ends.

    Call :func:`begin_change` first.
    """
    rows = (await db.execute(_CHOSEN, {"ids": list(ids)})).all()
    return {row.id: ProjectDetail(*row) for row in rows}


async def update_statuses(
    db: WritingSession, ids: Collection[uuid.UUID], status: ProjectStatus, now: datetime
) -> None:
    """Change the status of projects. Call :func:`begin_change` first."""
    values = {"status": status, "updated_at": now, "version": Project.version + 1}
    await db.execute(sa.update(Project).where(Project.id.in_(ids)).values(values))


async def delete_projects(db: WritingSession, ids: Collection[uuid.UUID]) -> None:
    """Delete projects, and their tasks by the foreign key. Call :func:`begin_change` first."""
    await db.execute(sa.delete(Project).where(Project.id.in_(ids)))


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
