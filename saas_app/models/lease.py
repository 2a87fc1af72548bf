"""A claim on something only one may do at a time, on any worker."""

from __future__ import annotations

import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from saas_app.db.base import Base


class LeaseRow(Base):
    """Who holds the claim, and until when at the latest."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(sa.String(128), primary_key=True)
    owner: Mapped[uuid.UUID]
    until: Mapped[datetime]
