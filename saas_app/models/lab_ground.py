"""The two organizations in which a person learns in the lab."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from saas_app.db.base import KEY, Base


class GroundState(StrEnum):
    """How far a ground is made."""

    BUILDING = "building"
    READY = "ready"
    REMOVING = "removing"


class LabGround(Base):
    """A learner's ground. An id is stored as soon as Logto has made the organization, so none is lost."""

    __tablename__ = "lab_grounds"
    __visible_rows__ = f"{KEY} = 'person:' || subject"

    subject: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    state: Mapped[GroundState] = mapped_column(
        sa.Enum(GroundState, native_enum=False, length=16, values_callable=lambda e: [m.value for m in e])
    )
    # The organization in which the learner is an admin, and the one in which they are a viewer.
    admin_organization_id: Mapped[str | None] = mapped_column(sa.String(64))
    viewer_organization_id: Mapped[str | None] = mapped_column(sa.String(64))
    created_at: Mapped[datetime]
    used_at: Mapped[datetime] = mapped_column(index=True)
