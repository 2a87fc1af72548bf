"""How a person joined an organization that holds the domain of their address."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from saas_app.db.base import TENANT, Base


class DomainJoin(Base):
    """Whether a member joined because of their email domain. This is decided once, at their first sign-in.

    ``domain`` is None for a member who joined another way. ``provider`` is the name of the identity provider
    if they joined through single sign-on. ``seen_at`` is set when they confirm the notice.
    """

    __tablename__ = "domain_joins"
    __visible_rows__ = f"organization_id = {TENANT}"

    organization_id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    domain: Mapped[str | None] = mapped_column(sa.String(128))
    provider: Mapped[str | None] = mapped_column(sa.String(64))
    noted_at: Mapped[datetime]
    seen_at: Mapped[datetime | None]
