"""Deliveries of Logto's webhooks that were handled: each is acted on once."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from saas_app.db.base import Base


class WebhookDelivery(Base):
    """The hash of a body that was accepted."""

    __tablename__ = "webhook_deliveries"

    body_hash: Mapped[bytes] = mapped_column(sa.LargeBinary(32), primary_key=True)
    received_at: Mapped[datetime] = mapped_column(index=True)
