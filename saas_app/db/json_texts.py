"""The texts of a JSON list as rows, in the dialect of each database."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction


class _JsonTexts(GenericFunction[Any]):
    """``json_each`` of SQLite, ``json_array_elements_text`` of PostgreSQL: both name the column ``value``."""

    name, identifier = "json_each", "json_texts"
    inherit_cache = True


@compiles(_JsonTexts, "sqlite")
def _in_sqlite(element: _JsonTexts, compiler: Any, **options: Any) -> str:
    column, otherwise = (compiler.process(part, **options) for part in element.clauses)
    kind = f"CASE WHEN json_valid({column}) THEN json_type({column}) END"
    return f"json_each(CASE {kind} WHEN 'array' THEN {column} ELSE {otherwise} END)"


@compiles(_JsonTexts, "postgresql")
def _in_postgresql(element: _JsonTexts, compiler: Any, **options: Any) -> str:
    column, otherwise = (compiler.process(part, **options) for part in element.clauses)
    texts = f"CASE json_typeof({column}) WHEN 'array' THEN {column} ELSE {otherwise} END"
    return f"json_array_elements_text({texts})"


def json_texts(column: sa.SQLColumnExpression[Any], *, otherwise: str) -> sa.TableValuedAlias:
    """Return a table with the column ``value`` and one row for each text in a JSON list.

    A value that is not a list counts as a list of the single text ``otherwise``, a constant.
    """
    constant = json.dumps([otherwise]).replace("'", "''")
    rows = _JsonTexts(column, sa.literal_column(f"'{constant}'"))
    return rows.table_valued(sa.column("value", sa.String), joins_implicitly=True)
