"""What is known about a statement, found out once.

A statement that is built once and kept, as a constant or by a cached function, is examined when it runs for
the first time. From its second run on, it also keeps its compilation.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.orm import with_loader_criteria
from sqlalchemy.sql import visitors

from saas_app.db.base import TenantOwned, is_tenant_owned

SCOPE_PARAMETER: Final = "scope_organization_id"
"""The parameter with the organization of a statement that is confined to one."""

_ORGANIZATION: Final = sa.bindparam(SCOPE_PARAMETER, type_=sa.String())
_SCOPE: Final = with_loader_criteria(
    TenantOwned,
    lambda cls: cls.organization_id == _ORGANIZATION,
    include_aliases=True,
    propagate_to_loaders=True,
)

_INSPECTABLE: Final = (sa.Select, sa.CompoundSelect, sa.Insert, sa.Update, sa.Delete)


@dataclass(slots=True)
class Examined:
    """What is known about a statement.

    ``confined`` is the statement with the tenant's criterion, if it ``is_mapped``: written with mapped
    classes alone. ``tenant_table`` is a tenant-owned table that it uses, if any. ``is_inspectable``: it is a
    select, insert, update or delete, in which such tables can be found. ``has_own_rows``: it is an insert of
    rows that are part of it, not parameters. ``loads_objects``: it returns instances of mapped classes.
    ``is_change``: it needs the writer's turn, because it writes or locks rows. ``changes_settings``: it calls
    a function that can change the organization of a transaction. ``options`` and ``confined_options`` are the
    execution options of both forms.

    Nothing here refers to the statement itself, which would otherwise never be forgotten. A compilation
    refers to what was executed, so a ``copy`` of a statement that is kept is executed.
    """

    confined: Any
    tenant_table: str | None
    is_inspectable: bool
    is_mapped: bool
    loads_objects: bool
    is_change: bool
    is_insert: bool
    has_own_rows: bool
    changes_settings: bool
    has_run: bool = False
    copy: Any = None
    options: dict[str, Any] = field(default_factory=dict)
    confined_options: dict[str, Any] = field(default_factory=dict)

    def keep(self, statement: Any) -> None:
        """Make both forms of the statement keep their compilations."""
        self.copy = statement.execution_options()
        self.options = {"compiled_cache": _Compilations()}
        self.confined_options = {"compiled_cache": _Compilations()}


_known: Final[WeakKeyDictionary[Any, Examined]] = WeakKeyDictionary()


def examine(statement: Any) -> Examined:
    """Return what is known about a select, insert, update or delete that runs now."""
    found = _recall(statement)
    if found.has_run and not found.options:
        found.keep(statement)
    found.has_run = True
    return found


def tenant_table_in(statement: Any) -> str | None:
    """Return the name of a tenant-owned table in the statement, or None. The statement does not run now."""
    return _recall(statement).tenant_table


def _recall(statement: Any) -> Examined:
    found = _known.get(statement)
    if found is None:
        _known[statement] = found = _examine(statement)
    return found


def _examine(statement: Any) -> Examined:
    is_mapped = statement._propagate_attrs.get("compile_state_plugin") == "orm"
    is_mapped = is_mapped and (statement.is_insert or not _has_bare_columns(statement))
    return Examined(
        confined=statement.options(_SCOPE) if is_mapped and not statement.is_insert else None,
        tenant_table=find_tenant_table(statement),
        is_inspectable=isinstance(statement, _INSPECTABLE),
        is_mapped=is_mapped,
        loads_objects=is_mapped and _loads_objects(statement),
        is_insert=statement.is_insert,
        has_own_rows=statement.is_insert and _has_own_rows(statement),
        changes_settings=any(map(_sets_config, visitors.iterate(statement))),
        is_change=statement.is_dml or getattr(statement, "_for_update_arg", None) is not None,
    )


def find_tenant_table(statement: Any) -> str | None:
    """Return the name of a tenant-owned table in the statement, or None."""
    for element in (*visitors.iterate(statement), getattr(statement, "table", None)):
        if isinstance(element, sa.Table) and is_tenant_owned(element):
            return str(element.name)
    return None


def _has_bare_columns(statement: Any) -> bool:
    """Return whether a column of a tenant-owned table does not come from its mapped class."""
    return any(
        isinstance(element, sa.Column)
        and "parententity" not in element._annotations
        and isinstance(table := getattr(element.table, "element", element.table), sa.Table)
        and is_tenant_owned(table)
        for element in visitors.iterate(statement)
    )


def _has_own_rows(insert: Any) -> bool:
    return bool(insert._values or insert._multi_values or insert.select is not None)


def _sets_config(element: Any) -> bool:
    is_sql = isinstance(element, sa.sql.functions.Function) or getattr(element, "is_literal", False)
    return is_sql and "set_config" in str(element.name).lower()


def _loads_objects(statement: Any) -> bool:
    return any(isinstance(column["expr"], type) for column in getattr(statement, "column_descriptions", ()))


class _Compilations(dict[Any, Any]):
    """The compilations of one kept statement, for the execution option ``compiled_cache``.

    SQLAlchemy's own cache compares statements by everything in them, which takes longer than any other step
    of an execution. These are compilations of one and the same statement, so it is left out of the key.
    """

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(_without_statement(key), default)

    def __setitem__(self, key: Any, compiled: Any) -> None:
        super().__setitem__(_without_statement(key), compiled)


def _without_statement(key: tuple[Any, ...]) -> tuple[Any, ...]:
    dialect, _statement, *rest = key
    return (dialect, *rest)
