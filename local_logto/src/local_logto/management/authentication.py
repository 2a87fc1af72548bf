"""Access to the Management API: a bearer token for its resource with the scope ``all``."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from quart import request

from local_logto.context import current_settings, current_store
from local_logto.crypto.keys import ALGORITHM
from local_logto.crypto.signed_tokens import current_keys, unverified_header, verified_claims
from local_logto.errors import RequestError
from local_logto.oidc.scopes import MANAGEMENT_RESOURCE, MANAGEMENT_SCOPE
from local_logto.refusals import refusal

Fault = Mapping[str, Any]


def require_management_token() -> None:
    """Check the request's bearer token. Raises Logto's 401 and 403 (``auth.*``)."""
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
    token = header.removeprefix("Bearer").strip()
    with current_store().begin() as connection:
        claims = verified_claims(connection, token)
    fault = _fault_of_signature(token) if claims is None else _fault_of_claims(claims)
    if claims is None or fault is not None:
        raise RequestError(
            401, "auth.unauthorized", "Unauthorized. Please check credentials and its scope.", data=fault
        )
    if MANAGEMENT_SCOPE not in str(claims.get("scope", "")).split(" "):
        raise refusal("auth.forbidden")


def _fault_of_signature(token: str) -> Fault:
    """Say why a token can't be verified, in the terms of jose, the library that Logto verifies with."""
    header = unverified_header(token)
    if header is None:
        return {"code": "ERR_JWS_INVALID", "name": "JWSInvalid"}
    if header.get("alg") != ALGORITHM:
        return {"code": "ERR_JOSE_NOT_SUPPORTED", "name": "JOSENotSupported"}
    with current_store().begin() as connection:
        key = current_keys().find(connection, str(header.get("kid", "")))
    if key is None:
        return {"code": "ERR_JWKS_NO_MATCHING_KEY", "name": "JWKSNoMatchingKey"}
    return {"code": "ERR_JWS_SIGNATURE_VERIFICATION_FAILED", "name": "JWSSignatureVerificationFailed"}


def _fault_of_claims(claims: Mapping[str, Any]) -> Fault | None:
    for claim, expected in (("iss", current_settings().issuer), ("aud", MANAGEMENT_RESOURCE)):
        if claims.get(claim) != expected:
            kind = {"code": "ERR_JWT_CLAIM_VALIDATION_FAILED", "name": "JWTClaimValidationFailed"}
            return {**kind, "claim": claim, "reason": "check_failed", "payload": claims}
    if claims.get("exp", 0) <= time.time():
        kind = {"code": "ERR_JWT_EXPIRED", "name": "JWTExpired"}
        return {**kind, "claim": "exp", "reason": "check_failed", "payload": claims}
    return None
