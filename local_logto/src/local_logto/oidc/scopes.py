"""The scopes, resources and roles that Logto itself defines. The store has those of the tenant."""

from __future__ import annotations

from typing import Final

ORGANIZATIONS: Final = "urn:logto:scope:organizations"
ORGANIZATION_ROLES: Final = "urn:logto:scope:organization_roles"

OIDC_SCOPES: Final = (
    "openid",
    "offline_access",
    "profile",
    "email",
    "phone",
    "address",
    "custom_data",
    "identities",
    "roles",
    ORGANIZATIONS,
    ORGANIZATION_ROLES,
    "urn:logto:scope:sessions",
)

ORGANIZATIONS_RESOURCE: Final = "urn:logto:resource:organizations"
"""Requested at sign-in to keep organization permissions in the refresh token (Logto RFC 0001)."""

MANAGEMENT_RESOURCE: Final = "https://default.logto.app/api"
"""The indicator of the Management API. It is fixed, independent of the API's URL."""

MANAGEMENT_SCOPE: Final = "all"
MANAGEMENT_ROLE_ID: Final = "management-api-access"
"""The tenant role that grants this scope. A real Logto generates its ID."""

_ORGANIZATION_AUDIENCE: Final = "urn:logto:organization:"


def organization_audience(organization_id: str) -> str:
    """Return the ``aud`` of an organization token."""
    return f"{_ORGANIZATION_AUDIENCE}{organization_id}"


def split_scope(scope: str | None) -> list[str]:
    """Return the unique names in a scope string, in order."""
    return [name for name in dict.fromkeys((scope or "").split(" ")) if name]


def oidc_only(scopes: list[str]) -> list[str]:
    return [scope for scope in scopes if scope in OIDC_SCOPES]
