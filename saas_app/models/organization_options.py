"""Choices of an organization that Logto has no place for."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from saas_app.db.base import KEY, TENANT, Base


class OrganizationOptions(Base):
    """An organization's choices. An organization without a row has the defaults.

    ``names_approvers``: people who ask for access see the names of the members who can approve it.
    ``support_allowed``: the operator's support team may act for members, until ``support_until`` or, without
    it, until that is turned off. ``support_writes``: it may change projects and tasks, and not only view.
    ``sso_allowed``: the operator lets it connect an identity provider. Its admins cannot change that.
    """

    __tablename__ = "organization_options"
    __visible_rows__ = f"organization_id = {TENANT} OR ({KEY} = 'support:desk' AND support_allowed)"

    organization_id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    names_approvers: Mapped[bool] = mapped_column(default=True, server_default=sa.true())
    support_allowed: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    support_until: Mapped[datetime | None]
    support_writes: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    sso_allowed: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
