"""Role-play members of a learner's organizations: accounts in Logto that the lab signs in."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from saas_app.db.base import KEY, Base


class LabPlayer(Base):
    """A role-play member. ``secrets`` is encrypted JSON: password, cookies at Logto, and tokens."""

    __tablename__ = "lab_players"
    __visible_rows__ = f"{KEY} = 'person:' || subject"

    subject: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(16), primary_key=True)
    user_id: Mapped[str] = mapped_column(sa.String(64))
    username: Mapped[str] = mapped_column(sa.String(128))
    secrets: Mapped[bytes] = mapped_column(sa.LargeBinary)
