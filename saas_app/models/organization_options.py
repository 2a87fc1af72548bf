"""Choices of an organization that Logto has no place for."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from saas_app.db.base import TENANT, Base


class OrganizationOptions(Base):
    """An organization's choices. An organization without a row has the defaults.

    ``names_approvers``: people who ask for access see the names of the members who can approve it.
    """

    __tablename__ = "organization_options"
    __visible_rows__ = f"organization_id = {TENANT}"

    organization_id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    names_approvers: Mapped[bool] = mapped_column(default=True, server_default=sa.true())
