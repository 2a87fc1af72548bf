"""A project of an organization."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from saas_app.db.base import Base, TenantOwned
from saas_app.text.order import fold

FOLDED_LENGTH = 360  # a character may become several


class ProjectStatus(StrEnum):
    """The status of a project."""

    ACTIVE = "active"
    ARCHIVED = "archived"


def fold_name(name: str) -> str:
    """Return a name in the form used for searching and sorting, the same on every database."""
    return fold(name)[:FOLDED_LENGTH]


class Project(TenantOwned, Base):
    """A project. ``version`` grows with every edit; an edit of an older version gets a 409.

    ``updated_at`` is when the project or one of its tasks last changed.
    """

    __tablename__ = "projects"
    __table_args__ = (
        sa.Index("ix_projects_organization_id_updated_at_id", "organization_id", "updated_at", "id"),
        sa.Index("ix_projects_organization_id_folded_name_id", "organization_id", "folded_name", "id"),
        sa.Index(
            "ix_projects_organization_id_status_updated_at_id",
            "organization_id",
            "status",
            "updated_at",
            "id",
        ),
        sa.Index(
            "ix_projects_organization_id_status_folded_name_id",
            "organization_id",
            "status",
            "folded_name",
            "id",
        ),
    )

    name: Mapped[str] = mapped_column(sa.String(120))
    folded_name: Mapped[str] = mapped_column(sa.String(FOLDED_LENGTH))
    description: Mapped[str] = mapped_column(sa.String(2000), default="")
    status: Mapped[ProjectStatus] = mapped_column(
        sa.Enum(ProjectStatus, native_enum=False, length=16, values_callable=lambda e: [m.value for m in e])
    )
    created_by: Mapped[str] = mapped_column(sa.String(64))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)
