"""When a member's role ends. Logto has the role itself, and knows no end."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from saas_app.db.base import TENANT, Base


class RoleEnd(Base):
    """The end of a role that a member has for a time.

    From ``ends_at`` on, the guard ignores the role. The row stays until Logto has taken the role away. The
    session of every request reads it, and a job reads those of all organizations, so the table is not
    confined to a tenant.
    """

    __tablename__ = "role_ends"
    __visible_rows__ = f"organization_id = {TENANT}"

    organization_id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    role: Mapped[str] = mapped_column(sa.String(128), primary_key=True)  # its name in Logto
    ends_at: Mapped[datetime] = mapped_column(index=True)
    given_by: Mapped[str] = mapped_column(sa.String(64))  # the person or program that set the end
    given_at: Mapped[datetime]
