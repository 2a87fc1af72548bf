"""The request that introspection and revocation share: an authenticated client and an opaque token."""

from __future__ import annotations

from quart import Request

from local_logto.crypto.signed_tokens import is_structured
from local_logto.errors import OidcError
from local_logto.oidc.client_authentication import authenticate
from local_logto.oidc.clients import Client
from local_logto.oidc.request_params import body_params


async def read_token(request: Request, *, done: str, endpoint: str) -> tuple[Client, str]:
    """Return the client and the token's value. ``done`` and ``endpoint`` go into the error for a JWT."""
    params = await body_params(request)
    client = authenticate(request, params)
    params.reject_duplicates(among=("token", "token_type_hint"))
    params.require("token")
    value = params.get("token") or ""
    if is_structured(value):
        description = f"Structured JWT Tokens cannot be {done} via the {endpoint}"
        raise OidcError(400, "unsupported_token_type", description)
    return client, value
