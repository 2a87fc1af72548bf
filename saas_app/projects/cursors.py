"""Cursors for lists of projects and tasks, for pages and the API."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import date, datetime
from typing import Any, Final, TypeVar

from saas_app.errors import BadRequest
from saas_app.projects.paging import Place, Portion
from saas_app.projects.values import ProjectKey, ProjectSort, TaskKey, TaskStatus
from saas_app.web.pagination import INVALID_CURSOR, Page, decode_cursor, encode_cursor

_AMONG_CHANGED: Final = "changed"
_AMONG_UNCHANGED: Final = "standing"

Row = TypeVar("Row")
Key = TypeVar("Key")


def project_page(portion: Portion[Any, ProjectKey], cursor: str | None) -> Page[Any]:
    """Return a page of projects, with the cursor of the next page."""
    return _page(portion, cursor, lambda key: key)


def read_project_place(cursor: str | None, sort: ProjectSort) -> Place[ProjectKey] | None:
    """Read a cursor of :func:`project_page`. Raises :class:`BadRequest`."""
    kind = str if sort.column == "name" else datetime
    return _read(cursor, (kind, uuid.UUID), lambda values: (values[0], values[1]))


def task_page(portion: Portion[Any, TaskKey], cursor: str | None) -> Page[Any]:
    """Return a page of tasks, with the cursor of the next page."""
    return _page(portion, cursor, _task_values)


def read_task_place(cursor: str | None) -> Place[TaskKey] | None:
    """Read a cursor of :func:`task_page`. Raises :class:`BadRequest`."""
    return _read(cursor, (str, str, uuid.UUID), _task_key)


def _task_values(key: TaskKey) -> tuple[Any, ...]:
    status, due_on, task_id = key
    return status.value, due_on.isoformat() if due_on else "", task_id


def _task_key(values: tuple[Any, ...]) -> TaskKey:
    status, due_on, task_id = values
    try:
        return TaskStatus(status), date.fromisoformat(due_on) if due_on else None, task_id
    except ValueError:
        raise BadRequest(INVALID_CURSOR) from None


def _page(
    portion: Portion[Any, Key], cursor: str | None, values_of: Callable[[Key], tuple[Any, ...]]
) -> Page[Any]:
    place, following = portion.following, None
    if place is not None and place.key is not None:
        following = encode_cursor(_AMONG_UNCHANGED, place.as_of, *values_of(place.key))
    elif place is not None and place.changed is not None:
        following = encode_cursor(_AMONG_CHANGED, place.as_of, place.changed)
    return Page(tuple(portion.rows), following, is_first=not cursor)


def _read(
    cursor: str | None, kinds: tuple[type, ...], key_from: Callable[[tuple[Any, ...]], Key]
) -> Place[Key] | None:
    if not cursor:
        return None
    try:
        values = decode_cursor(cursor, str, datetime, *kinds) or ()
    except BadRequest:
        values = decode_cursor(cursor, str, datetime, uuid.UUID) or ()
        if values[:1] == (_AMONG_CHANGED,):
            return Place(values[1], changed=values[2])
        raise
    if values[0] != _AMONG_UNCHANGED:
        raise BadRequest(INVALID_CURSOR)
    return Place(values[1], key_from(values[2:]))
