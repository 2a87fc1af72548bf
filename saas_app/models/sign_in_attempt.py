"""A sign-in that has begun: what the callback must match. Each ``state`` has one row."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from saas_app.db.base import EVERY_ROW, Base


class SignInAttemptRow(Base):
    """An attempt, keyed by the hash of ``state``, so that two tabs both succeed, and bound to the browser."""

    __tablename__ = "sign_in_attempts"
    __visible_rows__ = EVERY_ROW  # encrypted; nobody is known yet

    state_hash: Mapped[bytes] = mapped_column(sa.LargeBinary(32), primary_key=True)
    browser_hash: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    # Encrypted JSON: code verifier, nonce, redirect URI, next page. After the callback: its outcome.
    payload: Mapped[bytes] = mapped_column(sa.LargeBinary)
    # When its callback began. It is completed once.
    taken_at: Mapped[datetime | None]
    expires_at: Mapped[datetime] = mapped_column(index=True)
