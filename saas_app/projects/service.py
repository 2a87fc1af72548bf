"""Questions about projects and tasks. The guard on the route has decided that the caller may ask."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Any

from saas_app.db.base import utc_now
from saas_app.db.readings import Reading
from saas_app.db.session import DatabaseSession
from saas_app.errors import NotFound
from saas_app.identity.tenant import Tenant
from saas_app.projects.paging import Order, Place, Portion, first_portion, next_portion
from saas_app.projects.queries import chosen as chosen_queries
from saas_app.projects.queries import project_list as lists
from saas_app.projects.queries import projects as queries
from saas_app.projects.queries import summary as summary_queries
from saas_app.projects.queries import tasks as task_queries
from saas_app.projects.values import (
    DayCount,
    ExportRow,
    ProjectDetail,
    ProjectFilter,
    ProjectKey,
    ProjectRow,
    ProjectSummary,
    StatusFilter,
    TaskKey,
    TaskRow,
    WantedTasks,
)
from saas_app.text.translation import _
from saas_app.text.visible import isolated

_RECENT = 5
_DAYS = 14
_EXPORT_BATCH = 500  # rows per statement


async def page_projects(
    db: DatabaseSession, wanted: ProjectFilter, place: Place[ProjectKey] | None, size: int
) -> Portion[ProjectRow, ProjectKey]:
    """Return a page of ``size`` projects. All pages together miss no project that existed all the time."""
    may_move = wanted.sort.column != "created"
    order: Order[ProjectRow, ProjectKey] = Order(
        key_of=lambda row: row.key(wanted.sort),
        unchanged=lambda place, limit: lists.list_projects(
            db, wanted, place.key, limit, as_of=place.as_of if may_move else None
        ),
        changed=lambda as_of, after, limit: lists.list_changed(db, wanted, as_of, after, limit),
    )
    if not may_move:  # so none is listed at the end
        order = replace(order, changed=_nothing)
    if place is not None:
        return await next_portion(place, size, order)
    rows, last_change = await lists.list_first_projects(db, wanted, size + 1)
    return first_portion(rows, size, last_change, order.key_of)


async def has_projects(db: DatabaseSession) -> bool:
    """Return whether the organization has a project, active or archived."""
    return bool(await lists.list_projects(db, ProjectFilter(status=StatusFilter.ALL), None, 1))


async def _nothing(as_of: datetime, after: uuid.UUID | None, limit: int) -> list[ProjectRow]:
    return []


async def get_project(db: DatabaseSession, tenant: Tenant, project_id: uuid.UUID) -> ProjectDetail:
    """Return a project of the organization. Raises :class:`NotFound`."""
    project = await queries.find_project(db, project_id)
    if project is None:
        raise no_project(tenant)
    return project


def no_project(tenant: Tenant) -> NotFound:
    """Return the error for a project that does not exist in the organization."""
    return NotFound(
        _(
            "%(organization)s has no project with this ID. It may have been deleted.",
            organization=isolated(tenant.organization_name),
        )
    )


async def page_tasks(
    db: DatabaseSession,
    project: ProjectDetail,
    wanted: WantedTasks,
    place: Place[TaskKey] | None,
    size: int,
) -> Portion[TaskRow, TaskKey]:
    """Return a page of ``size`` tasks of a project. Tasks that change between pages come at the end."""
    order: Order[TaskRow, TaskKey] = Order(
        key_of=lambda row: row.key,
        unchanged=lambda place, limit: task_queries.list_tasks(
            db, project.id, wanted, place.key, limit, as_of=place.as_of
        ),
        changed=lambda as_of, after, limit: task_queries.list_changed(
            db, project.id, wanted, as_of, after, limit
        ),
    )
    if place is not None:
        return await next_portion(place, size, order)
    rows = await task_queries.list_tasks(db, project.id, wanted, None, size + 1)
    return first_portion(rows, size, project.updated_at, order.key_of)


async def get_task(db: DatabaseSession, tenant: Tenant, project_id: uuid.UUID, task_id: uuid.UUID) -> TaskRow:
    """Return a task of the project. Raises :class:`NotFound`."""
    task = await task_queries.find_task(db, project_id, task_id)
    if task is None:
        raise NotFound(
            _(
                "%(organization)s has no task with this ID. It may have been deleted.",
                organization=isolated(tenant.organization_name),
            )
        )
    return task


async def find_known_name(db: DatabaseSession, user_id: str) -> str | None:
    """Return the name of a person who did something in the organization, as it is stored here."""
    return await task_queries.find_known_name(db, user_id)


async def list_project_names(db: DatabaseSession, ids: Collection[uuid.UUID]) -> list[str]:
    """Return the names of those of the projects that exist, in the order of ``ids``."""
    found = await chosen_queries.list_project_names(db, ids)
    return [found[project_id] for project_id in ids if project_id in found]


async def list_task_titles(
    db: DatabaseSession, project_id: uuid.UUID, ids: Collection[uuid.UUID]
) -> list[str]:
    """Return the titles of those of the tasks that exist in the project, in the order of ``ids``."""
    found = await chosen_queries.list_task_titles(db, project_id, ids)
    return [found[task_id] for task_id in ids if task_id in found]


def summary(zone: tzinfo = UTC) -> Reading[ProjectSummary]:
    """Return the question for a summary of the organization's projects. Days are those of ``zone``."""
    today = utc_now().astimezone(zone).date()
    days = [today - timedelta(days=ago) for ago in reversed(range(_DAYS))]
    bounds = [datetime.combine(day, time.min, zone) for day in (*days, today + timedelta(days=1))]
    asked = summary_queries.summary(_RECENT, bounds)

    def result_of(rows: Sequence[Sequence[Any]]) -> ProjectSummary:
        found = asked.result_of(rows)
        return ProjectSummary(
            active=found.totals.active,
            archived=found.totals.archived,
            open_tasks=found.totals.open_tasks,
            done_tasks=found.totals.done_tasks,
            recent=found.recent,
            completed_by_day=tuple(
                DayCount(day, count) for day, count in zip(days, found.completed, strict=True)
            ),
        )

    return Reading(asked.statement, asked.values, result_of)


async def summarize(db: DatabaseSession) -> ProjectSummary:
    """Return a summary of the organization's projects, in one statement."""
    return await summary().read(db)


async def export_rows(db: DatabaseSession) -> AsyncIterator[list[ExportRow]]:
    """Yield every project with its tasks, in batches."""
    rows = await summary_queries.list_export_rows(db, None, _EXPORT_BATCH)
    while rows:
        yield rows
        if len(rows) < _EXPORT_BATCH:
            return
        rows = await summary_queries.list_export_rows(db, rows[-1], _EXPORT_BATCH)
