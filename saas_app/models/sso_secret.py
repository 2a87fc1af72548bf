"""The secret with which an organization's identity provider knows us."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from saas_app.db.base import Base, TenantOwned


class SsoSecret(TenantOwned, Base):
    """The secret of our client at the identity provider of an organization, encrypted. There is at most one.

    It is apart from :class:`saas_app.models.SsoConnection`, which requests and pages read.
    """

    __tablename__ = "sso_secrets"
    __table_args__ = (sa.UniqueConstraint("organization_id"),)

    client_secret: Mapped[bytes] = mapped_column(sa.LargeBinary)
