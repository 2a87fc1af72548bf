"""Verifies the ID tokens of a company's identity provider (OpenID Connect Core §3.1.3.7).

The provider's keys change without notice and are fetched for each sign-in. The algorithm must fit the type of
the key, so a public key is never taken for a shared secret (RFC 8725 §3.1).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import jwt

from saas_app.models import SsoFailure
from saas_app.single_sign_on.broker.provider_errors import untimely, untrusted
from saas_app.single_sign_on.signatures import ALGORITHMS, fits
from saas_app.text.cleaning import clean_json

SUBJECT_LENGTH: Final = 255
"""Characters of the name that a provider has for a person (OpenID Connect Core §2)."""

PROTOCOL_CLAIMS: Final = frozenset(
    {
        *("iss", "sub", "aud", "azp", "exp", "iat", "nbf", "nonce", "auth_time"),
        *("acr", "amr", "jti", "sid", "at_hash", "c_hash"),
    }
)
"""Claims about the token and the sign-in. Nothing but the ID token itself can say them."""

_LEEWAY: Final = 60  # seconds that the provider's clock may differ
_OLDEST: Final = 600  # seconds. The token is fetched right after it is issued
_LAST_SECOND: Final = 253_402_300_799  # of the year 9999
_UNTIMELY: Final = (jwt.ExpiredSignatureError, jwt.ImmatureSignatureError)


def verify_id_token(
    token: str, keys: Sequence[Mapping[str, Any]], *, issuer: str, client_id: str, nonce: str
) -> dict[str, Any]:
    """Return the claims of an ID token, with their texts cleaned.

    ``keys`` are complete public keys for signatures, ``issuer`` is the published one, and ``nonce`` what this
    sign-in sent. Raises :class:`~.provider_errors.ProviderRefused`.
    """
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key=_find_key(token, keys),
            algorithms=list(ALGORITHMS),
            audience=client_id,
            issuer=issuer,
            leeway=_LEEWAY,
            options={
                "require": ["iss", "sub", "aud", "exp", "iat", "nonce"],
                "enforce_minimum_key_length": True,
            },
        )
        cleaned: dict[str, Any] = clean_json(claims)
    except _UNTIMELY:
        raise untimely() from None
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise untrusted(type(error).__name__, _failure_of(error)) from None
    if any(cleaned.get(name) != claims.get(name) for name in PROTOCOL_CLAIMS):
        raise untrusted("unclean text", None)  # such as the nonce
    _check_times(cleaned)
    _check_parties(cleaned, client_id)
    if not nonce or cleaned["nonce"] != nonce:
        raise untrusted("nonce", None)
    if not cleaned["sub"].strip() or len(cleaned["sub"]) > SUBJECT_LENGTH:
        raise untrusted("sub")
    return cleaned


def _failure_of(error: Exception) -> SsoFailure | None:
    """Return what a token that is not valid says of the provider. A browser can leave the nonce out."""
    if isinstance(error, jwt.InvalidSignatureError):
        return SsoFailure.KEYS
    is_nonce = isinstance(error, jwt.MissingRequiredClaimError) and error.claim == "nonce"
    return None if is_nonce else SsoFailure.TOKENS


def _find_key(token: str, keys: Sequence[Mapping[str, Any]]) -> jwt.PyJWK:
    """Return the key that the token's header names or, if it names none, the only key that fits."""
    header = jwt.get_unverified_header(token)
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise untrusted("algorithm", SsoFailure.KEYS)
    named = [key for key in keys if key.get("kid") == header["kid"]] if "kid" in header else keys
    fitting = [key for key in named if fits(key, algorithm)]
    if len(fitting) != 1:
        what = "no key fits" if not fitting else "several keys fit"
        raise untrusted(what, SsoFailure.KEYS)
    return jwt.PyJWK(dict(fitting[0]), algorithm)


def _check_times(claims: Mapping[str, Any]) -> None:
    """Check what PyJWT does not: that the times are numbers, and that the token was issued just now."""
    for name in ("exp", "iat", "nbf"):
        value = claims.get(name, 0)
        if type(value) not in (int, float) or not 0 <= value <= _LAST_SECOND:
            raise untrusted(name)
    if claims["iat"] < time.time() - _OLDEST:
        raise untimely()


def _check_parties(claims: Mapping[str, Any], client_id: str) -> None:
    """Check the party that a token was issued to: us, if it names one or is for several audiences."""
    audience = claims["aud"]
    is_shared = isinstance(audience, list) and len(audience) > 1
    if (is_shared or "azp" in claims) and claims.get("azp") != client_id:
        raise untrusted("azp")
