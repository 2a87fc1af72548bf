"""The tenant's settings in the store: one JSON value per key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from local_logto.store import Store
from local_logto.tables import configs

SIGN_IN_EXP: Final = "sign-in-exp"


def read_setting(store: Store, key: str) -> dict[str, Any]:
    """Return the value of a key that was seeded at the first start."""
    query = sa.select(configs.c.value).where(configs.c.key == key)
    with store.begin() as connection:
        value: dict[str, Any] = connection.execute(query).scalar_one()
    return value


def write_setting(store: Store, key: str, value: Mapping[str, Any]) -> None:
    row = insert(configs).values(key=key, value=dict(value))
    with store.begin() as connection:
        connection.execute(row.on_conflict_do_update(index_elements=["key"], set_={"value": dict(value)}))


def seed_setting(store: Store, key: str, value: Mapping[str, Any]) -> None:
    """Store the value if the key has none."""
    with store.begin() as connection:
        connection.execute(insert(configs).values(key=key, value=dict(value)).on_conflict_do_nothing())
