"""A person's session in one browser. The cookie holds a random value, and this table only its hash."""

from __future__ import annotations

import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from saas_app.db.base import KEY, Base, new_uuid


class SessionRow(Base):
    """A signed-in browser. Tokens are encrypted. The session ends at one of two expiry times."""

    __tablename__ = "sessions"
    __visible_rows__ = (
        f"{KEY} IN ('cookie:' || encode(cookie_hash, 'hex'), 'session:' || id, 'person:' || subject, "
        "'sid:' || logto_session_id) OR expires_at < now()"
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_uuid)
    cookie_hash: Mapped[bytes] = mapped_column(sa.LargeBinary(32), unique=True)
    subject: Mapped[str] = mapped_column(sa.String(64), index=True)
    # The browser's session at Logto, as the ID token's ``sid`` names it.
    logto_session_id: Mapped[str | None] = mapped_column(sa.String(128), index=True)
    id_token: Mapped[bytes] = mapped_column(sa.LargeBinary)
    refresh_token: Mapped[bytes | None] = mapped_column(sa.LargeBinary)
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    # The last authorization round trip. From then on, API-resource scopes are frozen in the grant.
    granted_at: Mapped[datetime]
    # When Logto last authenticated the person (``auth_time``). Silent round trips do not change it.
    authenticated_at: Mapped[datetime | None]
    # The reason for the last round trip, "<organization id> <permission>". It is not made twice in a row.
    renewed_for: Mapped[str | None] = mapped_column(sa.String(160))
    user_agent: Mapped[str] = mapped_column(sa.String(256))
    address: Mapped[str] = mapped_column(sa.String(64))
    # After a failed refresh: until when no worker tries again.
    refresh_paused_until: Mapped[datetime | None]
    last_organization_id: Mapped[str | None] = mapped_column(sa.String(64))
    # The enterprise connector through which Logto last authenticated the person, if it did so that way.
    sso_connector_id: Mapped[str | None] = mapped_column(sa.String(64))
