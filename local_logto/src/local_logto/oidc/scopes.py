"""The scopes, resources and roles that Logto itself defines. What a tenant defines is in the store."""

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
"""Asked for at sign-in so that organization permissions stay in the refresh token (Logto RFC 0001)."""

MANAGEMENT_RESOURCE: Final = "https://default.logto.app/api"
"""The Management API as a resource: a fixed name, whatever address the API is reached at."""

MANAGEMENT_SCOPE: Final = "all"
MANAGEMENT_ROLE_ID: Final = "management-api-access"
"""The tenant role that grants this scope; a real Logto makes its id up."""

_ORGANIZATION_AUDIENCE: Final = "urn:logto:organization:"


def organization_audience(organization_id: str) -> str:
    """The ``aud`` of an organization token."""
    return f"{_ORGANIZATION_AUDIENCE}{organization_id}"


def split_scope(scope: str | None) -> list[str]:
    """The names of a scope string, each once, in their order."""
    return [name for name in dict.fromkeys((scope or "").split(" ")) if name]


def oidc_only(scopes: list[str]) -> list[str]:
    return [scope for scope in scopes if scope in OIDC_SCOPES]
