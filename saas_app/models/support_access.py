"""Support access: a member of the operator's support team acts for a member of another organization."""

from __future__ import annotations

import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from saas_app.db.base import KEY, TENANT, Base, new_uuid


class SupportAccess(Base):
    """Ten minutes in which ``agent_id``, of the support team, acts for ``member_id`` in one organization.

    The agent's browser has a second cookie, and this table its hash, which counts only together with the
    session ``agent_session_id``. Scopes are what Logto granted in tokens with both names. The two versions
    are those of the memberships at the start: of the member here, and of the agent in the organization
    *Support*. A change of either ends the access.

    ``ended_by`` is the person who ended it before ``ends_at``. Agents find their own rows in all
    organizations, so the table is not confined to a tenant.
    """

    __tablename__ = "support_accesses"
    __visible_rows__ = f"organization_id = {TENANT} OR {KEY} = 'person:' || agent_id"
    __table_args__ = (
        sa.Index("ix_support_accesses_agent_id", "agent_id", "id"),
        sa.Index("ix_support_accesses_member_id", "organization_id", "member_id", "id"),
    )

    organization_id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_uuid)
    cookie_hash: Mapped[bytes] = mapped_column(sa.LargeBinary(32), unique=True)
    agent_id: Mapped[str] = mapped_column(sa.String(64))
    agent_name: Mapped[str] = mapped_column(sa.String(320))
    agent_session_id: Mapped[uuid.UUID]
    member_id: Mapped[str] = mapped_column(sa.String(64))
    member_name: Mapped[str] = mapped_column(sa.String(320))
    reason: Mapped[str] = mapped_column(sa.String(500))
    ticket: Mapped[str] = mapped_column(sa.String(64))
    writes: Mapped[bool]
    scopes_organization: Mapped[str] = mapped_column(sa.Text)
    scopes_api: Mapped[str] = mapped_column(sa.Text)
    member_version: Mapped[int]
    agent_version: Mapped[int]
    started_at: Mapped[datetime]
    ends_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None] = mapped_column(sa.String(64))
    ended_by_name: Mapped[str | None] = mapped_column(sa.String(320))
