"""A form that waits until its sender has signed in again, or renewed their access."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from saas_app.db.base import KEY, Base


class KeptFormRow(Base):
    """A stored form, keyed by the hash of a random handle, and bound to a browser and to its sender."""

    __tablename__ = "kept_forms"
    __visible_rows__ = f"{KEY} = 'person:' || owner OR expires_at < now()"

    handle_hash: Mapped[bytes] = mapped_column(sa.LargeBinary(32), primary_key=True)
    browser_hash: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    owner: Mapped[str] = mapped_column(sa.String(64), index=True)
    # Encrypted JSON: the form's action, its fields, and whether files were left out.
    payload: Mapped[bytes] = mapped_column(sa.LargeBinary)
    kept_at: Mapped[datetime]
    # When it was first shown. It may have been sent since, so it is not sent again automatically.
    shown_at: Mapped[datetime | None]
    expires_at: Mapped[datetime] = mapped_column(index=True)
