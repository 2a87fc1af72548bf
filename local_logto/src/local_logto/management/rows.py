"""Single rows: read, create, change and delete, with Logto's errors for missing ones."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from local_logto.management.failures import no_values, not_exists, not_exists_with_id, not_found

Values = Mapping[str, Any]


def snake(name: str) -> str:
    """Convert a JSON member's name to the column's name."""
    return re.sub(r"(?<!^)([A-Z])", lambda match: f"_{match[1].lower()}", name)


def camel(name: str) -> str:
    """Convert a column's name to the JSON member's name."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def to_columns(members: Values) -> dict[str, Any]:
    """Return the checked members of a body as column values."""
    return {snake(name): value for name, value in members.items()}


def contains_text(wanted: str, columns: Iterable[sa.Column[Any]]) -> sa.ColumnElement[bool]:
    """Return a condition for rows with the text in any of the columns, ignoring case."""
    return sa.or_(*(column.icontains(wanted, autoescape=True) for column in columns))


def find_row(
    connection: sa.Connection, table: sa.Table, *conditions: sa.ColumnElement[bool]
) -> sa.RowMapping | None:
    query = sa.select(table).where(*conditions)
    return connection.execute(query).mappings().one_or_none()


def get_row(connection: sa.Connection, table: sa.Table, row_id: str) -> sa.RowMapping:
    """Return the row with this ID. Raises 404 ``entity.not_exists_with_id``."""
    row = find_row(connection, table, table.c.id == row_id)
    if row is None:
        raise not_exists_with_id(table.name, row_id)
    return row


def get_row_unnamed(connection: sa.Connection, table: sa.Table, row_id: str) -> sa.RowMapping:
    """Return the row with this ID. Raises 404 ``entity.not_found``, as some families do."""
    row = find_row(connection, table, table.c.id == row_id)
    if row is None:
        raise not_found()
    return row


def insert_row(connection: sa.Connection, table: sa.Table, values: Values) -> sa.RowMapping:
    """Insert a row and return it as stored, including defaults."""
    statement = sa.insert(table).values(**values).returning(*table.c)
    return connection.execute(statement).mappings().one()


def update_row(
    connection: sa.Connection, table: sa.Table, values: Values, *conditions: sa.ColumnElement[bool]
) -> sa.RowMapping:
    """Update the one matching row and return it. Raises 404 ``entity.not_exists`` if there is none.

    Without values it raises 422 ``entity.invalid_input``, whether or not the row exists.
    """
    if not values:
        raise no_values()
    change = sa.update(table).where(*conditions).values(**values).returning(*table.c)
    row = connection.execute(change).mappings().one_or_none()
    if row is None:
        raise not_exists(table.name.removesuffix("s"))
    return row


def delete_row(connection: sa.Connection, table: sa.Table, *conditions: sa.ColumnElement[bool]) -> None:
    """Delete the one matching row. Raises 404 ``entity.not_found`` if there is none."""
    deleted = connection.execute(sa.delete(table).where(*conditions))
    if deleted.rowcount == 0:
        raise not_found()
