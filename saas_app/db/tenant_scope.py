"""The tenant scope: every statement on a tenant-owned table is confined to one organization.

There are two locks. A session bound to an organization adds ``organization_id = …`` to every ORM statement.
And the engine rejects every statement on a tenant-owned table, however it was written, on a connection that
is not bound to an organization. Textual SQL cannot be inspected, so it is always rejected.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlalchemy.orm import ORMExecuteState, Session, UOWTransaction, with_loader_criteria
from sqlalchemy.sql import visitors

from saas_app.db.base import TenantOwned, is_tenant_owned

ORGANIZATION_OPTION = "organization_id"
"""Execution option of a connection that is bound to an organization."""


class OutsideTenant(RuntimeError):
    """A statement on a tenant-owned table outside a tenant, or on rows of another tenant."""


def guard_engine(engine: sa.Engine) -> None:
    """Reject statements on tenant-owned tables on connections that are bound to no organization."""
    event.listen(engine, "before_execute", _refuse_outside_tenant)


def _refuse_outside_tenant(
    connection: Connection, clause: Any, multiparams: Any, params: Any, options: Any
) -> None:
    if isinstance(clause, sa.TextClause):
        raise OutsideTenant("textual SQL cannot be confined to an organization; use the mapped classes")
    if options.get(ORGANIZATION_OPTION) is None and (name := _tenant_table_in(clause)):
        raise OutsideTenant(f"statement on {name} outside a tenant")


def _tenant_table_in(clause: Any) -> str | None:
    for element in (*visitors.iterate(clause), getattr(clause, "table", None)):
        if isinstance(element, sa.Table) and is_tenant_owned(element):
            return str(element.name)
    return None


def _check_rows(statement: Any, rows: Any, organization_id: str) -> None:
    """Check that an insert passes its rows as parameters, and that all belong to the organization."""
    if _tenant_table_in(statement) is None:
        return
    if not rows:
        raise OutsideTenant("pass the rows of an insert as parameters")
    for row in rows if isinstance(rows, list) else [rows]:
        if row.setdefault("organization_id", organization_id) != organization_id:
            raise OutsideTenant("row of another organization")


def _check_instance(instance: TenantOwned, organization_id: str) -> None:
    """Give a new instance the organization, if it has none, and check that it belongs to no other."""
    if instance.organization_id is None:
        instance.organization_id = organization_id
    if instance.organization_id != organization_id:
        raise OutsideTenant("row of another organization")


def bind_session(session: Session, organization_id: str) -> None:
    """Confine every ORM statement and every flush of ``session`` to one organization."""

    def confine(state: ORMExecuteState) -> None:
        if state.is_insert:
            _check_rows(state.statement, state.parameters, organization_id)
            return
        if not state.is_orm_statement and _tenant_table_in(state.statement):
            raise OutsideTenant("statement on a tenant-owned table that is not on its mapped class")
        state.statement = state.statement.options(
            with_loader_criteria(
                TenantOwned,
                lambda cls: cls.organization_id == organization_id,
                include_aliases=True,
                propagate_to_loaders=True,
            )
        )

    def check_flush(session: Session, context: UOWTransaction, instances: Any) -> None:
        for instance in session.new:
            if isinstance(instance, TenantOwned):
                _check_instance(instance, organization_id)

    event.listen(session, "do_orm_execute", confine)
    event.listen(session, "before_flush", check_flush)
