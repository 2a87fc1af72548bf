"""The keys and ID tokens of the broker."""

from __future__ import annotations

import time

import jwt
import pytest
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import SecretStr

from saas_app.identity.vault import Vault
from saas_app.single_sign_on.broker.signing import _ORDER, LIFETIME, Signer, _derive


def key() -> SecretStr:
    return SecretStr(Fernet.generate_key().decode())


OLD, NEW = key(), key()


def verify(token: str, signer: Signer) -> dict[str, object]:
    """Return the claims of a token, verified with what a signer publishes."""
    keys = jwt.PyJWKSet.from_dict(signer.published_keys())
    found = keys[jwt.get_unverified_header(token)["kid"]]
    claims: dict[str, object] = jwt.decode(token, found, algorithms=["ES256"], audience="connector")
    return claims


def test_a_token_is_valid_from_now_on_for_its_lifetime() -> None:
    signer, before = Signer(Vault([OLD])), int(time.time())

    claims = verify(signer.sign({"aud": "connector", "sub": "carol"}), signer)

    issued = claims["iat"]
    assert isinstance(issued, int)
    assert before <= issued <= time.time()
    assert claims == {"aud": "connector", "sub": "carol", "iat": issued, "exp": issued + LIFETIME}


def test_every_process_with_the_same_key_verifies_a_token() -> None:
    token = Signer(Vault([OLD])).sign({"aud": "connector"})

    assert verify(token, Signer(Vault([OLD])))["aud"] == "connector"


def test_a_token_from_before_a_rotation_is_verified_after_it() -> None:
    token = Signer(Vault([OLD])).sign({"aud": "connector"})

    assert verify(token, Signer(Vault([NEW, OLD])))["aud"] == "connector"


def test_the_first_key_signs() -> None:
    token = Signer(Vault([NEW, OLD])).sign({"aud": "connector"})

    assert verify(token, Signer(Vault([NEW])))["aud"] == "connector"


def test_a_key_that_was_removed_verifies_nothing() -> None:
    token = Signer(Vault([OLD])).sign({"aud": "connector"})

    with pytest.raises(KeyError):
        verify(token, Signer(Vault([NEW])))


@pytest.mark.parametrize("seed", [b"\x00" * 64, b"\xff" * 64, _ORDER.to_bytes(64, "big"), b"\x01"])
def test_every_seed_gives_a_key(seed: bytes) -> None:
    found = _derive(seed)

    assert "d" not in found.published
    assert 1 <= found.private.private_numbers().private_value < _ORDER


def test_the_order_is_that_of_the_curve() -> None:
    """Python's cryptography refuses a private key that is not below it."""
    ec.derive_private_key(_ORDER - 1, ec.SECP256R1())
    with pytest.raises(ValueError, match="out of range"):
        ec.derive_private_key(_ORDER, ec.SECP256R1())
