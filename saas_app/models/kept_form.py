"""A form that waits until its sender has signed in again, or renewed their access."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from saas_app.db.base import Base


class KeptFormRow(Base):
    """Keyed by the hash of a random handle, bound to the browser and to the person who typed it."""

    __tablename__ = "kept_forms"

    handle_hash: Mapped[bytes] = mapped_column(sa.LargeBinary(32), primary_key=True)
    browser_hash: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    owner: Mapped[str] = mapped_column(sa.String(64), index=True)
    # Encrypted JSON: where it goes, its fields, and whether files were left out.
    payload: Mapped[bytes] = mapped_column(sa.LargeBinary)
    kept_at: Mapped[datetime]
    # When it was shown first: from then on it may have been sent, so it is not sent again by itself.
    shown_at: Mapped[datetime | None]
    expires_at: Mapped[datetime] = mapped_column(index=True)
