"""Subject tokens: a program gets one for a person, and exchanges it once to act as them (Logto RFC 0005)."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from local_logto.crypto.opaque_values import hash_of
from local_logto.oidc.tables import subject_tokens
from local_logto.store import new_id, now_ms

LIFETIME_SECONDS: Final = 600
PREFIX: Final = "sub_"
_c = subject_tokens.c


def create(connection: sa.Connection, user_id: str) -> str:
    """Store a new token and return its value, of which only the hash is stored."""
    value = f"{PREFIX}{new_id()}"
    row = {
        "value_hash": hash_of(value),
        "user_id": user_id,
        "expires_at": now_ms() + LIFETIME_SECONDS * 1000,
    }
    connection.execute(sa.insert(subject_tokens).values(**row))
    return value


def use(connection: sa.Connection, value: str) -> str | None:
    """Consume the token and return its person, or None if it is unknown, expired or used.

    A rollback makes the token usable again. Of several concurrent uses, exactly one succeeds.
    """
    moment = now_ms()
    usable = _c.value_hash == hash_of(value), _c.consumed_at.is_(None), _c.expires_at > moment
    change = sa.update(subject_tokens).where(*usable).values(consumed_at=moment).returning(_c.user_id)
    return connection.execute(change).scalar_one_or_none()
