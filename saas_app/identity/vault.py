"""Encryption at rest: stored tokens and forms are unreadable to anyone who only has the database."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import SecretStr


class Vault:
    """Encrypts with the first key and decrypts with any, so keys can rotate."""

    def __init__(self, keys: Sequence[SecretStr]) -> None:
        fernets = [Fernet(key.get_secret_value()) for key in keys]
        self._fernet, self._first = MultiFernet(fernets), fernets[0]
        first = keys[0].get_secret_value().encode()
        self.signing_key = hashlib.sha256(b"workroom notices" + first).hexdigest()
        self._secrets = [key.get_secret_value().encode() for key in keys]
        self._stamping_keys = [
            hashlib.sha256(b"workroom stamps" + key.get_secret_value().encode()).digest() for key in keys
        ]

    def seal(self, text: str) -> bytes:
        """Encrypt a string for the database."""
        return self._fernet.encrypt(text.encode())

    def open(self, sealed: bytes) -> str:
        """Decrypt a result of :meth:`seal`. Raises ``InvalidToken`` if no key fits."""
        return self._fernet.decrypt(sealed).decode()

    def renew(self, sealed: bytes) -> bytes:
        """Return a result of :meth:`seal` as it is, or encrypted with the first key if another one was used.

        Raises ``InvalidToken`` if no key fits.
        """
        try:
            self._first.decrypt(sealed)
        except InvalidToken:
            return self._fernet.rotate(sealed)
        return sealed

    def find(self, sealed: str | bytes) -> str | None:
        """Decrypt a value from outside, or one sealed with a lost key. Returns None if no key fits."""
        try:
            return self._fernet.decrypt(sealed).decode()
        except (InvalidToken, ValueError):  # a ValueError for letters beyond ASCII, and if it is no text
            return None

    def derive(self, purpose: str) -> tuple[bytes, ...]:
        """Return 64 secret bytes for one purpose from each key, in the order of the keys."""
        return tuple(hmac.digest(secret, purpose.encode(), hashlib.sha512) for secret in self._secrets)

    def stamp(self, purpose: str, text: str) -> str:
        """Sign a text for one purpose. The text stays readable."""
        return f"{text}.{_proof(self._stamping_keys[0], purpose, text)}"

    def read_stamped(self, purpose: str, stamped: str) -> str | None:
        """Return the text that :meth:`stamp` signed for this purpose, or None if the signature is wrong."""
        text, _, proof = stamped.rpartition(".")
        given = proof.encode("utf-8", "replace")
        proofs = [_proof(key, purpose, text).encode() for key in self._stamping_keys]
        return text if any(hmac.compare_digest(given, expected) for expected in proofs) else None


def _proof(key: bytes, purpose: str, text: str) -> str:
    return hmac.new(key, f"{purpose}\0{text}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def new_cookie_value() -> str:
    """Return 256 random bits, URL-safe, for a cookie."""
    return secrets.token_urlsafe(32)


def fingerprint(value: str) -> bytes:
    """Return the SHA-256 hash of a secret random value, to store or remember in its place."""
    return hashlib.sha256(value.encode()).digest()
