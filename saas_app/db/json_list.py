"""A list of texts as one parameter of a statement: ``column IN (SELECT value FROM …)``.

SQLAlchemy writes ``IN`` with a parameter for each value, so a long list costs milliseconds to compile and the
database plans each length again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction


def values_of(parameter: str) -> sa.TableValuedAlias:
    """Return a table with the column ``value``: the texts of a parameter made by :func:`as_parameter`."""
    return _Elements(sa.bindparam(parameter, type_=sa.Text)).table_valued(
        sa.column("value", sa.String), name=parameter
    )


def as_parameter(texts: Iterable[str]) -> str:
    """Return the value of the parameter for these texts."""
    return json.dumps(list(texts))


class _Elements(GenericFunction[Any]):
    """The elements of a JSON array. Each database names this function differently."""

    name = "json_list"
    inherit_cache = True


@compiles(_Elements, "sqlite")
def _on_sqlite(element: _Elements, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **options)})"


@compiles(_Elements, "postgresql")
def _on_postgresql(element: _Elements, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_array_elements_text(CAST({compiler.process(element.clauses, **options)} AS JSON))"
