"""``grant_type=refresh_token``: new tokens for an organization, a resource or userinfo.

Organization permissions are read at this moment. API-resource scopes were fixed in the grant at consent and
are limited to those that the person still has.
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

from local_logto.context import current_store
from local_logto.errors import OidcError, invalid_grant
from local_logto.oidc.claims import Person, read_person
from local_logto.oidc.clients import Client
from local_logto.oidc.grants import Grant, find_grant, revoke_grant
from local_logto.oidc.request_params import Params
from local_logto.oidc.resources import scopes_of_user
from local_logto.oidc.scopes import ORGANIZATIONS, split_scope
from local_logto.oidc.token import opaque_tokens
from local_logto.oidc.token.issuing import (
    IssuedAccessToken,
    answer,
    issue_for_organization,
    issue_for_resource,
    issue_id_token,
    issue_opaque,
    resolve_resource,
)
from local_logto.oidc.token.opaque_tokens import StoredToken
from local_logto.oidc.token.organization_check import check_user_organization
from local_logto.oidc.token.rotation import (
    RefreshTokenAge,
    is_reuse,
    is_rotation_due,
    lifetime_of_next,
)
from local_logto.store import now_ms

PARAMS: Final = ("refresh_token", "scope", "organization_id")


async def exchange(client: Client, params: Params) -> dict[str, Any]:
    """Return the token response. Checks are in Logto's order; only the last one comes after the rotation."""
    params.require("refresh_token")
    value = params.get("refresh_token") or ""
    token, grant, person = _checked_token(client, params, value)
    value = _rotated(client, token) or value
    scopes = split_scope(params.get("scope")) or token.scopes
    with current_store().begin() as connection:
        access = _issue_access_token(connection, client, params, token, grant, scopes)
        id_token = issue_id_token(connection, client, token, person, grant, scopes)
    return answer(access, id_token=id_token, refresh_token=value)


def _checked_token(client: Client, params: Params, value: str) -> tuple[StoredToken, Grant, Person]:
    with current_store().begin() as connection:
        token = opaque_tokens.find(connection, value, opaque_tokens.REFRESH_TOKEN)
        if token is None or token.client_id != client.id or token.is_expired:
            raise invalid_grant()
        grant = find_grant(connection, token.grant_id)
        if grant is None or grant.client_id != client.id:
            raise invalid_grant()
        _check_scope(params, token)
        person = read_person(connection, token.user_id)
        if person is None:
            raise invalid_grant()
        reused = is_reuse(_age_of(token), now_ms())
        if reused:
            revoke_grant(connection, grant.id)
    if reused:
        raise invalid_grant()
    organization_id = params.get("organization_id")
    if organization_id is not None:
        with current_store().begin() as connection:
            check_user_organization(connection, organization_id, token.user_id)
        if ORGANIZATIONS not in token.scopes:
            raise OidcError(
                403, "insufficient_scope", "refresh token missing required scope", scope=ORGANIZATIONS
            )
    return token, grant, person


def _check_scope(params: Params, token: StoredToken) -> None:
    missing = [scope for scope in split_scope(params.get("scope")) if scope not in token.scopes]
    if missing:
        noun = "scope" if len(missing) == 1 else "scopes"
        raise OidcError(
            400, "invalid_scope", f"refresh token missing requested {noun}", scope=" ".join(missing)
        )


def _rotated(client: Client, token: StoredToken) -> str | None:
    """Return the token's successor if one is due. It is stored before anything else can fail."""
    age, moment = _age_of(token), now_ms()
    due = client.rotates_refresh_tokens and is_rotation_due(age, moment, is_public=client.is_public)
    if not due:
        return None
    full_ms = client.refresh_token_ttl * 1000
    keeps_expiry = client.is_public and client.is_web
    with current_store().begin() as connection:
        opaque_tokens.consume_again(connection, token)
        return opaque_tokens.issue(
            connection,
            opaque_tokens.REFRESH_TOKEN,
            grant_id=token.grant_id,
            client_id=client.id,
            payload=token.payload,
            lifetime_ms=lifetime_of_next(age, moment, full_ms, keeps_expiry=keeps_expiry),
        )


def _age_of(token: StoredToken) -> RefreshTokenAge:
    return RefreshTokenAge(
        created_at=token.created_at,
        expires_at=token.expires_at,
        chain_started_at=int(token.payload["chain_started_at"]),
        consumed_at=token.consumed_at,
    )


def _issue_access_token(
    connection: sa.Connection,
    client: Client,
    params: Params,
    token: StoredToken,
    grant: Grant,
    scopes: list[str],
) -> IssuedAccessToken:
    organization_id = params.get("organization_id")
    if organization_id is not None and not params.all("resource"):
        return issue_for_organization(connection, client, token, organization_id, scopes)
    resource = resolve_resource(connection, params, token.resources, scopes)
    if resource is None:
        return issue_opaque(connection, client, token, grant, scopes)
    held = scopes_of_user(connection, token.user_id, resource.indicator, organization_id)
    allowed = grant.granted_on(resource.indicator, [scope for scope in scopes if scope in held])
    return issue_for_resource(connection, client, token, resource, allowed, organization_id)
