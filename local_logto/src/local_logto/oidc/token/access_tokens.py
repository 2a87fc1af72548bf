"""JWT access tokens (RFC 9068) for an API resource or an organization, for people and machines."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

import sqlalchemy as sa

from local_logto.context import current_settings
from local_logto.crypto.opaque_values import new_opaque_value
from local_logto.crypto.signed_tokens import sign
from local_logto.oidc.scopes import organization_audience

DEFAULT_ACCESS_TOKEN_TTL: Final = 3600
"""The lifetime in seconds of organization tokens, and of tokens whose resource sets none."""


def sign_organization_token(
    connection: sa.Connection,
    *,
    subject: str,
    client_id: str,
    organization_id: str,
    scope: str,
    act: Mapping[str, str] | None = None,
) -> str:
    """Return a token whose audience is the organization."""
    return sign_access_token(
        connection,
        subject=subject,
        client_id=client_id,
        audience=organization_audience(organization_id),
        scope=scope,
        lifetime_seconds=DEFAULT_ACCESS_TOKEN_TTL,
        act=act,
    )


def sign_access_token(
    connection: sa.Connection,
    *,
    subject: str,
    client_id: str,
    audience: str,
    scope: str | None,
    lifetime_seconds: int,
    organization_id: str | None = None,
    act: Mapping[str, str] | None = None,
) -> str:
    """Return a token. ``scope=None`` omits the claim, which Logto does for machines only.

    ``organization_id`` is for API resources: organization tokens have it in their audience. ``act`` names who
    acts as the subject (RFC 8693 §4.1).
    """
    issued_at = int(time.time())
    claims: dict[str, object] = {} if act is None else {"act": act}
    if organization_id is not None:
        claims["organization_id"] = organization_id
    claims |= {
        "jti": new_opaque_value(),
        "sub": subject,
        "iat": issued_at,
        "exp": issued_at + lifetime_seconds,
    }
    if scope is not None:
        claims["scope"] = scope
    claims |= {"client_id": client_id, "iss": current_settings().issuer, "aud": audience}
    return sign(connection, claims, typ="at+jwt")
