"""Statements on one project, and changes of it. :mod:`saas_app.projects.queries.project_list` lists them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from saas_app.db.base import utc_now
from saas_app.db.rows import changed
from saas_app.db.session import DatabaseSession, WritingSession
from saas_app.models import ApiClient, Project, Task, User
from saas_app.models.project import fold_name
from saas_app.projects.values import ProjectDetail, ProjectStatus, TaskStatus

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


OPEN_TASKS = _count_tasks(TaskStatus.TODO, TaskStatus.DOING)

DONE_TASKS = _count_tasks(TaskStatus.DONE)

_MAKER = sa.and_(
    ApiClient.organization_id == Project.organization_id, ApiClient.client_id == Project.created_by
)


DETAILS: sa.Select[*tuple[Any, ...]] = (
    sa.select(
        Project.id,
        Project.name,
        Project.description,
        Project.status,
        User.display_name(ApiClient.name, Project.created_by),
        Project.created_at,
        Project.updated_at,
        Project.version,
        OPEN_TASKS,
        DONE_TASKS,
    )
    .outerjoin(User, User.id == Project.created_by)
    .outerjoin(ApiClient, _MAKER)
)

_DETAIL = DETAILS.where(Project.id == _ID)


@dataclass(frozen=True, slots=True)
class HeldProject:
    """A project that is locked, and the moment of the change that holds it."""

    name: str
    status: ProjectStatus
    moment: datetime


LAST_CHANGE = sa.select(sa.func.max(Project.updated_at))

_HELD = (
    sa.select(Project.name, Project.status, LAST_CHANGE.scalar_subquery().label("last_change"))
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
    moment: datetime | None = await db.scalar(LAST_CHANGE)
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
