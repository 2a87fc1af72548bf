"""Opaque values (codes, tokens, session ids): 43 URL-safe characters, stored only as a hash."""

from __future__ import annotations

import hashlib
import secrets


def new_opaque_value() -> str:
    """Return 256 random bits as 43 characters of ``[0-9A-Za-z_-]``."""
    return secrets.token_urlsafe(32)


def hash_of(value: str) -> str:
    """Return what is stored of an opaque value: its SHA-256 in hex."""
    return hashlib.sha256(value.encode()).hexdigest()
