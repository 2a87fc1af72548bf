"""A machine client that was made here: what it is called, and who made it. Logto holds its secrets."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from saas_app.db.base import Base, TenantOwned


class ApiClient(TenantOwned, Base):
    """A projection of a machine application. It stays when the client is revoked, so that what the client
    did keeps a name; whether the client still belongs here, only Logto tells.
    """

    __tablename__ = "api_clients"
    __table_args__ = (sa.UniqueConstraint("organization_id", "client_id"),)

    client_id: Mapped[str] = mapped_column(sa.String(64))
    name: Mapped[str] = mapped_column(sa.String(256))
    created_by: Mapped[str] = mapped_column(sa.String(64))
    created_at: Mapped[datetime]
    rotated_at: Mapped[datetime | None]
