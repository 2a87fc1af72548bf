"""Creating the tables, and completing those that an older version created.

The file is local and cheap to recreate, so there are no migrations. Columns that SQLite can add without
rewriting rows are added, second factors are converted, and any other difference is reported in one line.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import ReflectedColumn
from sqlalchemy.schema import CreateColumn

from local_logto.translation import _


class OutdatedSchema(Exception):
    """The file was created by another version, and its tables can't be completed."""


def create_or_complete(connection: sa.Connection, metadata: sa.MetaData) -> None:
    """Create or complete the tables. Raises ``OutdatedSchema`` if that needs a new file."""
    columns = {name: found for (_schema, name), found in sa.inspect(connection).get_multi_columns().items()}
    missing = [table for table in metadata.sorted_tables if table.name not in columns]
    for table in metadata.sorted_tables:
        if table.name in columns:
            _complete(connection, table, {column["name"]: column for column in columns[table.name]})
    metadata.create_all(connection, missing, checkfirst=False)
    _renew_factors(connection, metadata.tables["users"])


def _complete(connection: sa.Connection, table: sa.Table, present: Mapping[str, ReflectedColumn]) -> None:
    for name, found in present.items():
        if name not in table.c and not found["nullable"] and found["default"] is None:
            raise OutdatedSchema(
                _(
                    "another version created it: its table %(table)s requires %(column)s",
                    table=table.name,
                    column=name,
                )
            )
    for column in table.columns:
        if column.name not in present:
            _add(connection, column)


def _add(connection: sa.Connection, column: sa.Column[object]) -> None:
    is_optional = column.nullable or column.server_default is not None
    if not is_optional or column.primary_key or column.unique or column.foreign_keys:
        raise OutdatedSchema(
            _(
                "another version created it: its table %(table)s lacks %(column)s",
                table=column.table.name,
                column=column.name,
            )
        )
    definition = CreateColumn(column).compile(dialect=connection.dialect)
    name = connection.dialect.identifier_preparer.format_table(column.table)
    connection.exec_driver_sql(f"ALTER TABLE {name} ADD COLUMN {definition}")


def _renew_factors(connection: sa.Connection, users: sa.Table) -> None:
    """Convert the second factors of every account to the form of Logto 1.42, which the first version didn't
    use.
    """
    has_some = sa.select(users.c.id, users.c.mfa_verifications).where(
        users.c.mfa_verifications != sa.literal_column("'[]'")
    )
    for user_id, factors in connection.execute(has_some).all():
        try:
            renewed = [_renewed(factor) for factor in factors]
        except (KeyError, TypeError) as error:
            raise OutdatedSchema(
                _("another version created it: a second factor of %(user)s is unknown", user=user_id)
            ) from error
        if renewed != factors:
            change = users.update().where(users.c.id == user_id)
            connection.execute(change.values(mfa_verifications=renewed))


def _renewed(factor: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: factor[name] for name in ("id", "createdAt", "type")}
    if factor["type"] == "BackupCode":
        codes = [{"code": code} if isinstance(code, str) else code for code in factor["codes"]]
        return {**factor, **kept, "codes": codes}
    if "key" in factor:
        return {**factor, **kept}
    return {**kept, "key": factor["secret"]}
