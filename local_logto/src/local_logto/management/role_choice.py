"""Roles to assign to a member, by ID or name. A role must fit the member: a person or a machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from local_logto.errors import RequestError
from local_logto.management.entities import Entity, named
from local_logto.management.failures import constraint_violated, foreign_key_not_found
from local_logto.tables import organization_roles
from local_logto.values import ListOf, Shape, Text

PERSON: Final = "User"
MACHINE: Final = "MachineToMachine"

ROLE_CHOICE: Final = Shape(
    optional={"organizationRoleIds": ListOf(Text(min=1)), "organizationRoleNames": ListOf(Text(min=1))}
)


def read_role_choice(connection: sa.Connection, values: Mapping[str, Any], kind: str) -> list[str]:
    """Return the IDs of the chosen roles, first those given by ID.

    Raises 422: ``organization.role_names_not_found``, ``entity.relation_foreign_key_not_found`` for an
    unknown ID, ``entity.db_constraint_violated`` for a role of another ``kind``.
    """
    names = values.get("organizationRoleNames") or []
    by_name = _ids_by_name(connection, names)
    unknown = [name for name in names if name not in by_name]
    if unknown:
        raise RequestError(
            422,
            "organization.role_names_not_found",
            f"Invalid role names detected: {', '.join(unknown)}. "
            "Please create these roles first before proceeding.",
        )
    given = values.get("organizationRoleIds") or []
    chosen = list(dict.fromkeys([*given, *(by_name[name] for name in names)]))
    require_kind(connection, chosen, kind)
    return chosen


def require_kind(connection: sa.Connection, role_ids: Sequence[str], kind: str) -> None:
    """Raise 422 unless all of these roles exist and are for this kind: people or machines."""
    query = sa.select(organization_roles.c.id, organization_roles.c.type).where(
        organization_roles.c.id.in_(role_ids)
    )
    kinds = {row.id: row.type for row in connection.execute(query)}
    if any(role_id not in kinds for role_id in role_ids):
        raise foreign_key_not_found()
    if any(found != kind for found in kinds.values()):
        raise constraint_violated()


def roles_by_owner(
    connection: sa.Connection, table: sa.Table, owner: str, *conditions: sa.ColumnElement[bool]
) -> dict[str, list[Entity]]:
    """Return the assigned roles in ``table`` as ``[{id, name}]``, by the value of its column ``owner``."""
    query = (
        sa.select(table.c[owner].label("owner"), organization_roles.c.id, organization_roles.c.name)
        .join(organization_roles, organization_roles.c.id == table.c.organization_role_id)
        .where(*conditions)
        .order_by(organization_roles.c.name)
    )
    found: dict[str, list[Entity]] = {}
    for row in connection.execute(query).mappings():
        found.setdefault(row["owner"], []).append(named(row))
    return found


def _ids_by_name(connection: sa.Connection, names: Sequence[str]) -> dict[str, str]:
    query = sa.select(organization_roles.c.name, organization_roles.c.id).where(
        organization_roles.c.name.in_(names)
    )
    return {row.name: row.id for row in connection.execute(query)}
