"""The tenant's tables: people, organizations, roles, API resources, applications, keys and settings.

Tables that only one module reads are defined there.
"""

from __future__ import annotations

import sqlalchemy as sa

from local_logto.store import json_column, metadata, reference

users = sa.Table(
    "users",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("username", sa.String, unique=True),
    sa.Column("primary_email", sa.String, unique=True),
    sa.Column("primary_phone", sa.String, unique=True),
    sa.Column("name", sa.String),
    sa.Column("avatar", sa.String),
    sa.Column("password_hash", sa.String),
    json_column("custom_data"),
    json_column("identities"),
    json_column("profile"),
    json_column("mfa_verifications", "[]"),
    json_column("logto_config"),  # {"mfa": {"enabled", "skipped", "skipMfaOnSignIn"}}
    sa.Column("application_id", sa.String),
    sa.Column("is_suspended", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("last_sign_in_at", sa.BigInteger),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
)

organizations = sa.Table(
    "organizations",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("description", sa.String),
    json_column("custom_data"),
    sa.Column("is_mfa_required", sa.Boolean, nullable=False, server_default=sa.false()),
    json_column("color"),
    json_column("branding"),
    sa.Column("custom_css", sa.String),
    sa.Column("created_at", sa.BigInteger, nullable=False),
)

organization_scopes = sa.Table(
    "organization_scopes",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("name", sa.String, nullable=False, unique=True),
    sa.Column("description", sa.String),
)

organization_roles = sa.Table(
    "organization_roles",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("name", sa.String, nullable=False, unique=True),
    sa.Column("description", sa.String),
    sa.Column("type", sa.String, nullable=False),  # "User" or "MachineToMachine"
)

resources = sa.Table(
    "resources",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("indicator", sa.String, nullable=False, unique=True),
    sa.Column("is_default", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("access_token_ttl", sa.Integer, nullable=False, server_default="3600"),
)

resource_scopes = sa.Table(
    "resource_scopes",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    reference("resource_id", "resources.id"),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("description", sa.String),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("resource_id", "name"),
)

organization_role_scopes = sa.Table(
    "organization_role_scopes",
    metadata,
    reference("organization_role_id", "organization_roles.id", primary_key=True),
    reference("organization_scope_id", "organization_scopes.id", primary_key=True),
)

organization_role_resource_scopes = sa.Table(
    "organization_role_resource_scopes",
    metadata,
    reference("organization_role_id", "organization_roles.id", primary_key=True),
    reference("scope_id", "resource_scopes.id", primary_key=True),
)

organization_users = sa.Table(
    "organization_users",
    metadata,
    reference("organization_id", "organizations.id", primary_key=True),
    reference("user_id", "users.id", primary_key=True),
    sa.Index("organization_users_by_user", "user_id"),
)

organization_user_roles = sa.Table(
    "organization_user_roles",
    metadata,
    sa.Column("organization_id", sa.String, primary_key=True),
    sa.Column("user_id", sa.String, primary_key=True),
    reference("organization_role_id", "organization_roles.id", primary_key=True),
    sa.ForeignKeyConstraint(
        ["organization_id", "user_id"],
        ["organization_users.organization_id", "organization_users.user_id"],
        ondelete="CASCADE",
    ),
)

applications = sa.Table(
    "applications",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("description", sa.String),
    sa.Column("type", sa.String, nullable=False),  # Traditional, SPA, Native, MachineToMachine
    json_column("oidc_client_metadata"),
    json_column("custom_client_metadata"),
    json_column("custom_data"),
    sa.Column("is_third_party", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("created_at", sa.BigInteger, nullable=False),
)

application_secrets = sa.Table(
    "application_secrets",
    metadata,
    reference("application_id", "applications.id", primary_key=True),
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("value", sa.String, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("expires_at", sa.BigInteger),
)

personal_access_tokens = sa.Table(
    "personal_access_tokens",
    metadata,
    reference("user_id", "users.id", primary_key=True),
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("value", sa.String, nullable=False, unique=True),  # the API shows it again, as in Logto
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("expires_at", sa.BigInteger),
)

roles = sa.Table(
    "roles",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("name", sa.String, nullable=False, unique=True),
    sa.Column("description", sa.String, nullable=False),
    sa.Column("type", sa.String, nullable=False),  # "User" or "MachineToMachine"
    sa.Column("is_default", sa.Boolean, nullable=False, server_default=sa.false()),
)

application_roles = sa.Table(
    "application_roles",
    metadata,
    reference("application_id", "applications.id", primary_key=True),
    reference("role_id", "roles.id", primary_key=True),
)

user_roles = sa.Table(
    "user_roles",
    metadata,
    reference("user_id", "users.id", primary_key=True),
    reference("role_id", "roles.id", primary_key=True),
)

organization_applications = sa.Table(
    "organization_applications",
    metadata,
    reference("organization_id", "organizations.id", primary_key=True),
    reference("application_id", "applications.id", primary_key=True),
)

organization_application_roles = sa.Table(
    "organization_application_roles",
    metadata,
    sa.Column("organization_id", sa.String, primary_key=True),
    sa.Column("application_id", sa.String, primary_key=True),
    reference("organization_role_id", "organization_roles.id", primary_key=True),
    sa.ForeignKeyConstraint(
        ["organization_id", "application_id"],
        [
            "organization_applications.organization_id",
            "organization_applications.application_id",
        ],
        ondelete="CASCADE",
    ),
)

signing_keys = sa.Table(
    "signing_keys",
    metadata,
    sa.Column("kid", sa.String, primary_key=True),
    sa.Column("private_jwk", sa.JSON, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),  # the newest signs; older ones verify
)

provider_secrets = sa.Table(
    "provider_secrets",
    metadata,
    sa.Column("name", sa.String, primary_key=True),  # "cookies"
    sa.Column("value", sa.String, nullable=False),
)

configs = sa.Table(
    "configs",
    metadata,
    sa.Column("key", sa.String, primary_key=True),  # "sign-in-exp", "id-token"
    sa.Column("value", sa.JSON, nullable=False),
)
