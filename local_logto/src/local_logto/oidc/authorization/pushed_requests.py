"""``/oidc/request``: authorization requests that the client sends in advance (RFC 9126), each used once."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from quart import Blueprint, Response, request

from local_logto.context import current_store
from local_logto.crypto.opaque_values import hash_of, new_opaque_value
from local_logto.errors import OidcError
from local_logto.oidc.authorization.request import check
from local_logto.oidc.client_authentication import authenticate
from local_logto.oidc.no_store import no_store
from local_logto.oidc.request_params import Params, body_params
from local_logto.oidc.tables import pushed_requests
from local_logto.responses import json_response
from local_logto.store import now_ms

LIFETIME_SECONDS: Final = 60
URI_PREFIX: Final = "urn:ietf:params:oauth:request_uri:"

blueprint = Blueprint("pushed_requests", __name__, url_prefix="/oidc")
blueprint.after_request(no_store)


@blueprint.post("/request")
async def push() -> Response:
    params = await body_params(request)
    client = authenticate(request, params)
    kept = [(name, value) for name, value in params.pairs() if name not in {"client_id", "client_secret"}]
    kept.append(("client_id", client.id))
    check(Params(kept))
    value = new_opaque_value()
    row = sa.insert(pushed_requests).values(
        value_hash=hash_of(value),
        client_id=client.id,
        params=kept,
        expires_at=now_ms() + LIFETIME_SECONDS * 1000,
    )
    with current_store().begin() as connection:
        connection.execute(row)
    return json_response({"expires_in": LIFETIME_SECONDS, "request_uri": URI_PREFIX + value}, 201)


def resolve_pushed(params: Params) -> Params:
    """Return the pushed parameters if these refer to any. Raises ``invalid_request_uri`` if they are gone."""
    request_uri = params.get("request_uri")
    if request_uri is None or not request_uri.startswith(URI_PREFIX):
        return params
    used = sa.delete(pushed_requests).where(
        pushed_requests.c.value_hash == hash_of(request_uri.removeprefix(URI_PREFIX)),
        pushed_requests.c.client_id == params.get("client_id"),
        pushed_requests.c.expires_at > now_ms(),
    )
    with current_store().begin() as connection:
        kept = connection.execute(used.returning(pushed_requests.c.params)).scalar_one_or_none()
    if kept is None:
        raise OidcError(400, "invalid_request_uri", "request_uri is invalid, expired, or was already used")
    return Params((name, value) for name, value in kept)
