"""The provider's metadata (OIDC Discovery 1.0, RFC 8414) and its public keys."""

from __future__ import annotations

from typing import Any, Final

from quart import Blueprint, Response, request

from local_logto.context import current_settings, current_store, origin_of
from local_logto.crypto.keys import ALGORITHM
from local_logto.crypto.signed_tokens import current_keys
from local_logto.oidc.authorization.request import RESPONSE_TYPES
from local_logto.oidc.claims import CLAIMS
from local_logto.oidc.clients import DEVICE_CODE_GRANT, EXCHANGE_GRANT
from local_logto.oidc.scopes import OIDC_SCOPES
from local_logto.responses import json_response

_ENDPOINTS: Final = {
    "authorization_endpoint": "auth",
    "device_authorization_endpoint": "device/auth",
    "end_session_endpoint": "session/end",
    "introspection_endpoint": "token/introspection",
    "jwks_uri": "jwks",
    "pushed_authorization_request_endpoint": "request",
    "revocation_endpoint": "token/revocation",
    "token_endpoint": "token",
    "userinfo_endpoint": "me",
}

_CAPABILITIES: Final = {
    "authorization_response_iss_parameter_supported": True,
    "backchannel_logout_session_supported": True,
    "backchannel_logout_supported": True,
    "claim_types_supported": ["normal"],
    "claims_parameter_supported": False,
    "claims_supported": ["sub", *CLAIMS, "sid", "auth_time", "iss"],
    "code_challenge_methods_supported": ["S256"],
    "grant_types_supported": [
        "implicit",
        "authorization_code",
        "refresh_token",
        "client_credentials",
        DEVICE_CODE_GRANT,
        EXCHANGE_GRANT,
    ],
    "id_token_signing_alg_values_supported": [ALGORITHM],
    "request_uri_parameter_supported": False,
    "response_modes_supported": ["form_post", "fragment", "query"],
    "response_types_supported": RESPONSE_TYPES,
    "scopes_supported": OIDC_SCOPES,
    "subject_types_supported": ["public"],
    "token_endpoint_auth_methods_supported": [
        "client_secret_basic",
        "client_secret_jwt",
        "client_secret_post",
        "private_key_jwt",
        "none",
    ],
    "token_endpoint_auth_signing_alg_values_supported": [
        "HS256",
        "RS256",
        "PS256",
        "ES256",
        "Ed25519",
        "EdDSA",
    ],
}

blueprint = Blueprint("discovery", __name__, url_prefix="/oidc")


@blueprint.get("/.well-known/openid-configuration")
@blueprint.get("/.well-known/oauth-authorization-server")
async def metadata() -> Response:
    return json_response(provider_metadata(current_settings().issuer, f"{origin_of(request)}/oidc"))


@blueprint.get("/jwks")
async def jwks() -> Response:
    with current_store().begin() as connection:
        key_set = current_keys().published(connection)
    return json_response(
        key_set,
        content_type="application/jwk-set+json; charset=utf-8",
        headers={"Cache-Control": "no-cache, max-age=0, must-revalidate"},
    )


def provider_metadata(issuer: str, base: str) -> dict[str, Any]:
    """Return the metadata. The issuer is fixed; other URLs are under ``base``, the origin of the request."""
    endpoints = {name: f"{base}/{path}" for name, path in _ENDPOINTS.items()}
    return {"issuer": issuer, **endpoints, **_CAPABILITIES}
