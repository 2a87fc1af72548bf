"""One row at a time: read, created, changed, deleted by id, with Logto's refusals when it is not there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from local_logto.management.failures import no_values, not_exists, not_exists_with_id, not_found

Values = Mapping[str, Any]


def snake(name: str) -> str:
    """A member's name on the wire as the column's name."""
    return re.sub(r"(?<!^)([A-Z])", lambda match: f"_{match[1].lower()}", name)


def camel(name: str) -> str:
    """A column's name as the member's name on the wire."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def to_columns(members: Values) -> dict[str, Any]:
    """The checked members of a body as values of columns."""
    return {snake(name): value for name, value in members.items()}


def any_holds(wanted: str, columns: Iterable[sa.Column[Any]]) -> sa.ColumnElement[bool]:
    """Whether any of the columns holds the text, in any case."""
    return sa.or_(*(column.icontains(wanted, autoescape=True) for column in columns))


async def find_row(
    connection: AsyncConnection, table: sa.Table, *conditions: sa.ColumnElement[bool]
) -> sa.RowMapping | None:
    query = sa.select(table).where(*conditions)
    return (await connection.execute(query)).mappings().one_or_none()


async def get_row(connection: AsyncConnection, table: sa.Table, row_id: str) -> sa.RowMapping:
    """The row with this id; 404 ``entity.not_exists_with_id`` when there is none."""
    row = await find_row(connection, table, table.c.id == row_id)
    if row is None:
        raise not_exists_with_id(table.name, row_id)
    return row


async def get_row_unnamed(connection: AsyncConnection, table: sa.Table, row_id: str) -> sa.RowMapping:
    """The row with this id; 404 ``entity.not_found``, as some families have it, when there is none."""
    row = await find_row(connection, table, table.c.id == row_id)
    if row is None:
        raise not_found()
    return row


async def insert_row(connection: AsyncConnection, table: sa.Table, values: Values) -> sa.RowMapping:
    """Create a row and return it as stored, defaults included."""
    statement = sa.insert(table).values(**values).returning(*table.c)
    return (await connection.execute(statement)).mappings().one()


async def update_row(
    connection: AsyncConnection, table: sa.Table, values: Values, *conditions: sa.ColumnElement[bool]
) -> sa.RowMapping:
    """Change the one row that fits and return it; 404 ``entity.not_exists`` when there is none.

    Without a value to write it is 422 ``entity.invalid_input``, whether or not there is such a row.
    """
    if not values:
        raise no_values()
    change = sa.update(table).where(*conditions).values(**values).returning(*table.c)
    row = (await connection.execute(change)).mappings().one_or_none()
    if row is None:
        raise not_exists(table.name.removesuffix("s"))
    return row


async def delete_row(
    connection: AsyncConnection, table: sa.Table, *conditions: sa.ColumnElement[bool]
) -> None:
    """Delete the one row that fits; 404 ``entity.not_found`` when there is none."""
    deleted = await connection.execute(sa.delete(table).where(*conditions))
    if deleted.rowcount == 0:
        raise not_found()
