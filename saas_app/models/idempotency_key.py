"""Results of repeatable requests, so that a request sent twice runs once and gets the same answer."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from saas_app.db.base import Base, TenantOwned


class IdempotencyKey(TenantOwned, Base):
    """A key that a caller chose. ``status`` is None while the first request with it runs."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (
        sa.UniqueConstraint("organization_id", "subject", "key"),
        sa.Index("ix_idempotency_keys_organization_id_claimed_at", "organization_id", "claimed_at"),
    )

    subject: Mapped[str] = mapped_column(sa.String(64))
    key: Mapped[str] = mapped_column(sa.String(255))
    request_hash: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    claimed_at: Mapped[datetime]
    status: Mapped[int | None]
    headers: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON)
    body: Mapped[str | None] = mapped_column(sa.Text)
