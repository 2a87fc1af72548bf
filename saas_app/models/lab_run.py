"""What a person predicted in a lesson of the lab, and what happened then."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from saas_app.db.base import KEY, Base


class LabRun(Base):
    """One lesson of one learner. A prediction is stored once, before the learner acts.

    ``class_code`` is the class in which it was made. ``before`` is what the lesson saw at that time, and
    ``evidence`` what it saw afterwards; neither holds a token. ``answer`` follows from the evidence.
    """

    __tablename__ = "lab_runs"
    __visible_rows__ = f"{KEY} = 'person:' || subject OR {KEY} = 'class:' || class_code"

    subject: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    lesson: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    prediction: Mapped[str | None] = mapped_column(sa.String(64))
    predicted_at: Mapped[datetime | None]
    class_code: Mapped[str | None] = mapped_column(sa.String(16), index=True)
    before: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON)
    evidence: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON)
    answer: Mapped[str | None] = mapped_column(sa.String(64))
    done_at: Mapped[datetime | None]
