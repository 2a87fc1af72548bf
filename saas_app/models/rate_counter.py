"""Counters for limits of a day. They survive restarts, and all workers share them."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from saas_app.db.base import EVERY_ROW, Base


class RateCounter(Base):
    """How often something was done in one window. ``key`` is a hash, because it may stand for an address."""

    __tablename__ = "rate_counters"
    __visible_rows__ = EVERY_ROW

    key: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    used: Mapped[int]
    until: Mapped[datetime] = mapped_column(index=True)
