"""The tenant scope: every statement on a tenant-owned table is confined to one organization.

There are two locks. A session bound to an organization adds ``organization_id = …`` to every statement on
mapped classes. And the engine rejects every statement on a tenant-owned table, however it was written, that
does not run for an organization. Textual SQL cannot be inspected, so it is always rejected.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlalchemy.orm import ORMExecuteState, Session, UOWTransaction

from saas_app.db.base import TenantOwned
from saas_app.db.statements import SCOPE_PARAMETER, Examined, examine, tenant_table_in

ORGANIZATION_OPTION: Final = "organization_id"
"""Execution option of statements and connections: the organization that they run for."""


class OutsideTenant(RuntimeError):
    """A statement on a tenant-owned table outside a tenant, or on rows of another tenant."""


def guard_engine(engine: sa.Engine) -> None:
    """Reject statements on tenant-owned tables that run for no organization."""
    event.listen(engine, "before_execute", _refuse_outside_tenant)


class Scoped(NamedTuple):
    """The arguments of ``Connection.execute`` for a statement that runs for an organization, or for none."""

    statement: Any
    parameters: Any
    options: dict[str, Any]


def scope(known: Examined, statement: Any, parameters: Any, organization_id: str | None) -> Scoped:
    """Confine a statement to the rows of one organization. With None, the engine checks that it uses none.

    Raises :class:`OutsideTenant` if the statement uses a tenant-owned table that is not on its mapped class,
    if such tables cannot be found in it, and if it inserts rows of another organization.
    """
    if known.changes_settings:
        raise OutsideTenant("the organization of a transaction cannot be changed")
    unchanged = statement if known.copy is None else known.copy
    if organization_id is None:
        return Scoped(unchanged, parameters, known.options)
    if not known.is_inspectable:
        raise OutsideTenant("only a select, insert, update or delete can be confined to an organization")
    options = {**known.confined_options, ORGANIZATION_OPTION: organization_id}
    if known.is_insert:
        _check_rows(known, parameters, organization_id)
        return Scoped(unchanged, parameters, options)
    if not known.is_mapped and known.tenant_table is not None:
        raise OutsideTenant("statement on a tenant-owned table that is not on its mapped class")
    if not known.is_mapped:
        return Scoped(unchanged, parameters, options)
    return Scoped(known.confined, {**(parameters or {}), SCOPE_PARAMETER: organization_id}, options)


class TenantSession(Session):
    """A session of the ORM whose statements and flushes are confined to ``info["organization_id"]``."""


@event.listens_for(TenantSession, "do_orm_execute")
def _confine(state: ORMExecuteState) -> None:
    organization_id = state.session.info.get(ORGANIZATION_OPTION)
    if organization_id is None:
        return
    known = examine(state.statement)
    state.statement, state.parameters, options = scope(
        known, state.statement, state.parameters, organization_id
    )
    state.update_execution_options(**options)


@event.listens_for(TenantSession, "before_flush")
def _check_flush(session: Session, context: UOWTransaction, instances: Any) -> None:
    organization_id = session.info.get(ORGANIZATION_OPTION)
    if organization_id is None:
        return
    for instance in (*session.new, *session.dirty):
        if isinstance(instance, TenantOwned):
            _check_instance(instance, organization_id)


def _refuse_outside_tenant(
    connection: Connection, clause: Any, multiparams: Any, params: Any, options: Any
) -> None:
    if isinstance(clause, sa.TextClause):
        raise OutsideTenant("textual SQL cannot be confined to an organization; use the mapped classes")
    if options.get(ORGANIZATION_OPTION) is None and (name := tenant_table_in(clause)):
        raise OutsideTenant(f"statement on {name} outside a tenant")


def _check_rows(known: Examined, rows: Any, organization_id: str) -> None:
    """Check that an insert passes its rows as parameters, and that all belong to the organization."""
    if known.tenant_table is None:
        return
    if not rows or known.has_own_rows:
        raise OutsideTenant("pass the rows of an insert as parameters")
    for row in rows if isinstance(rows, list) else [rows]:
        if row.setdefault("organization_id", organization_id) != organization_id:
            raise OutsideTenant("row of another organization")


def _check_instance(instance: TenantOwned, organization_id: str) -> None:
    """Give a new instance the organization, if it has none, and check that none belongs to another."""
    if instance.organization_id is None:
        instance.organization_id = organization_id
    if instance.organization_id != organization_id:
        raise OutsideTenant("row of another organization")
