"""Ended memberships. Former members see that their membership ended; strangers learn nothing."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from saas_app.db.base import KEY, TENANT, Base


class Ending(StrEnum):
    """How a membership ended, as far as is known."""

    REMOVED = "removed"
    LEFT = "left"
    UNKNOWN = "unknown"


class FormerMembership(Base):
    """A person who belonged to an organization until ``ended_at``, with the name it had for them."""

    __tablename__ = "former_memberships"
    __visible_rows__ = f"organization_id = {TENANT} OR {KEY} = 'person:' || user_id"

    organization_id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(sa.String(64), primary_key=True, index=True)
    organization_name: Mapped[str] = mapped_column(sa.String(128))
    ending: Mapped[Ending] = mapped_column(
        sa.Enum(Ending, native_enum=False, length=16, values_callable=lambda e: [m.value for m in e])
    )
    ended_at: Mapped[datetime]
