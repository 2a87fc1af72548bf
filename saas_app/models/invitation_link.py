"""The emailed link of an invitation, for as long as it can sign in the invited person."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from saas_app.db.base import Base, TenantOwned


class InvitationLink(TenantOwned, Base):
    """The newest emailed link of an invitation: the hash of its secret, its end, and when it was used.

    An invitation has at most one row, so a newer link replaces the older one.
    """

    __tablename__ = "invitation_links"
    __table_args__ = (sa.UniqueConstraint("organization_id", "invitation_id"),)

    invitation_id: Mapped[str] = mapped_column(sa.String(64))  # its id in Logto
    secret_hash: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    expires_at: Mapped[datetime]
    # When somebody pressed the button of the page. It is used once.
    used_at: Mapped[datetime | None]
