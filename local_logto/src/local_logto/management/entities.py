"""Rows as the Management API returns them: their members, names and order (Logto 1.42)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import sqlalchemy as sa

from local_logto.management.rows import camel

Row = sa.RowMapping | Mapping[str, Any]
Entity = dict[str, Any]

TENANT: Final[Entity] = {"tenantId": "default"}


def _members(row: Row, columns: Iterable[str]) -> Entity:
    return {camel(column): row[column] for column in columns}


def _of_tenant(*columns: str) -> Callable[[Row], Entity]:
    """Return a function that shows these columns of a row, preceded by the tenant."""
    return lambda row: TENANT | _members(row, columns)


_USER: Final = (
    *("id", "username", "primary_email", "primary_phone", "name", "avatar", "custom_data", "identities"),
    *("last_sign_in_at", "created_at", "updated_at", "profile", "application_id"),
)

organization = _of_tenant(
    *("id", "name", "description", "custom_data", "is_mfa_required", "color", "branding", "custom_css"),
    "created_at",
)
organization_scope = _of_tenant("id", "name", "description")
organization_role = _of_tenant("id", "name", "description", "type")
role = _of_tenant("id", "name", "description", "type", "is_default")  # the tenant's, not an organization's
resource = _of_tenant("id", "name", "indicator", "is_default", "access_token_ttl")
resource_scope = _of_tenant("id", "resource_id", "name", "description", "created_at")
application_secret = _of_tenant("application_id", "name", "value", "created_at", "expires_at")
sso_connector = _of_tenant(
    *("id", "provider_name", "connector_name", "config", "domains", "branding", "sync_profile"),
    *("enable_token_storage", "created_at"),
)
sso_identity = _of_tenant(
    *("id", "user_id", "issuer", "identity_id", "detail", "created_at", "updated_at", "sso_connector_id")
)
personal_access_token = _of_tenant("user_id", "name", "value", "created_at", "expires_at")
jit_email_domain = _of_tenant("organization_id", "email_domain")
# Older versions used "event" instead of "events"
hook = _of_tenant("id", "name", "event", "events", "config", "signing_key", "enabled", "created_at")


def application(row: Row) -> Entity:
    return (
        TENANT
        | _members(row, ("id", "name", "description", "type"))
        | _members(row, ("oidc_client_metadata", "custom_client_metadata"))
        | {"protectedAppMetadata": None, "customData": row["custom_data"]}
        | {"isThirdParty": row["is_third_party"], "appLevelAccessControlEnabled": False}
        | {"createdAt": row["created_at"]}
    )


def user(row: Row) -> Entity:
    """Return a user as listed among members. Users have no ``tenantId``."""
    return _members(row, _USER) | {"isSuspended": row["is_suspended"]}


def user_with_password_state(row: Row) -> Entity:
    """Return a user as the routes of ``/users`` show it."""
    return user(row) | {"hasPassword": row["password_hash"] is not None}


def named(row: Row) -> Entity:
    """Return only the ID and name."""
    return {"id": row["id"], "name": row["name"]}


def organization_invitation(row: Row, roles: list[Entity], moment: int) -> Entity:
    """Return an invitation as of ``moment``. A pending one past its end is expired."""
    members = _members(row, ("id", "inviter_id", "invitee", "accepted_user_id", "organization_id", "status"))
    if row["status"] == "Pending" and row["expires_at"] < moment:
        members["status"] = "Expired"
    times = _members(row, ("created_at", "updated_at", "expires_at"))
    return TENANT | members | times | {"organizationRoles": roles}
