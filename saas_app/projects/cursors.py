"""Where a page of projects or of tasks begins, as an opaque text: for pages and programs alike."""

from __future__ import annotations

import uuid
from datetime import date, datetime

from saas_app.errors import BadRequest
from saas_app.projects.service import ProjectKey, ProjectRow, ProjectSort, TaskKey, TaskRow, TaskStatus
from saas_app.web.pagination import decode_cursor, encode_cursor


def project_cursor(row: ProjectRow, sort: ProjectSort) -> str:
    """The place behind a project in a list sorted like this."""
    return encode_cursor(*row.key(sort))


def read_project_cursor(cursor: str | None, sort: ProjectSort) -> ProjectKey | None:
    """What :func:`project_cursor` made. Raises :class:`BadRequest`."""
    values = decode_cursor(cursor, str if sort is ProjectSort.NAME else datetime, uuid.UUID)
    return None if values is None else (values[0], values[1])


def task_cursor(row: TaskRow) -> str:
    """The place behind a task."""
    status, due_on, task_id = row.key
    return encode_cursor(status.value, due_on.isoformat(), task_id)


def read_task_cursor(cursor: str | None) -> TaskKey | None:
    """What :func:`task_cursor` made. Raises :class:`BadRequest`."""
    values = decode_cursor(cursor, str, str, uuid.UUID)
    if values is None:
        return None
    try:
        return TaskStatus(values[0]), date.fromisoformat(values[1]), values[2]
    except ValueError:
        raise BadRequest("This page address is not valid any more. Start at the first page.") from None
