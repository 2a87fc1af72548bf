"""API resources as tokens see them: their existence, the lifetime of tokens, and scopes."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

import sqlalchemy as sa

from local_logto.errors import invalid_target
from local_logto.oidc import organization_access
from local_logto.oidc.clients import Client
from local_logto.oidc.scopes import MANAGEMENT_RESOURCE, MANAGEMENT_SCOPE, ORGANIZATIONS_RESOURCE
from local_logto.oidc.token.access_tokens import DEFAULT_ACCESS_TOKEN_TTL
from local_logto.tables import resources


@dataclass(frozen=True)
class ResourceServer:
    """An API resource, including Logto's own. ``access_token_ttl`` is in seconds."""

    indicator: str
    access_token_ttl: int


def get_resource(connection: sa.Connection, indicator: str) -> ResourceServer:
    """Return the resource with this indicator. Raises ``invalid_target`` if it is malformed or unknown."""
    if not _is_absolute(indicator) or "#" in indicator:
        raise invalid_target()
    if indicator in {ORGANIZATIONS_RESOURCE, MANAGEMENT_RESOURCE}:
        return ResourceServer(indicator, DEFAULT_ACCESS_TOKEN_TTL)
    query = sa.select(resources.c.access_token_ttl).where(resources.c.indicator == indicator)
    ttl = connection.execute(query).scalar_one_or_none()
    if ttl is None:
        raise invalid_target()
    return ResourceServer(indicator, ttl)


def find_default_resource(connection: sa.Connection) -> str | None:
    """Return the indicator that replaces an absent ``resource``, or None if the tenant has no default."""
    query = sa.select(resources.c.indicator).where(resources.c.is_default.is_(True))
    return connection.execute(query).scalars().first()


def scopes_of_user(
    connection: sa.Connection, user_id: str, indicator: str, organization_id: str | None = None
) -> list[str]:
    """Return the scopes that the person has on the resource now, in one organization or in all.

    For the organizations resource these are all permissions of the template. Which of them an organization
    token carries is decided when it is issued.
    """
    if indicator == ORGANIZATIONS_RESOURCE:
        return organization_access.list_template_scopes(connection)
    return organization_access.resource_scopes_of_user(connection, user_id, indicator, organization_id)


def scopes_of_application(
    connection: sa.Connection, client: Client, indicator: str, organization_id: str | None = None
) -> list[str]:
    """Return the scopes that a machine has on the resource, in one organization or outside of all."""
    if indicator == ORGANIZATIONS_RESOURCE:
        return organization_access.list_template_scopes(connection)
    if organization_id is not None:
        return organization_access.resource_scopes_of_application(
            connection, client.id, indicator, organization_id
        )
    if indicator == MANAGEMENT_RESOURCE and client.has_management_access:
        return [MANAGEMENT_SCOPE]
    return []


def _is_absolute(indicator: str) -> bool:
    try:
        parts = urlsplit(indicator)
    except ValueError:
        return False
    return bool(parts.scheme) and bool(parts.netloc or parts.path)
