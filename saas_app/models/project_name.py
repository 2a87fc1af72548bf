"""The names of projects for searching, apart from the projects.

A project's row changes with each of its tasks, and every index of the row is written again then. The index
for searching has an entry for every three letters, so it is here, where rows change only with the name.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from saas_app.db.base import Base, TenantOwned
from saas_app.db.search import text_index
from saas_app.models.project import FOLDED_LENGTH


class ProjectName(TenantOwned, Base):
    """The folded name of the project with the same ``id``. Triggers on ``projects`` write it."""

    __tablename__ = "project_names"
    __table_args__ = (
        sa.ForeignKeyConstraint(
            ["organization_id", "id"], ["projects.organization_id", "projects.id"], ondelete="CASCADE"
        ),
        text_index("ix_project_names_search", "organization_id", text="folded_name"),
    )

    folded_name: Mapped[str] = mapped_column(sa.String(FOLDED_LENGTH))
