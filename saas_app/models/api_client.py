"""An API client that was created here: its name and its creator. Logto holds its secrets."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from saas_app.db.base import Base, TenantOwned


class ApiClient(TenantOwned, Base):
    """A projection of a machine application at Logto.

    The row stays when the client is revoked, so that its past actions keep a name. Only Logto knows whether
    the client still belongs to the organization.
    """

    __tablename__ = "api_clients"
    __table_args__ = (sa.UniqueConstraint("organization_id", "client_id"),)

    client_id: Mapped[str] = mapped_column(sa.String(64))
    name: Mapped[str] = mapped_column(sa.String(256))
    created_by: Mapped[str] = mapped_column(sa.String(64))
    created_at: Mapped[datetime]
    rotated_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]  # to a quarter of an hour
