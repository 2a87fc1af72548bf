"""Statements that list projects: searched, filtered, sorted, page by page."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from functools import cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from saas_app.db.base import utc_now
from saas_app.db.search import ESCAPE, containing, has_trigram, row_by_row
from saas_app.db.session import DatabaseSession
from saas_app.models import Project, ProjectName
from saas_app.models.project import fold_name
from saas_app.projects.queries.projects import DONE_TASKS, LAST_CHANGE, OPEN_TASKS
from saas_app.projects.values import (
    ProjectFilter,
    ProjectKey,
    ProjectRow,
    ProjectSort,
    ProjectStatus,
    StatusFilter,
)

_EXCERPT: Final = 160
"""The number of characters of a description that a list shows."""

_FEW: Final = 250
"""The number of projects up to which all that match a search are sorted."""

_LIST = sa.select(
    Project.id,
    Project.name,
    Project.folded_name,
    sa.func.substr(Project.description, 1, _EXCERPT),
    Project.status,
    Project.updated_at,
    OPEN_TASKS,
    DONE_TASKS,
    Project.created_at,
    Project.version,
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
    tells_last_change: bool = False


async def list_first_projects(
    db: DatabaseSession, wanted: ProjectFilter, limit: int
) -> tuple[list[ProjectRow], datetime]:
    """Return at most ``limit`` projects from the start, and when any project last changed.

    One statement reads both, so that no change can come in between.
    """
    pattern = containing(fold_name(wanted.search))
    search = await _find_way(db, wanted.search, pattern)
    statement = _list_statement(_Shape(wanted.status, search, wanted.sort, tells_last_change=True))
    rows = (await db.execute(statement, {"pattern": pattern, "limit": limit})).all()
    return [ProjectRow(*row[:-1]) for row in rows], rows[0][-1] if rows else utc_now()


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


_SORTED_BY: Final[dict[str, Any]] = {"updated": Project.updated_at, "name": Project.folded_name}
"""The column of each order but that of creation, which is the order of the ids."""


@cache
def _list_statement(shape: _Shape) -> sa.Select[*tuple[Any, ...]]:
    """Build the statement of a list. Its parameters are those of :func:`_list`."""
    statement = _matching(shape)
    if shape.has_moment:
        statement = statement.where(Project.updated_at <= _AS_OF)
    if shape.tells_last_change:
        statement = statement.add_columns(LAST_CHANGE.scalar_subquery())
    sort = shape.sort or ProjectSort.UPDATED
    by = _SORTED_BY.get(sort.column)
    columns = [Project.id] if by is None else [by, Project.id]
    if shape.begins_later:
        last = [_LAST_ID] if by is None else [sa.bindparam("value", type_=by.type), _LAST_ID]
        place, start = sa.tuple_(*columns), sa.tuple_(*last)
        statement = statement.where(place < start if sort.is_down else place > start)
    order = [column.desc() for column in columns] if sort.is_down else columns
    return statement.order_by(*order).limit(_LIMIT)


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
