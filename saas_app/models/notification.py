"""Notifications of a person about their memberships, requests for access and support access."""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from saas_app.db.base import KEY, TENANT, Base, new_uuid


class NotificationKind(StrEnum):
    """What a notification tells."""

    INVITED = "invited"
    ROLES_CHANGED = "roles changed"
    REMOVED = "removed"
    JOINED = "joined"
    ROLE_ENDED = "role ended"
    ACCESS_REQUESTED = "access requested"
    ACCESS_APPROVED = "access approved"
    ACCESS_DECLINED = "access declined"
    SUPPORT_STARTED = "support started"
    SUPPORT_ENDED = "support ended"


class Notification(Base):
    """A notification for one person, with the name that the organization had then.

    ``cause`` names the change, so that one change creates one notification. ``details`` holds values such as
    role names; pages make a text of them in the language of the reader.
    """

    __tablename__ = "notifications"
    # Those caused in the organization, and those of the person of the key or of a visible session.
    __visible_rows__ = " OR ".join(
        (
            f"organization_id = {TENANT}",
            f"{KEY} = 'person:' || user_id",
            "EXISTS (SELECT FROM sessions WHERE sessions.subject = notifications.user_id "
            "AND sessions.expires_at >= now())",
        )
    )
    __visible_copied_rows__ = " OR ".join(
        (
            f"organization_id = {TENANT}",
            f"{KEY} = 'person:' || user_id",
            f"{KEY} LIKE 'cookie:%'",
            f"{KEY} LIKE 'session:%'",
        )
    )
    __table_args__ = (
        sa.UniqueConstraint("user_id", "cause"),
        # The ones that every page of a person looks for; most people have none.
        sa.Index(
            "ix_notifications_unread",
            "user_id",
            postgresql_where=sa.text("read_at IS NULL"),
            sqlite_where=sa.text("read_at IS NULL"),
        ),
        # The ones whose email waits: looked for every few seconds, and almost always none.
        sa.Index(
            "ix_notifications_email_due_at",
            "email_due_at",
            postgresql_where=sa.text("email_due_at IS NOT NULL"),
            sqlite_where=sa.text("email_due_at IS NOT NULL"),
        ),
    )

    user_id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_uuid)
    organization_id: Mapped[str] = mapped_column(sa.String(64), index=True)
    organization_name: Mapped[str] = mapped_column(sa.String(128))
    kind: Mapped[NotificationKind] = mapped_column(
        sa.Enum(
            NotificationKind, native_enum=False, length=16, values_callable=lambda e: [m.value for m in e]
        )
    )
    details: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    cause: Mapped[str] = mapped_column(sa.String(160))
    created_at: Mapped[datetime] = mapped_column(index=True)
    read_at: Mapped[datetime | None]
    # When its email is tried next, and how often it was tried. None: there is nothing to send.
    email_due_at: Mapped[datetime | None]
    email_attempts: Mapped[int] = mapped_column(default=0, server_default="0")
