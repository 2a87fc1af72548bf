"""Learners who joined a class of the lab."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from saas_app.db.base import KEY, Base


class LabClassMember(Base):
    """A learner in a class. ``name`` is None unless the learner lets the teacher see it."""

    __tablename__ = "lab_class_members"
    __visible_rows__ = f"{KEY} = 'class:' || code OR {KEY} = 'person:' || subject"

    code: Mapped[str] = mapped_column(sa.String(16), primary_key=True)
    subject: Mapped[str] = mapped_column(sa.String(64), primary_key=True, index=True)
    joined_at: Mapped[datetime]
    name: Mapped[str | None] = mapped_column(sa.String(128))
