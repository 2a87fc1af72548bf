"""Password hashes: argon2, computed away from the event loop. The password policy is elsewhere."""

from __future__ import annotations

import asyncio
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# Cheap, to keep seeding and tests fast: this is a development provider, and its passwords are test data.
_HASHER = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1)


async def hash_password(password: str) -> str:
    return await asyncio.to_thread(_HASHER.hash, password)


async def verify_password(password_hash: str | None, password: str) -> bool:
    """Return whether the password is correct. Without a hash, the check takes as long, so that timing
    reveals nothing.
    """
    return await asyncio.to_thread(_verify, password_hash, password)


def _verify(password_hash: str | None, password: str) -> bool:
    try:
        return _HASHER.verify(password_hash or _hash_of_nobody(), password) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


@cache
def _hash_of_nobody() -> str:
    return _HASHER.hash("the password of nobody")
