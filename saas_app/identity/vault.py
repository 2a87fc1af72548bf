"""Encryption at rest: what a session keeps of tokens is unreadable to whoever reads the database."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence

from cryptography.fernet import Fernet, MultiFernet
from pydantic import SecretStr


class Vault:
    """Encrypts with the first key and decrypts with any of them, so that keys can rotate."""

    def __init__(self, keys: Sequence[SecretStr]) -> None:
        self._fernet = MultiFernet([Fernet(key.get_secret_value()) for key in keys])
        first = keys[0].get_secret_value().encode()
        self.signing_key = hashlib.sha256(b"workroom notices" + first).hexdigest()

    def seal(self, text: str) -> bytes:
        """Encrypt a string for the database."""
        return self._fernet.encrypt(text.encode())

    def open(self, sealed: bytes) -> str:
        """Decrypt what :meth:`seal` made. Raises ``InvalidToken`` when no key fits."""
        return self._fernet.decrypt(sealed).decode()


def new_cookie_value() -> str:
    """256 random bits, URL-safe: the whole content of an identity cookie."""
    return secrets.token_urlsafe(32)


def fingerprint(value: str) -> bytes:
    """SHA-256 of a random value: what the database keeps in place of the value itself."""
    return hashlib.sha256(value.encode()).digest()
