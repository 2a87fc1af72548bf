"""When a membership last changed, as far as is known. A change makes cached tokens stale."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from saas_app.db.base import TENANT, Base

EVERYONE = "*"
"""As ``subject``: every membership of the organization changed, as when it is deleted."""

EVERYWHERE = "*"
"""As ``organization_id``: in every organization; with EVERYONE, the meaning of any role may have changed."""


class MembershipChange(Base):
    """The known changes of one membership, of a person or a machine.

    Rows are written by :mod:`saas_app.identity.membership_changes`.

    ``version``, which counts the changes, decides freshness, because the clocks of hosts and databases may
    differ. ``changed_at`` is for people. Bearer tokens that Logto issued before the second ``issued_before``
    of its own clock are older than the last change, and those after ``issued_after`` are newer.
    """

    __tablename__ = "membership_changes"
    __visible_rows__ = f"organization_id IN ({TENANT}, '*')"

    organization_id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    # The column keeps its original name: workers of an older release write it during a rollout.
    subject: Mapped[str] = mapped_column("user_id", sa.String(64), key="subject", primary_key=True)
    changed_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    issued_before: Mapped[int | None] = mapped_column(sa.BigInteger)
    issued_after: Mapped[int | None] = mapped_column(sa.BigInteger)

    @classmethod
    def touches(
        cls, organization_id: str | sa.SQLColumnExpression[str], subject: sa.SQLColumnExpression[str]
    ) -> sa.ColumnElement[bool]:
        """Match the rows about this membership, including those for everyone or for all organizations."""
        return sa.and_(
            cls.organization_id.in_((organization_id, EVERYWHERE)), cls.subject.in_((subject, EVERYONE))
        )
