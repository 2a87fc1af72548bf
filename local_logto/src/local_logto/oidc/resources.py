"""API resources as tokens see them: which exist, how long tokens live, which scopes someone holds."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from local_logto.errors import invalid_target
from local_logto.oidc import organization_access
from local_logto.oidc.clients import Client
from local_logto.oidc.scopes import MANAGEMENT_RESOURCE, MANAGEMENT_SCOPE, ORGANIZATIONS_RESOURCE
from local_logto.oidc.token.access_tokens import DEFAULT_ACCESS_TOKEN_TTL
from local_logto.store import resources


@dataclass(frozen=True)
class ResourceServer:
    """An API resource, or one of Logto's own. ``access_token_ttl`` is in seconds."""

    indicator: str
    access_token_ttl: int


async def get_resource(connection: AsyncConnection, indicator: str) -> ResourceServer:
    """The resource of this indicator; raises ``invalid_target`` when it is malformed or unknown."""
    if not _is_absolute(indicator) or "#" in indicator:
        raise invalid_target()
    if indicator in {ORGANIZATIONS_RESOURCE, MANAGEMENT_RESOURCE}:
        return ResourceServer(indicator, DEFAULT_ACCESS_TOKEN_TTL)
    query = sa.select(resources.c.access_token_ttl).where(resources.c.indicator == indicator)
    ttl = (await connection.execute(query)).scalar_one_or_none()
    if ttl is None:
        raise invalid_target()
    return ResourceServer(indicator, ttl)


async def find_default_resource(connection: AsyncConnection) -> str | None:
    """The indicator that an absent ``resource`` means, if the tenant set one."""
    query = sa.select(resources.c.indicator).where(resources.c.is_default.is_(True))
    return (await connection.execute(query)).scalars().first()


async def scopes_of_user(
    connection: AsyncConnection, user_id: str, indicator: str, organization_id: str | None = None
) -> list[str]:
    """What the person may have on the resource now: of one organization, or of all of them.

    On the organizations resource that is every permission of the template, whoever holds it: which of them
    an organization token carries is decided when that token is issued.
    """
    if indicator == ORGANIZATIONS_RESOURCE:
        return await organization_access.list_template_scopes(connection)
    return await organization_access.resource_scopes_of_user(connection, user_id, indicator, organization_id)


async def scopes_of_application(
    connection: AsyncConnection, client: Client, indicator: str, organization_id: str | None = None
) -> list[str]:
    """What a machine application may have on the resource, inside one organization or by itself."""
    if indicator == ORGANIZATIONS_RESOURCE:
        return await organization_access.list_template_scopes(connection)
    if organization_id is not None:
        return await organization_access.resource_scopes_of_application(
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
