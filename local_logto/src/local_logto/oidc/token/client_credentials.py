"""``grant_type=client_credentials``: tokens of machines, for a resource or in an organization."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

from local_logto.context import current_store
from local_logto.errors import access_denied, invalid_target
from local_logto.oidc.clients import Client
from local_logto.oidc.organization_access import is_associated, organization_scopes_of_application
from local_logto.oidc.request_params import Params
from local_logto.oidc.resources import (
    ResourceServer,
    find_default_resource,
    get_resource,
    scopes_of_application,
)
from local_logto.oidc.scopes import split_scope
from local_logto.oidc.token.access_tokens import (
    DEFAULT_ACCESS_TOKEN_TTL,
    sign_access_token,
    sign_organization_token,
)

PARAMS: Final = ("scope", "organization_id")


async def exchange(client: Client, params: Params) -> dict[str, Any]:
    """Return the token response. Only requested scopes are granted; without any there is no ``scope``."""
    organization_id = params.get("organization_id")
    with current_store().begin() as connection:
        if organization_id is not None and not is_associated(connection, organization_id, client.id):
            raise access_denied("app has not associated with the organization")
        wanted = split_scope(params.get("scope"))
        if organization_id is not None and not params.all("resource"):
            return _for_organization(connection, client, organization_id, wanted)
        return _for_resource(connection, client, params, organization_id, wanted)


def _for_organization(
    connection: sa.Connection, client: Client, organization_id: str, wanted: list[str]
) -> dict[str, Any]:
    held = organization_scopes_of_application(connection, organization_id, client.id)
    scope = " ".join(name for name in held if name in wanted)
    value = sign_organization_token(
        connection, subject=client.id, client_id=client.id, organization_id=organization_id, scope=scope
    )
    return _answer(value, DEFAULT_ACCESS_TOKEN_TTL, scope)


def _for_resource(
    connection: sa.Connection,
    client: Client,
    params: Params,
    organization_id: str | None,
    wanted: list[str],
) -> dict[str, Any]:
    resource = _requested_resource(connection, params)
    held = scopes_of_application(connection, client, resource.indicator, organization_id)
    scope = " ".join(name for name in wanted if name in held) or None
    value = sign_access_token(
        connection,
        subject=client.id,
        client_id=client.id,
        audience=resource.indicator,
        scope=scope,
        lifetime_seconds=resource.access_token_ttl,
        organization_id=organization_id,
    )
    return _answer(value, resource.access_token_ttl, scope)


def _requested_resource(connection: sa.Connection, params: Params) -> ResourceServer:
    """Return the one resource in the request, or the tenant's default. Raises ``invalid_target``."""
    indicators = params.all("resource")
    default = None if indicators else find_default_resource(connection)
    indicators = indicators or ([] if default is None else [default])
    resources = [get_resource(connection, indicator) for indicator in indicators]
    if not resources:
        raise invalid_target("both `resource` and `organization_id` are not provided")
    if len(resources) > 1:
        raise invalid_target("only a single resource indicator value is supported for this grant type")
    return resources[0]


def _answer(value: str, lifetime_seconds: int, scope: str | None) -> dict[str, Any]:
    members = {"access_token": value, "expires_in": lifetime_seconds, "token_type": "Bearer"}
    return members if scope is None else {**members, "scope": scope}
