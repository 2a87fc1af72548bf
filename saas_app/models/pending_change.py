"""A change in Logto that was begun here and whose result is not known yet."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from saas_app.db.base import Base, TenantOwned
from saas_app.db.json_texts import json_texts
from saas_app.models.membership_change import EVERYONE


class PendingChange(TenantOwned, Base):
    """A note written before Logto is called. It is deleted with the audit event or by ``reconcile``."""

    __tablename__ = "pending_changes"

    entry: Mapped[dict[str, Any]] = mapped_column(sa.JSON)  # the future audit event
    # People and machines whose memberships it touches. MembershipChange explains the column's name.
    subjects: Mapped[list[str]] = mapped_column("user_ids", sa.JSON, key="subjects")
    started_at: Mapped[datetime]

    @classmethod
    def touches(
        cls, organization_id: sa.SQLColumnExpression[str], subject: sa.SQLColumnExpression[str]
    ) -> sa.ColumnElement[bool]:
        """Match if a change of this membership has begun whose result is not known.

        A note whose ``user_ids`` cannot be read counts for everyone.
        """
        touched = json_texts(cls.subjects, otherwise=EVERYONE)
        return (
            sa.select(sa.literal(1))
            .select_from(cls)
            .join(touched, sa.true())
            .where(cls.organization_id == organization_id, touched.c.value.in_((subject, EVERYONE)))
            .correlate_except(cls, touched)
            .exists()
        )
