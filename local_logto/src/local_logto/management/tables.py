"""The tables that only this API writes: invitations and just-in-time membership."""

from __future__ import annotations

import sqlalchemy as sa

from local_logto.store import metadata, reference

organization_invitations = sa.Table(
    "organization_invitations",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    reference("inviter_id", "users.id", nullable=True),
    sa.Column("invitee", sa.String, nullable=False),
    reference("accepted_user_id", "users.id", nullable=True),
    reference("organization_id", "organizations.id"),
    # Pending, Accepted or Revoked. Expired is stored only when a new invitation replaces an expired one.
    sa.Column("status", sa.String, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
)

PENDING_ONCE = sa.Index(
    "organization_invitations_pending_once",
    organization_invitations.c.organization_id,
    organization_invitations.c.invitee,
    unique=True,
    sqlite_where=organization_invitations.c.status == "Pending",
)

organization_invitation_roles = sa.Table(
    "organization_invitation_roles",
    metadata,
    reference("organization_invitation_id", "organization_invitations.id", primary_key=True),
    reference("organization_role_id", "organization_roles.id", primary_key=True),
)

organization_jit_email_domains = sa.Table(
    "organization_jit_email_domains",
    metadata,
    reference("organization_id", "organizations.id", primary_key=True),
    sa.Column("email_domain", sa.String, primary_key=True),
)

organization_jit_sso_connectors = sa.Table(
    "organization_jit_sso_connectors",
    metadata,
    reference("organization_id", "organizations.id", primary_key=True),
    reference("sso_connector_id", "sso_connectors.id", primary_key=True),
)

organization_jit_roles = sa.Table(
    "organization_jit_roles",
    metadata,
    reference("organization_id", "organizations.id", primary_key=True),
    reference("organization_role_id", "organization_roles.id", primary_key=True),
)
