"""Which algorithms and public keys may sign the ID tokens of a company's identity provider. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_RSA: Final = ("RSA", frozenset[str]())
ALGORITHMS: Final[Mapping[str, tuple[str, frozenset[str]]]] = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), _RSA),
    "ES256": ("EC", frozenset({"P-256"})),
    "ES384": ("EC", frozenset({"P-384"})),
    "ES512": ("EC", frozenset({"P-521"})),
    "ES256K": ("EC", frozenset({"secp256k1"})),
    "EdDSA": ("OKP", frozenset({"Ed25519", "Ed448"})),
}
"""The accepted algorithms, which all need a public key: its type (``kty``) and the possible curves."""

_MEMBERS: Final = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}


def verifies_signatures(key: object) -> bool:
    """Return whether a JSON Web Key (RFC 7517) is a complete public key that is not for encryption only.

    One that contains its private part is nobody's signature.
    """
    if not isinstance(key, dict) or key.get("use", "sig") != "sig" or "d" in key:
        return False
    members = _MEMBERS.get(str(key.get("kty")), ())
    return bool(members) and all(isinstance(key.get(member), str) and key[member] for member in members)


def fits(key: Mapping[str, Any], algorithm: str) -> bool:
    """Return whether a key for signatures may be used with this accepted algorithm."""
    key_type, curves = ALGORITHMS[algorithm]
    if key["kty"] != key_type or (curves and key["crv"] not in curves):
        return False
    return key.get("alg") in (None, algorithm)
