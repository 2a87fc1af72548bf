"""The texts of a JSON list as rows, in the words of each database."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction


class _JsonTexts(GenericFunction[Any]):
    """``json_each`` of SQLite, ``json_array_elements_text`` of PostgreSQL: both name the column ``value``."""

    name, identifier = "json_each", "json_texts"
    inherit_cache = True


@compiles(_JsonTexts, "postgresql")
def _in_postgresql(element: _JsonTexts, compiler: Any, **options: Any) -> str:
    return f"json_array_elements_text({compiler.process(element.clauses, **options)})"


def json_texts(column: sa.SQLColumnExpression[Any]) -> sa.TableValuedAlias:
    """A table with the column ``value``: one row for each text in a JSON list."""
    return _JsonTexts(column).table_valued(sa.column("value", sa.String), joins_implicitly=True)
