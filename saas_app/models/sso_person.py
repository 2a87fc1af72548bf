"""People of an organization's identity provider, and how Logto knows them."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from saas_app.db.base import Base, TenantOwned


class SsoPerson(TenantOwned, Base):
    """A person at the identity provider of an organization.

    ``company_subject`` is their ``sub`` there, ``subject`` the one that we say to Logto. ``user_id`` is the
    account that Logto has linked to ``subject``, or None while that is not known.
    """

    __tablename__ = "sso_people"
    __table_args__ = (
        sa.UniqueConstraint("organization_id", "company_subject"),
        sa.UniqueConstraint("organization_id", "subject"),
    )

    company_subject: Mapped[str] = mapped_column(sa.String(255))
    subject: Mapped[str] = mapped_column(sa.String(64))
    user_id: Mapped[str | None] = mapped_column(sa.String(64))
