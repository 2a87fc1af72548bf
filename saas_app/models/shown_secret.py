"""A secret that was just shown. It can be read again for a minute, in the same session."""

from __future__ import annotations

import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from saas_app.db.base import KEY, Base


class ShownSecretRow(Base):
    """A secret by its ``name``, bound to a session and deleted with it."""

    __tablename__ = "shown_secrets"
    __visible_rows__ = f"{KEY} = 'session:' || session_id OR expires_at < now()"
    __table_args__ = (sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], ondelete="CASCADE"),)

    session_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(160), primary_key=True)
    payload: Mapped[bytes] = mapped_column(sa.LargeBinary)  # encrypted
    expires_at: Mapped[datetime] = mapped_column(index=True)
