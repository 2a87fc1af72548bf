"""Many-to-many relations: members of organizations, roles of members, permissions of roles.

The routes check the rules for a change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from local_logto.management.rows import delete_row
from local_logto.tables import (
    application_roles,
    organization_application_roles,
    organization_applications,
    organization_role_resource_scopes,
    organization_role_scopes,
    organization_user_roles,
    organization_users,
    user_roles,
)


@dataclass(frozen=True)
class Change:
    """The IDs that a relation gained and lost."""

    added: Sequence[str] = ()
    removed: Sequence[str] = ()


@dataclass(frozen=True)
class Relation:
    """A table of pairs. ``related`` is one column; each call gives the owner's columns."""

    table: sa.Table
    related: str

    def ids(self, connection: sa.Connection, **owner: str) -> list[str]:
        query = sa.select(self.table.c[self.related]).where(*self._of(owner))
        return list(connection.execute(query).scalars())

    def add(self, connection: sa.Connection, ids: Sequence[str], **owner: str) -> Change:
        """Relate all of these. Existing pairs stay unchanged."""
        present = set(self.ids(connection, **owner))
        added = [related_id for related_id in dict.fromkeys(ids) if related_id not in present]
        if added:
            rows = [{**owner, self.related: related_id} for related_id in added]
            connection.execute(insert(self.table).on_conflict_do_nothing(), rows)
        return Change(added=added)

    def replace(self, connection: sa.Connection, ids: Sequence[str], **owner: str) -> Change:
        """Relate exactly these. Pairs that stay keep the rows that refer to them."""
        present = self.ids(connection, **owner)
        removed = [related_id for related_id in present if related_id not in ids]
        if removed:
            gone = self.table.c[self.related].in_(removed)
            connection.execute(sa.delete(self.table).where(*self._of(owner), gone))
        change = self.add(connection, ids, **owner)
        return Change(change.added, removed)

    def remove(self, connection: sa.Connection, related_id: str, **owner: str) -> None:
        """Delete one pair. Raises 404 ``entity.not_found`` if it does not exist."""
        pair = self.table.c[self.related] == related_id
        delete_row(connection, self.table, *self._of(owner), pair)

    def _of(self, owner: dict[str, str]) -> list[sa.ColumnElement[bool]]:
        return [self.table.c[name] == value for name, value in owner.items()]


MEMBERS = Relation(organization_users, "user_id")
MEMBER_ROLES = Relation(organization_user_roles, "organization_role_id")
APPLICATIONS = Relation(organization_applications, "application_id")
TENANT_ROLES = Relation(application_roles, "role_id")
TENANT_ROLES_OF_PEOPLE = Relation(user_roles, "role_id")
APPLICATION_ROLES = Relation(organization_application_roles, "organization_role_id")
ROLE_SCOPES = Relation(organization_role_scopes, "organization_scope_id")
ROLE_RESOURCE_SCOPES = Relation(organization_role_resource_scopes, "scope_id")
