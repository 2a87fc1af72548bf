"""Who appears in an organization's audit log: a short list, so that a search by name reads no events."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from saas_app.db.base import APPENDED, Base, TenantOwned


class AuditActor(TenantOwned, Base):
    """An actor with one of the names that events have for them.

    A trigger on ``audit_events`` adds the row with the first such event, whose ``id`` it gets. Like events,
    rows are never changed or deleted.
    """

    __tablename__ = "audit_actors"
    __granted__ = APPENDED
    __table_args__ = (sa.UniqueConstraint("organization_id", "actor_id", "name"),)

    actor_id: Mapped[str] = mapped_column(sa.String(64))
    name: Mapped[str] = mapped_column(sa.String(320))
