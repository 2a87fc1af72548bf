"""A claim on work that only one worker may do at a time."""

from __future__ import annotations

import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from saas_app.db.base import EVERY_ROW, Base


class LeaseRow(Base):
    """The holder of a claim, and the latest time at which the claim ends."""

    __tablename__ = "leases"
    __visible_rows__ = EVERY_ROW

    name: Mapped[str] = mapped_column(sa.String(128), primary_key=True)
    owner: Mapped[uuid.UUID]
    until: Mapped[datetime]
