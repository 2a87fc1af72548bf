"""Pages of projects and of tasks through which one walks without missing anything."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from saas_app.db.base import utc_now
from saas_app.projects import queries, task_queries
from saas_app.projects.moments import find_last_change
from saas_app.projects.paging import Order, Place, Portion, first_portion, next_portion
from saas_app.projects.queries import ProjectDetail, ProjectFilter, ProjectKey, ProjectRow, ProjectSort
from saas_app.projects.task_queries import TaskFilter, TaskKey, TaskRow


async def page_projects(
    db: AsyncSession, wanted: ProjectFilter, place: Place[ProjectKey] | None, size: int
) -> Portion[ProjectRow, ProjectKey]:
    """A page of ``size`` projects: none that was there all along is missed, whatever is touched meanwhile."""
    order: Order[ProjectRow, ProjectKey] = Order(
        key_of=lambda row: row.key(wanted.sort),
        standing=lambda place, limit: queries.list_projects(
            db, wanted, place.key, limit, as_of=None if wanted.sort is ProjectSort.CREATED else place.as_of
        ),
        changed=lambda as_of, after, limit: queries.list_touched(db, wanted, as_of, after, limit),
    )
    if wanted.sort is ProjectSort.CREATED:  # nothing moves, so nothing comes at the end
        order = replace(order, changed=_nothing)
    if place is not None:
        return await next_portion(place, size, order)
    as_of = await find_last_change(db) if wanted.sort is ProjectSort.NAME else None
    rows = await queries.list_projects(db, wanted, None, size + 1)
    return first_portion(rows, size, as_of or (rows[0].updated_at if rows else utc_now()), order.key_of)


async def _nothing(as_of: datetime, after: uuid.UUID | None, limit: int) -> list[ProjectRow]:
    return []


async def page_tasks(
    db: AsyncSession, project: ProjectDetail, shown: TaskFilter, place: Place[TaskKey] | None, size: int
) -> Portion[TaskRow, TaskKey]:
    """A page of ``size`` tasks of a project as it was just read: what changes meanwhile comes at the end."""
    order: Order[TaskRow, TaskKey] = Order(
        key_of=lambda row: row.key,
        standing=lambda place, limit: task_queries.list_tasks(
            db, project.id, shown, place.key, limit, as_of=place.as_of
        ),
        changed=lambda as_of, after, limit: task_queries.list_changed(
            db, project.id, shown, as_of, after, limit
        ),
    )
    if place is not None:
        return await next_portion(place, size, order)
    rows = await task_queries.list_tasks(db, project.id, shown, None, size + 1)
    return first_portion(rows, size, project.updated_at, order.key_of)
