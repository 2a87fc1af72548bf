"""A task of a project."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from enum import StrEnum
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from saas_app.db.base import Base, TenantOwned

_IS_ASSIGNED: Final = sa.text("assignee_id IS NOT NULL")


class TaskStatus(StrEnum):
    """The status of a task."""

    TODO = "todo"
    DOING = "doing"
    DONE = "done"


class Task(TenantOwned, Base):
    """A task in a project of the same organization.

    ``assignee_id`` is a member (:mod:`saas_app.identity.named_members`), or None.
    """

    __tablename__ = "tasks"
    __table_args__ = (
        sa.ForeignKeyConstraint(
            ["organization_id", "project_id"],
            ["projects.organization_id", "projects.id"],
            ondelete="CASCADE",
        ),
        sa.Index(
            "ix_tasks_organization_id_project_id_status_id", "organization_id", "project_id", "status", "id"
        ),
        sa.Index("ix_tasks_organization_id_completed_at", "organization_id", "completed_at"),
        sa.Index(
            "ix_tasks_organization_id_assignee_id_project_id",
            "organization_id",
            "assignee_id",
            "project_id",
            sqlite_where=_IS_ASSIGNED,
            postgresql_where=_IS_ASSIGNED,
        ),
    )

    project_id: Mapped[uuid.UUID]
    title: Mapped[str] = mapped_column(sa.String(200))
    status: Mapped[TaskStatus] = mapped_column(
        sa.Enum(TaskStatus, native_enum=False, length=16, values_callable=lambda e: [m.value for m in e])
    )
    due_on: Mapped[date | None]
    assignee_id: Mapped[str | None] = mapped_column(sa.String(64), info={"names_a_member": True})
    created_by: Mapped[str] = mapped_column(sa.String(64))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)
