"""What several grant types share: access tokens of all kinds, refresh tokens, ID tokens, and the response."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from local_logto.context import current_settings
from local_logto.crypto.signed_tokens import sign
from local_logto.errors import invalid_target
from local_logto.oidc.claims import Person, id_token_claims, read_extended_claims
from local_logto.oidc.clients import Client
from local_logto.oidc.grants import Grant
from local_logto.oidc.organization_access import organization_scopes_of_user
from local_logto.oidc.request_params import Params
from local_logto.oidc.resources import ResourceServer, find_default_resource, get_resource
from local_logto.oidc.token import opaque_tokens
from local_logto.oidc.token.access_tokens import (
    DEFAULT_ACCESS_TOKEN_TTL,
    sign_access_token,
    sign_organization_token,
)
from local_logto.oidc.token.opaque_tokens import Source
from local_logto.store import now_ms

OPAQUE_LIFETIME_SECONDS: Final = 3600
_OF_CODES_ONLY: Final = frozenset({"redirect_uri", "code_challenge"})


@dataclass(frozen=True)
class IssuedAccessToken:
    """A new access token with its scope and its lifetime in seconds."""

    value: str
    scope: str
    lifetime_seconds: int


def resolve_resource(
    connection: sa.Connection, params: Params, allowed: list[str], scopes: Sequence[str]
) -> ResourceServer | None:
    """Return the resource that the access token is for, or None for an opaque token.

    ``allowed`` are the resources of the sign-in request. Raises ``invalid_target`` for any other. Several
    resources mean the tenant's default, or none. No resource means that of the sign-in, but only without
    ``openid``.
    """
    wanted = params.all("resource")
    if not wanted and "openid" not in scopes:
        wanted = allowed
    if len(wanted) > 1:
        default = find_default_resource(connection)
        wanted = [] if default is None else [default]
    if not wanted:
        return None
    if wanted[0] not in allowed:
        raise invalid_target()
    return get_resource(connection, wanted[0])


def issue_opaque(
    connection: sa.Connection, client: Client, source: Source, grant: Grant, scopes: Sequence[str]
) -> IssuedAccessToken:
    """Issue an access token for userinfo with those of the OIDC scopes that the grant allows."""
    scope = " ".join(grant.granted_oidc(scopes))
    payload = {
        "user_id": source.user_id,
        "scope": scope,
        "session_uid": source.payload["session_uid"],
        "ends_with_session": source.payload["ends_with_session"],
        "act": source.act,
    }
    value = opaque_tokens.issue(
        connection,
        opaque_tokens.ACCESS_TOKEN,
        grant_id=grant.id,
        client_id=client.id,
        payload=payload,
        lifetime_ms=OPAQUE_LIFETIME_SECONDS * 1000,
    )
    return IssuedAccessToken(value, scope, OPAQUE_LIFETIME_SECONDS)


def issue_for_resource(
    connection: sa.Connection,
    client: Client,
    source: Source,
    resource: ResourceServer,
    scopes: Sequence[str],
    organization_id: str | None = None,
) -> IssuedAccessToken:
    scope = " ".join(scopes)
    value = sign_access_token(
        connection,
        subject=source.user_id,
        client_id=client.id,
        audience=resource.indicator,
        scope=scope,
        lifetime_seconds=resource.access_token_ttl,
        organization_id=organization_id,
        act=source.act,
    )
    return IssuedAccessToken(value, scope, resource.access_token_ttl)


def issue_for_organization(
    connection: sa.Connection,
    client: Client,
    source: Source,
    organization_id: str,
    scopes: Sequence[str],
) -> IssuedAccessToken:
    """Issue an organization token with those of the scopes that the person's roles grant there."""
    held = organization_scopes_of_user(connection, organization_id, source.user_id)
    scope = " ".join(name for name in held if name in scopes)
    value = sign_organization_token(
        connection,
        subject=source.user_id,
        client_id=client.id,
        organization_id=organization_id,
        scope=scope,
        act=source.act,
    )
    return IssuedAccessToken(value, scope, DEFAULT_ACCESS_TOKEN_TTL)


def issue_access_token(
    connection: sa.Connection, client: Client, params: Params, code: Source, grant: Grant
) -> IssuedAccessToken:
    """Issue the first access token of a sign-in: for userinfo, or for the requested resource."""
    resource = resolve_resource(connection, params, code.resources, code.scopes)
    if resource is None:
        return issue_opaque(connection, client, code, grant, code.scopes)
    return issue_for_resource(
        connection, client, code, resource, grant.granted_on(resource.indicator, code.scopes)
    )


def issue_refresh_token(connection: sa.Connection, client: Client, code: Source) -> str | None:
    """Issue the first refresh token of a sign-in, or None if neither the scope nor the application asks for
    one.
    """
    if "offline_access" not in code.scopes and not client.always_issues_refresh_token:
        return None
    kept = {name: value for name, value in code.payload.items() if name not in _OF_CODES_ONLY}
    return opaque_tokens.issue(
        connection,
        opaque_tokens.REFRESH_TOKEN,
        grant_id=code.grant_id,
        client_id=client.id,
        payload={**kept, "chain_started_at": now_ms()},
        lifetime_ms=client.refresh_token_ttl * 1000,
    )


def issue_id_token(
    connection: sa.Connection,
    client: Client,
    source: Source,
    person: Person,
    grant: Grant,
    scopes: Sequence[str],
) -> str | None:
    """Issue an ID token about the person as they are now, or None if ``openid`` is not in the scopes."""
    if "openid" not in scopes:
        return None
    extended = read_extended_claims(connection)
    claims = id_token_claims(person, grant.granted_oidc(scopes), extended)
    for name in ("sid", "auth_time", "nonce"):
        if source.payload.get(name) is not None:
            claims[name] = source.payload[name]
    issued_at = int(time.time())
    claims |= {
        "aud": client.id,
        "exp": issued_at + client.id_token_ttl,
        "iat": issued_at,
        "iss": current_settings().issuer,
    }
    return sign(connection, claims)


def answer(
    access: IssuedAccessToken, *, id_token: str | None = None, refresh_token: str | None = None
) -> dict[str, Any]:
    """Return the token response without absent members (RFC 6749 §5.1)."""
    members = {
        "access_token": access.value,
        "expires_in": access.lifetime_seconds,
        "id_token": id_token,
        "refresh_token": refresh_token,
        "scope": access.scope,
        "token_type": "Bearer",
    }
    return {name: value for name, value in members.items() if value is not None}
