"""A projection of Logto's organization, for display and joins. Logto is the source of truth."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from saas_app.db.base import NAMED_IN_KEY, TENANT, Base


class Organization(Base):
    """An organization's name, logo and color, as last seen. Pages check the logo and the color again."""

    __tablename__ = "organizations"
    __visible_rows__ = f"id = {TENANT} OR {NAMED_IN_KEY.format('id')}"

    id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(128))
    description: Mapped[str | None] = mapped_column(sa.String(256))
    logo: Mapped[str | None] = mapped_column(sa.String(2048))
    dark_logo: Mapped[str | None] = mapped_column(sa.String(2048))
    color: Mapped[str | None] = mapped_column(sa.String(7))
    seen_at: Mapped[datetime]
