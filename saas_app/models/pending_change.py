"""A change of Logto that was begun here and whose end is not yet known."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from saas_app.db.base import Base, TenantOwned


class PendingChange(TenantOwned, Base):
    """Written before Logto is called, removed with the audit event; what is left over is reconciled."""

    __tablename__ = "pending_changes"

    entry: Mapped[dict[str, Any]] = mapped_column(sa.JSON)  # the audit event to be
    user_ids: Mapped[list[str]] = mapped_column(sa.JSON)  # whose memberships it touches
    started_at: Mapped[datetime]
