"""Who may use the Management API: bearers of a token for its resource that carries the scope ``all``."""

from __future__ import annotations

import time
from dataclasses import dataclass

from quart import request

from local_logto.context import current_settings
from local_logto.crypto.signed_tokens import verified_claims
from local_logto.errors import RequestError
from local_logto.oidc.scopes import MANAGEMENT_RESOURCE, MANAGEMENT_SCOPE
from local_logto.refusals import refusal


@dataclass(frozen=True)
class ManagementCaller:
    """The machine application (``id``) behind a Management API call."""

    id: str


async def require_management_token() -> ManagementCaller:
    """Check the current request's bearer token; raises Logto's 401 and 403 (``auth.*``)."""
    header = request.headers.get("Authorization")
    if not header:
        raise RequestError(401, "auth.authorization_header_missing", "Authorization header is missing.")
    if not header.startswith("Bearer"):
        raise RequestError(
            401,
            "auth.authorization_token_type_not_supported",
            "Authorization type is not supported.",
            data={"supportedTypes": ["Bearer"]},
        )
    claims = await verified_claims(header.removeprefix("Bearer").strip())
    issuer = current_settings().issuer
    if (
        claims is None
        or claims.get("iss") != issuer
        or claims.get("aud") != MANAGEMENT_RESOURCE
        or claims.get("exp", 0) <= time.time()
    ):
        raise RequestError(401, "auth.unauthorized", "Unauthorized. Please check credentials and its scope.")
    if MANAGEMENT_SCOPE not in str(claims.get("scope", "")).split(" "):
        raise refusal("auth.forbidden")
    return ManagementCaller(id=str(claims["sub"]))
