"""Statements on all projects of an organization: the overview, and the export."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from saas_app.db.session import DatabaseSession
from saas_app.models import Project, Task
from saas_app.projects.values import (
    ExportRow,
    ProjectStatus,
    RecentProject,
    TaskStatus,
    Totals,
)


async def get_totals(db: DatabaseSession) -> Totals:
    """Count the organization's projects, and the tasks of active projects, in one statement."""
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


async def list_recent_projects(db: DatabaseSession, limit: int) -> list[RecentProject]:
    """Return the active projects with the latest changes."""
    statement = (
        sa.select(Project.id, Project.name, Project.updated_at)
        .where(Project.status == ProjectStatus.ACTIVE)
        .order_by(Project.updated_at.desc(), Project.id.desc())
        .limit(limit)
    )
    return [RecentProject(*row) for row in await db.execute(statement)]


async def count_completed_between(db: DatabaseSession, bounds: Sequence[datetime]) -> list[int]:
    """Count the tasks completed from each of ``bounds`` to the next, in one statement."""
    spans = list(pairwise(bounds))
    counts = [_count_where((Task.completed_at >= start) & (Task.completed_at < end)) for start, end in spans]
    statement: sa.Select[*tuple[Any, ...]] = sa.select(*counts).where(
        Task.completed_at >= bounds[0], Task.completed_at < bounds[-1]
    )
    return list((await db.execute(statement)).one())


async def list_export_rows(db: DatabaseSession, after: ExportRow | None, limit: int) -> list[ExportRow]:
    """Return at most ``limit`` rows after ``after``, or from the start. The oldest project comes first."""
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
        .order_by(Project.id, Task.id)  # ids never change, so no row is exported twice
        .limit(limit)
    )
    if after is not None:
        further = sa.false() if after.task_id is None else Task.id > after.task_id
        statement = statement.where(Project.id >= after.project_id, (Project.id > after.project_id) | further)
    return [ExportRow(*row) for row in await db.execute(statement)]
