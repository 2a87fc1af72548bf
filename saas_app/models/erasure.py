"""A person whose data was erased, and the pseudonym that replaces them."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from saas_app.db.base import EVERY_ROW, NOTHING, Base

PSEUDONYM: Final = "erased-"
"""The beginning of every pseudonym. No id of Logto's contains a hyphen."""


class Erasure(Base):
    """An erasure, by the SHA-256 of the person's id, so that repeating it uses the same pseudonym."""

    __tablename__ = "erasures"
    __visible_rows__ = EVERY_ROW
    __granted__ = NOTHING

    subject_hash: Mapped[bytes] = mapped_column(sa.LargeBinary(32), primary_key=True)
    pseudonym: Mapped[str] = mapped_column(sa.String(64), unique=True)
    begun_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
