"""``/oidc/token/introspection``: whether an opaque token is still valid (RFC 7662)."""

from __future__ import annotations

from typing import Any

from quart import Blueprint, Response, request

from local_logto.context import current_settings, current_store
from local_logto.oidc.clients import Client
from local_logto.oidc.grants import find_grant
from local_logto.oidc.no_store import no_store
from local_logto.oidc.token import opaque_tokens
from local_logto.oidc.token.opaque_tokens import ACCESS_TOKEN, REFRESH_TOKEN, StoredToken
from local_logto.oidc.token.token_param import read_token
from local_logto.responses import json_response

blueprint = Blueprint("introspection", __name__, url_prefix="/oidc/token")
blueprint.after_request(no_store)


@blueprint.post("/introspection")
async def introspect() -> Response:
    client, value = await read_token(request, done="introspected", endpoint="introspection_endpoint")
    token = _find_alive(client, value)
    return json_response({"active": False} if token is None else _description(token))


def _find_alive(client: Client, value: str) -> StoredToken | None:
    """Return the token if it is still valid. A public client may only ask about its own tokens."""
    with current_store().begin() as connection:
        token = opaque_tokens.find(connection, value, ACCESS_TOKEN, REFRESH_TOKEN)
        if token is None or token.is_expired or token.consumed_at is not None:
            return None
        if find_grant(connection, token.grant_id) is None:
            return None
    return None if client.is_public and token.client_id != client.id else token


def _description(token: StoredToken) -> dict[str, Any]:
    members = {
        "active": True,
        "sub": token.user_id,
        "act": token.act,
        "client_id": token.client_id,
        "exp": token.expires_at // 1000,
        "iat": token.created_at // 1000,
        "sid": token.payload.get("sid"),
        "iss": current_settings().issuer,
        "scope": token.payload["scope"] or None,
        "token_type": "Bearer" if token.kind == ACCESS_TOKEN else None,
    }
    return {name: value for name, value in members.items() if value is not None}
