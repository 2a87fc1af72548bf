"""A member's request for a role in their organization."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from saas_app.db.base import Base, TenantOwned


class RequestState(StrEnum):
    """What became of a request. A pending one can be decided or withdrawn, once."""

    PENDING = "pending"
    APPROVED = "approved"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class AccessRequest(TenantOwned, Base):
    """A request for one role. A member has at most one pending request for a role.

    ``permission`` is what the member lacked when they asked, or None. ``minutes`` is for how long they need
    the role, or None if they did not say. ``ends_at`` is the end that an approval set, or None for a role
    that does not end.
    """

    __tablename__ = "access_requests"
    __table_args__ = (
        sa.Index(
            "uq_access_requests_pending",
            "organization_id",
            "requester_id",
            "role",
            unique=True,
            sqlite_where=sa.text("state = 'pending'"),
            postgresql_where=sa.text("state = 'pending'"),
        ),
        sa.Index("ix_access_requests_state", "organization_id", "state", "id"),
        sa.Index("ix_access_requests_requester_id", "organization_id", "requester_id", "id"),
    )

    requester_id: Mapped[str] = mapped_column(sa.String(64))
    role: Mapped[str] = mapped_column(sa.String(128))
    permission: Mapped[str | None] = mapped_column(sa.String(64))
    minutes: Mapped[int | None]
    reason: Mapped[str] = mapped_column(sa.String(500))
    state: Mapped[RequestState] = mapped_column(
        sa.Enum(RequestState, native_enum=False, length=16, values_callable=lambda e: [m.value for m in e])
    )
    created_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None] = mapped_column(sa.String(64))
    answer: Mapped[str] = mapped_column(sa.String(500))
    ends_at: Mapped[datetime | None]
