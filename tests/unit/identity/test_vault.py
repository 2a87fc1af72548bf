"""Encryption at rest."""

import pytest
from cryptography.fernet import Fernet, InvalidToken
from pydantic import SecretStr

from saas_app.identity.vault import Vault, fingerprint, new_cookie_value


def key() -> SecretStr:
    return SecretStr(Fernet.generate_key().decode())


def test_what_is_sealed_is_unreadable_and_opens_again() -> None:
    vault = Vault([key()])
    sealed = vault.seal("a refresh token")

    assert b"refresh" not in sealed
    assert vault.open(sealed) == "a refresh token"


def test_keys_rotate_and_an_old_key_alone_does_not_read_new_rows() -> None:
    old, new = key(), key()
    before = Vault([old]).seal("kept")
    rotated = Vault([new, old])

    assert rotated.open(before) == "kept"
    with pytest.raises(InvalidToken):
        Vault([old]).open(rotated.seal("fresh"))


def test_cookie_values_have_256_bits_and_are_not_what_is_stored() -> None:
    value = new_cookie_value()

    assert len(value) == 43
    assert value != new_cookie_value()
    assert len(fingerprint(value)) == 32


def test_a_stamp_is_readable_with_any_key_and_only_for_its_purpose() -> None:
    old, new = key(), key()
    stamped = Vault([old]).stamp("owner", "u1.x")

    assert stamped.startswith("u1.x.")
    assert Vault([new, old]).read_stamped("owner", stamped) == "u1.x"
    assert Vault([new]).read_stamped("owner", stamped) is None
    assert Vault([old]).read_stamped("another purpose", stamped) is None
    for forged in ("", ".", "u1.x", stamped.replace("u1", "u2"), stamped[:-1], stamped + "ü"):
        assert Vault([old]).read_stamped("owner", forged) is None
