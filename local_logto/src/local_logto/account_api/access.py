"""Who calls the Account API: the person of an opaque access token with the scope ``openid``."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from quart import request

from local_logto.errors import RequestError
from local_logto.oidc.grants import find_grant
from local_logto.oidc.token import opaque_tokens
from local_logto.refusals import refusal


@dataclass(frozen=True)
class Visitor:
    """The person of a token, and the scopes that it carries."""

    user_id: str
    scopes: frozenset[str]


def require_visitor(connection: sa.Connection) -> Visitor:
    """Return the person of the request's bearer token. Raises Logto's 401 and 403 (``auth.*``)."""
    header = request.headers.get("Authorization")
    if not header:
        raise RequestError(401, "auth.authorization_header_missing", "Authorization header is missing.")
    value = header.removeprefix("Bearer").strip()
    token = opaque_tokens.find(connection, value, opaque_tokens.ACCESS_TOKEN)
    if token is None or token.is_expired:
        raise unauthorized()
    grant = find_grant(connection, token.grant_id)
    if grant is None:
        raise unauthorized()
    if "openid" not in token.scopes:
        raise refusal("auth.forbidden")
    return Visitor(token.user_id, frozenset(grant.granted_oidc(token.scopes)))


def unauthorized() -> RequestError:
    return RequestError(401, "auth.unauthorized", "Unauthorized. Please check credentials and its scope.")
