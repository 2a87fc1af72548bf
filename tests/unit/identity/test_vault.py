"""Encryption and signing of values at rest."""

import pytest
from cryptography.fernet import Fernet, InvalidToken
from pydantic import SecretStr

from saas_app.identity.vault import Vault, fingerprint, new_cookie_value


def key() -> SecretStr:
    return SecretStr(Fernet.generate_key().decode())


def test_a_sealed_text_is_unreadable_and_can_be_opened() -> None:
    vault = Vault([key()])
    sealed = vault.seal("a refresh token")

    assert b"refresh" not in sealed
    assert vault.open(sealed) == "a refresh token"


def test_after_a_rotation_a_text_sealed_with_the_old_key_can_be_opened() -> None:
    old, new = key(), key()
    assert Vault([new, old]).open(Vault([old]).seal("kept")) == "kept"


def test_after_a_rotation_the_old_key_alone_does_not_open_new_texts() -> None:
    old, new = key(), key()
    with pytest.raises(InvalidToken):
        Vault([old]).open(Vault([new, old]).seal("fresh"))


def test_after_a_rotation_a_text_is_sealed_again_with_the_new_key_and_then_stays() -> None:
    old, new = key(), key()
    both = Vault([new, old])

    renewed = both.renew(Vault([old]).seal("kept"))

    assert Vault([new]).open(renewed) == "kept"
    assert both.renew(renewed) == renewed


def test_a_text_that_no_key_opens_cannot_be_sealed_again() -> None:
    with pytest.raises(InvalidToken):
        Vault([key()]).renew(Vault([key()]).seal("kept"))


def test_cookie_values_have_256_bits_and_only_their_fingerprint_is_stored() -> None:
    value = new_cookie_value()

    assert len(value) == 43
    assert value != new_cookie_value()
    assert len(fingerprint(value)) == 32


def test_a_stamped_value_stays_readable_text() -> None:
    assert Vault([key()]).stamp("owner", "u1.x").startswith("u1.x.")


def test_a_stamp_is_valid_with_any_of_the_keys_after_a_rotation() -> None:
    old, new = key(), key()
    stamped = Vault([old]).stamp("owner", "u1.x")
    assert Vault([new, old]).read_stamped("owner", stamped) == "u1.x"


def test_a_stamp_is_invalid_without_its_key() -> None:
    stamped = Vault([key()]).stamp("owner", "u1.x")
    assert Vault([key()]).read_stamped("owner", stamped) is None


def test_a_stamp_is_invalid_for_another_purpose() -> None:
    vault = Vault([key()])
    assert vault.read_stamped("another purpose", vault.stamp("owner", "u1.x")) is None


def test_a_forged_stamp_is_invalid() -> None:
    vault = Vault([key()])
    stamped = vault.stamp("owner", "u1.x")
    for forged in ("", ".", "u1.x", stamped.replace("u1", "u2"), stamped[:-1], stamped + "ü"):
        assert vault.read_stamped("owner", forged) is None
