"""When a membership last changed, as far as we know: what makes cached tokens stale."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from saas_app.db.base import Base

EVERYONE = "*"
"""As ``user_id``: every membership of the organization changed, as when it is deleted."""

EVERYWHERE = "*"
"""As ``organization_id``: in every organization; with EVERYONE, whatever a role means may have changed."""


class MembershipChange(Base):
    """Tokens of this person for this organization fetched before ``changed_at`` answer no more."""

    __tablename__ = "membership_changes"

    organization_id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    changed_at: Mapped[datetime]

    @classmethod
    def touches(
        cls, organization_id: str | sa.ColumnElement[str], user_id: sa.SQLColumnExpression[str]
    ) -> sa.ColumnElement[bool]:
        """Whether a row tells of this membership: by name, of everyone's here, or of theirs everywhere."""
        return sa.and_(
            cls.organization_id.in_((organization_id, EVERYWHERE)), cls.user_id.in_((user_id, EVERYONE))
        )
