"""Passwords of roles: hashed as PostgreSQL's clients hash them."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from saas_app.operations.database.roles import _verifier


@pytest.mark.parametrize(
    ("password", "normalized"),
    [
        ("pa'ss\\w%rd", "pa'ss\\w%rd"),
        ("p\u00e4ss", "p\u00e4ss"),
        ("pa\u0308ss", "p\u00e4ss"),
        ("\ufb01ne", "fine"),
        ("a\u00a0b", "a b"),
        ("so\u00adft", "soft"),
    ],
    ids=["ascii", "composed", "decomposed", "ligature", "space", "soft-hyphen"],
)
def test_a_password_is_hashed_in_its_normal_form(password: str, normalized: str) -> None:
    iterations, _, rest = _verifier(password).removeprefix("SCRAM-SHA-256$").partition(":")
    salt, keys = rest.split("$")
    salted = hashlib.pbkdf2_hmac("sha256", normalized.encode(), base64.b64decode(salt), int(iterations))
    server = hmac.digest(salted, b"Server Key", "sha256")

    assert keys.split(":")[1] == base64.b64encode(server).decode()
