"""A verified access token of a session. Each audience has a row, so requests never overwrite another's."""

from __future__ import annotations

import json
import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from saas_app.db.base import Base


class SessionToken(Base):
    """What Logto granted to this session for one audience, or why it refused.

    ``audience`` is ``urn:logto:organization:<id>`` for an organization token and
    ``<indicator>#<id>`` for an API-resource token in an organization.
    """

    __tablename__ = "session_tokens"
    __visible_rows__ = (
        "EXISTS (SELECT FROM sessions WHERE sessions.id = session_tokens.session_id AND "
        "(sessions.expires_at >= now() OR current_setting('workroom.key', true) = 'session:' || sessions.id))"
    )
    __table_args__ = (
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], ondelete="CASCADE"),
        sa.Index("ix_session_tokens_session_id_organization_id", "session_id", "organization_id"),
    )

    session_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    audience: Mapped[str] = mapped_column(sa.String(512), primary_key=True)
    organization_id: Mapped[str] = mapped_column(sa.String(64))
    token: Mapped[bytes | None] = mapped_column(sa.LargeBinary)
    scopes: Mapped[str] = mapped_column(sa.Text)
    role_names: Mapped[str] = mapped_column(sa.Text)  # a JSON list: a role's name may hold anything
    refusal: Mapped[str | None] = mapped_column(sa.String(256))
    fetched_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    # The membership's version when fetching began. The token is stale if the version has changed since.
    membership_version: Mapped[int | None]


def read_role_names(kept: str) -> frozenset[str] | None:
    """Return a row's ``role_names``, or None if they cannot be read. Then the token is fetched again."""
    try:
        names = json.loads(kept)
    except (ValueError, RecursionError):
        return None
    is_list = isinstance(names, list) and all(isinstance(name, str) for name in names)
    return frozenset(names) if is_list else None
