"""What we publish and sign as an identity provider for Logto (OpenID Connect Discovery 1.0, Core 1.0)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from saas_app.identity.vault import Vault
from saas_app.single_sign_on.broker.registration import PREFIX, Registration
from saas_app.single_sign_on.values import BASE_SCOPES

KEYS_PATH: Final = f"{PREFIX}/keys"
LIFETIME: Final = 300
"""Seconds for which an ID token is valid. Logto reads it at once."""

_ALGORITHM: Final = "ES256"
_CURVE: Final = ec.SECP256R1()
_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""The order of the curve P-256 (FIPS 186-5, SP 800-186): private keys are from 1 to one less."""


@dataclass(frozen=True, slots=True)
class _Key:
    private: ec.EllipticCurvePrivateKey
    published: Mapping[str, Any]


class Signer:
    """Signs ID tokens with a key that follows from the first of our keys. The others still verify them."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def sign(self, claims: Mapping[str, Any]) -> str:
        """Return a signed token with these claims, which is valid from now on for :data:`LIFETIME`."""
        now, key = int(time.time()), self._keys[0]
        signed = {**claims, "iat": now, "exp": now + LIFETIME}
        return jwt.encode(signed, key.private, _ALGORITHM, {"kid": key.published["kid"]})

    def published_keys(self) -> dict[str, Any]:
        """Return the public keys (RFC 7517)."""
        return {"keys": [dict(key.published) for key in self._keys]}

    @cached_property
    def _keys(self) -> tuple[_Key, ...]:
        return tuple(map(_derive, self._vault.derive("signing key of the broker")))


def metadata_of(registration: Registration, connector_id: str) -> dict[str, Any]:
    """Return the metadata that we publish to Logto for a connector."""
    issuer = registration.issuer(connector_id)
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "jwks_uri": f"{registration.app_url}{KEYS_PATH}",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["public"],
        "scopes_supported": list(BASE_SCOPES),
        "id_token_signing_alg_values_supported": [_ALGORITHM],
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        "authorization_response_iss_parameter_supported": True,
    }


def _derive(seed: bytes) -> _Key:
    private = ec.derive_private_key(int.from_bytes(seed, "big") % (_ORDER - 1) + 1, _CURVE)
    public = ECAlgorithm.to_jwk(private.public_key(), as_dict=True)
    key_id = sha256(f"{public['x']}.{public['y']}".encode()).hexdigest()[:16]
    return _Key(private, {**public, "kid": key_id, "use": "sig", "alg": _ALGORITHM})
