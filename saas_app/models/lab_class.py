"""Classes of the lab, which a teacher starts and learners join."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from saas_app.db.base import KEY, Base


class LabClass(Base):
    """A class. ``revealed`` lists the lessons whose predictions the teacher has shown to all."""

    __tablename__ = "lab_classes"
    __visible_rows__ = f"{KEY} = 'class:' || code OR {KEY} = 'person:' || teacher"

    code: Mapped[str] = mapped_column(sa.String(16), primary_key=True)
    teacher: Mapped[str] = mapped_column(sa.String(64), index=True)
    title: Mapped[str] = mapped_column(sa.String(128))
    created_at: Mapped[datetime] = mapped_column(index=True)
    revealed: Mapped[list[str]] = mapped_column(sa.JSON)
    closed_at: Mapped[datetime | None]
