"""Secrets that the provider generates once and stores in its database."""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from local_logto.store import Store
from local_logto.tables import provider_secrets


def read_or_create(store: Store, name: str) -> bytes:
    """Return the secret with this name: 32 random bytes, created by the first call."""
    fresh = insert(provider_secrets).values(name=name, value=secrets.token_hex(32)).on_conflict_do_nothing()
    query = sa.select(provider_secrets.c.value).where(provider_secrets.c.name == name)
    with store.begin() as connection:
        connection.execute(fresh)
        value: str = connection.execute(query).scalar_one()
    return bytes.fromhex(value)
