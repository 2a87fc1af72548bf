"""An organization that was deleted in Logto, and whose data here is being deleted."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from saas_app.db.base import NAMED_IN_KEY, TENANT, Base


class OrganizationRemoval(Base):
    """Work in the background, resumed after a restart until ``finished_at`` is set."""

    __tablename__ = "organization_removals"
    __visible_rows__ = f"organization_id = {TENANT} OR {NAMED_IN_KEY.format('organization_id')}"

    organization_id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    organization_name: Mapped[str] = mapped_column(sa.String(128))
    requested_at: Mapped[datetime]
    requested_by: Mapped[str] = mapped_column(sa.String(64))
    removed: Mapped[dict[str, int]] = mapped_column(sa.JSON, default=dict)  # rows so far, by table
    finished_at: Mapped[datetime | None]
