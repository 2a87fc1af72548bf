"""``grant_type=…:token-exchange``: an access token for the person of another token (RFC 8693).

No consent is needed: the token carries every requested scope that the person holds. There is no refresh
token, no ID token and no browser session.
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

from local_logto.context import current_store
from local_logto.oidc.clients import Client
from local_logto.oidc.grants import Grant, new_grant, save_grant
from local_logto.oidc.request_params import Params
from local_logto.oidc.resources import ResourceServer, scopes_of_user
from local_logto.oidc.scopes import oidc_only, organization_audience, split_scope
from local_logto.oidc.token.issuing import (
    IssuedAccessToken,
    answer,
    issue_for_organization,
    issue_for_resource,
    issue_opaque,
    resolve_resource,
)
from local_logto.oidc.token.opaque_tokens import Source
from local_logto.oidc.token.organization_check import check_user_organization
from local_logto.oidc.token.presented_tokens import find_actor, use_subject_token

PARAMS: Final = (
    *("subject_token", "subject_token_type", "actor_token", "actor_token_type"),
    *("organization_id", "scope"),
)


async def exchange(client: Client, params: Params) -> dict[str, Any]:
    """Return the token response. A refused exchange leaves a subject token usable, and no grant behind."""
    params.require("subject_token", "subject_token_type")
    organization_id = params.get("organization_id")
    scopes = split_scope(params.get("scope"))
    with current_store().begin() as connection:
        user_id = use_subject_token(connection, params)
        if organization_id is not None:
            check_user_organization(connection, organization_id, user_id)
        # No sign-in limits the resources, so all are allowed that the tenant knows.
        resource = resolve_resource(connection, params, params.all("resource"), scopes)
        actor_id = find_actor(connection, params)
        grant = new_grant(user_id, client.id)
        source = _source(grant, scopes, actor_id)
        access = _issue_access_token(connection, client, source, grant, resource, organization_id)
    return answer(access)


def _source(grant: Grant, scopes: list[str], actor_id: str | None) -> Source:
    payload = {
        "user_id": grant.user_id,
        "scope": " ".join(scopes),
        "session_uid": None,
        "ends_with_session": False,
        "act": None if actor_id is None else {"sub": actor_id},
    }
    return Source(grant_id=grant.id, payload=payload)


def _issue_access_token(
    connection: sa.Connection,
    client: Client,
    source: Source,
    grant: Grant,
    resource: ResourceServer | None,
    organization_id: str | None,
) -> IssuedAccessToken:
    """Issue a token for the resource, the organization or userinfo, and store its scopes in the grant."""
    if resource is not None:
        held = scopes_of_user(connection, source.user_id, resource.indicator, organization_id)
        scopes = [scope for scope in source.scopes if scope in held]
        save_grant(connection, grant.with_scopes((), {resource.indicator: scopes}))
        return issue_for_resource(connection, client, source, resource, scopes, organization_id)
    if organization_id is not None:
        access = issue_for_organization(connection, client, source, organization_id, source.scopes)
        audience = organization_audience(organization_id)
        save_grant(connection, grant.with_scopes((), {audience: split_scope(access.scope)}))
        return access
    grant = grant.with_scopes(oidc_only(source.scopes), {})
    save_grant(connection, grant)
    return issue_opaque(connection, client, source, grant, source.scopes)
