"""``/oidc/token/revocation``: revokes a token and its whole grant (RFC 7009)."""

from __future__ import annotations

from quart import Blueprint, Response, request

from local_logto.context import current_store
from local_logto.errors import invalid_request
from local_logto.oidc.grants import revoke_grant
from local_logto.oidc.token import opaque_tokens
from local_logto.oidc.token.opaque_tokens import ACCESS_TOKEN, REFRESH_TOKEN
from local_logto.oidc.token.token_param import read_token

blueprint = Blueprint("revocation", __name__, url_prefix="/oidc/token")


@blueprint.post("/revocation")
async def revoke() -> Response:
    """Answer an empty 200, also for an unknown token. Raises 400 for another client's token."""
    client, value = await read_token(request, done="revoked", endpoint="revocation_endpoint")
    with current_store().begin() as connection:
        token = opaque_tokens.find(connection, value, ACCESS_TOKEN, REFRESH_TOKEN)
        if token is not None and token.client_id != client.id:
            raise invalid_request("client is not authorized to revoke the presented token")
        if token is not None:
            revoke_grant(connection, token.grant_id)
    return Response("", content_type="text/plain; charset=utf-8")
