"""Events of an organization. The table is append-only, enforced by the database."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from saas_app.db.base import APPENDED, Base, TenantOwned
from saas_app.db.search import text_index


class ActorType(StrEnum):
    """The kind of actor."""

    PERSON = "person"
    MACHINE = "machine"
    SYSTEM = "system"


class Outcome(StrEnum):
    """Whether the action was allowed."""

    ALLOWED = "allowed"
    DENIED = "denied"


_IS_DENIED: Final = sa.text("outcome = 'denied'")


class AuditEvent(TenantOwned, Base):
    """A change or a denial. A trigger rejects updates and deletions."""

    __tablename__ = "audit_events"
    __granted__ = APPENDED
    __table_args__ = (
        sa.Index("ix_audit_events_organization_id_actor_id_id", "organization_id", "actor_id", "id"),
        sa.Index(
            "ix_audit_events_actor_action",
            "organization_id",
            "actor_id",
            "action",
            "id",
        ),
        sa.Index("ix_audit_events_organization_id_action_id", "organization_id", "action", "id"),
        sa.Index("ix_audit_events_organization_id_target_id_id", "organization_id", "target_id", "id"),
        sa.Index(  # of denials only, which are few, so that other events do not pay for it
            "ix_audit_events_denied",
            "organization_id",
            "id",
            sqlite_where=_IS_DENIED,
            postgresql_where=_IS_DENIED,
        ),
        text_index("ix_audit_events_search", "organization_id", "address", text="target_name"),
        {"sqlite_with_rowid": False},  # a rowid would be a second key, which could be used to replace a row
    )

    occurred_at: Mapped[datetime]
    actor_type: Mapped[ActorType] = mapped_column(
        sa.Enum(ActorType, native_enum=False, length=16, values_callable=lambda e: [m.value for m in e])
    )
    actor_id: Mapped[str] = mapped_column(sa.String(64))
    actor_name: Mapped[str] = mapped_column(sa.String(320))
    # The member for whom the actor acted, in support access.
    behalf_id: Mapped[str | None] = mapped_column(sa.String(64))
    behalf_name: Mapped[str | None] = mapped_column(sa.String(320))
    action: Mapped[str] = mapped_column(sa.String(64))
    target_type: Mapped[str] = mapped_column(sa.String(32))
    target_id: Mapped[str] = mapped_column(sa.String(320))
    target_name: Mapped[str] = mapped_column(sa.String(320))
    before: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON)
    after: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON)
    outcome: Mapped[Outcome] = mapped_column(
        sa.Enum(Outcome, native_enum=False, length=16, values_callable=lambda e: [m.value for m in e])
    )
    decision: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON)
    request_id: Mapped[str] = mapped_column(sa.String(64))
    address: Mapped[str] = mapped_column(sa.String(64))
