"""A row of any table, made from its columns, so that tests of all tables need no list of them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from saas_app.db.base import new_uuid, utc_now

_LATER = timedelta(days=1)


async def insert_two_tenants(admin_url: str, tables: Iterable[sa.Table]) -> tuple[str, str]:
    """Make up two organizations with a row in each of these tables, and return their ids."""
    tenants = (f"a{uuid.uuid4().hex[:11]}", f"b{uuid.uuid4().hex[:11]}")
    engine = create_async_engine(admin_url)
    async with engine.begin() as connection:
        for organization_id in tenants:
            for table in tables:
                await insert_any_row(connection, table, organization_id)
    await engine.dispose()
    return tenants


async def insert_any_row(connection: AsyncConnection, table: sa.Table, organization_id: str) -> None:
    """Insert a row of an organization, without checks of foreign keys and without triggers.

    ``connection`` is a superuser's, and in a transaction.
    """
    await connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
    row = {column.key: _value(column) for column in table.columns}
    for name in ("organization_id", "id" if table.name == "organizations" else "organization_id"):
        if name in row:
            row[name] = organization_id
    await connection.execute(sa.insert(table).values(row))


def _value(column: sa.Column[Any]) -> Any:
    kind = column.type.python_type
    if isinstance(column.type, sa.Enum):
        return next(iter(column.type.enum_class))  # type: ignore[arg-type]
    if isinstance(column.type, sa.JSON):
        return {}
    if isinstance(column.type, sa.LargeBinary):
        return uuid.uuid4().bytes
    width = min(getattr(column.type, "length", None) or 16, 16)
    made = {str: uuid.uuid4().hex[:width], int: 1, bool: True, uuid.UUID: new_uuid(), date: utc_now().date()}
    return made.get(kind, utc_now() + _LATER)
