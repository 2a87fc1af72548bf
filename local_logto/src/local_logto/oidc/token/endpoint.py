"""``/oidc/token``: authenticates the client and calls the requested grant type, one file each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from quart import Blueprint, Response, request

from local_logto.errors import OidcError, invalid_request
from local_logto.oidc.client_authentication import CREDENTIAL_PARAMS, authenticate
from local_logto.oidc.clients import DEVICE_CODE_GRANT, EXCHANGE_GRANT, Client
from local_logto.oidc.no_store import no_store
from local_logto.oidc.request_params import Params, body_params
from local_logto.oidc.token import (
    authorization_code,
    client_credentials,
    device_code,
    refresh_token,
    token_exchange,
)
from local_logto.responses import json_response

Grant = Callable[[Client, Params], Awaitable[dict[str, Any]]]

_GRANTS: Final[Mapping[str, tuple[Grant, tuple[str, ...]]]] = {
    "authorization_code": (authorization_code.exchange, authorization_code.PARAMS),
    "refresh_token": (refresh_token.exchange, refresh_token.PARAMS),
    "client_credentials": (client_credentials.exchange, client_credentials.PARAMS),
    DEVICE_CODE_GRANT: (device_code.exchange, device_code.PARAMS),
    EXCHANGE_GRANT: (token_exchange.exchange, token_exchange.PARAMS),
}

blueprint = Blueprint("token", __name__, url_prefix="/oidc")
blueprint.after_request(no_store)


@blueprint.post("/token")
async def token() -> Response:
    params = await body_params(request)
    client = authenticate(request, params)
    params.reject_duplicates(among=("grant_type",))
    params.require("grant_type")
    grant_type = params.get("grant_type") or ""
    if grant_type not in _GRANTS:
        raise OidcError(400, "unsupported_grant_type", "unsupported grant_type requested")
    if not client.allows_grant(grant_type):
        raise invalid_request("requested grant type is not allowed for this client")
    exchange, single_params = _GRANTS[grant_type]
    params.reject_duplicates(among=(*CREDENTIAL_PARAMS, *single_params))
    return json_response(await exchange(client, params))
