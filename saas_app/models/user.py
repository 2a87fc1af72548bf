"""A projection of Logto's user, for display and joins. Logto is the source of truth."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Mapped, mapped_column

from saas_app.db.base import KEY, TENANT, Base


class User(Base):
    """A person's name and addresses, as last seen in claims or the Management API, and their settings."""

    __tablename__ = "users"
    # The person of the key, the holder of a visible session, people who acted in the organization, and
    # members to whom its tasks are assigned.
    __visible_rows__ = " OR ".join(
        (
            f"{KEY} = 'person:' || id",
            "EXISTS (SELECT FROM sessions WHERE sessions.subject = users.id AND expires_at >= now())",
            "EXISTS (SELECT FROM audit_actors WHERE audit_actors.actor_id = users.id)",
            "EXISTS (SELECT FROM tasks WHERE tasks.assignee_id = users.id)",
        )
    )
    __visible_copied_rows__ = " OR ".join(
        (
            f"{KEY} = 'person:' || id",
            f"{KEY} LIKE 'cookie:%'",
            f"{KEY} LIKE 'session:%'",
            f"{TENANT} <> ''",
        )
    )

    id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    username: Mapped[str | None] = mapped_column(sa.String(128))
    name: Mapped[str | None] = mapped_column(sa.String(256))
    email: Mapped[str | None] = mapped_column(sa.String(320))
    picture: Mapped[str | None] = mapped_column(sa.String(2048))
    seen_at: Mapped[datetime]
    # Chosen in Workroom: "" is automatic, None was never chosen. Logto knows nothing of them.
    language: Mapped[str | None] = mapped_column(sa.String(35))
    zone: Mapped[str | None] = mapped_column(sa.String(64))
    theme: Mapped[str | None] = mapped_column(sa.String(8))
    # The language of emails about memberships, for those whose language is automatic. "" or None: no emails.
    email_language: Mapped[str | None] = mapped_column(sa.String(35))

    @classmethod
    def display_name(
        cls, *fallbacks: sa.ColumnElement[str] | InstrumentedAttribute[Any]
    ) -> sa.ColumnElement[str]:
        """Return the SQL of the name for display: name, else username, else email, else a fallback."""
        return sa.func.coalesce(cls.name, cls.username, cls.email, *fallbacks)
