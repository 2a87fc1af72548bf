"""Handled deliveries of Logto's webhooks. Each is processed once."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from saas_app.db.base import EVERY_ROW, Base


class WebhookDelivery(Base):
    """The hash of an accepted body."""

    __tablename__ = "webhook_deliveries"
    __visible_rows__ = EVERY_ROW

    body_hash: Mapped[bytes] = mapped_column(sa.LargeBinary(32), primary_key=True)
    received_at: Mapped[datetime] = mapped_column(index=True)
