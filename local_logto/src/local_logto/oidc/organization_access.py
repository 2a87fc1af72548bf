"""Memberships and permissions in organizations, read at the moment a token is issued.

It serves people and machine applications. The Management API changes memberships and roles. Scopes are in the
order in which they were defined.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from local_logto.tables import (
    organization_application_roles,
    organization_applications,
    organization_role_resource_scopes,
    organization_role_scopes,
    organization_roles,
    organization_scopes,
    organization_user_roles,
    organization_users,
    organizations,
    resource_scopes,
    resources,
)


def is_member(connection: sa.Connection, organization_id: str, user_id: str) -> bool:
    """Return whether the person is a member. False for an unknown organization."""
    return _exists(
        connection,
        organization_users.c.organization_id == organization_id,
        organization_users.c.user_id == user_id,
    )


def is_associated(connection: sa.Connection, organization_id: str, application_id: str) -> bool:
    """Return whether the machine application belongs to the organization."""
    return _exists(
        connection,
        organization_applications.c.organization_id == organization_id,
        organization_applications.c.application_id == application_id,
    )


def requires_mfa(connection: sa.Connection, organization_id: str) -> bool:
    return _exists(
        connection, organizations.c.id == organization_id, organizations.c.is_mfa_required.is_(True)
    )


def list_organizations_of(connection: sa.Connection, user_id: str) -> list[sa.Row[Any]]:
    """Return ``id``, ``name`` and ``description`` of the organizations that the person is a member of."""
    query = (
        sa.select(organizations.c.id, organizations.c.name, organizations.c.description)
        .join(organization_users, organization_users.c.organization_id == organizations.c.id)
        .where(organization_users.c.user_id == user_id)
        .order_by(organizations.c.id)
    )
    return list(connection.execute(query))


def list_organization_roles_of(connection: sa.Connection, user_id: str) -> list[str]:
    """Return the person's roles as in the claim: ``<organization id>:<role name>``."""
    query = (
        sa.select(organization_user_roles.c.organization_id, organization_roles.c.name)
        .join(organization_roles, organization_roles.c.id == organization_user_roles.c.organization_role_id)
        .where(organization_user_roles.c.user_id == user_id)
        .order_by(organization_user_roles.c.organization_id, organization_roles.c.name)
    )
    return [f"{row.organization_id}:{row.name}" for row in connection.execute(query)]


def list_template_scopes(connection: sa.Connection) -> list[str]:
    """Return every organization permission of the template, regardless of roles."""
    return _names(connection, sa.select(organization_scopes.c.name), organization_scopes)


def organization_scopes_of_user(connection: sa.Connection, organization_id: str, user_id: str) -> list[str]:
    """Return the organization permissions of the person's roles in this organization."""
    roles = _roles_of_user(user_id, organization_id)
    return _names(connection, _organization_scopes(roles), organization_scopes)


def organization_scopes_of_application(
    connection: sa.Connection, organization_id: str, application_id: str
) -> list[str]:
    roles = _roles_of_application(application_id, organization_id)
    return _names(connection, _organization_scopes(roles), organization_scopes)


def resource_scopes_of_user(
    connection: sa.Connection, user_id: str, indicator: str, organization_id: str | None = None
) -> list[str]:
    """Return the person's scopes on an API resource in one organization, or in all if none is given."""
    roles = _roles_of_user(user_id, organization_id)
    return _names(connection, _resource_scopes(roles, indicator), resource_scopes)


def resource_scopes_of_application(
    connection: sa.Connection, application_id: str, indicator: str, organization_id: str
) -> list[str]:
    roles = _roles_of_application(application_id, organization_id)
    return _names(connection, _resource_scopes(roles, indicator), resource_scopes)


def _roles_of_user(user_id: str, organization_id: str | None) -> sa.Select[Any]:
    table = organization_user_roles
    query = sa.select(table.c.organization_role_id).where(table.c.user_id == user_id)
    return query if organization_id is None else query.where(table.c.organization_id == organization_id)


def _roles_of_application(application_id: str, organization_id: str) -> sa.Select[Any]:
    table = organization_application_roles
    return sa.select(table.c.organization_role_id).where(
        table.c.application_id == application_id, table.c.organization_id == organization_id
    )


def _organization_scopes(roles: sa.Select[Any]) -> sa.Select[Any]:
    granted = sa.select(organization_role_scopes.c.organization_scope_id).where(
        organization_role_scopes.c.organization_role_id.in_(roles)
    )
    return sa.select(organization_scopes.c.name).where(organization_scopes.c.id.in_(granted))


def _resource_scopes(roles: sa.Select[Any], indicator: str) -> sa.Select[Any]:
    granted = sa.select(organization_role_resource_scopes.c.scope_id).where(
        organization_role_resource_scopes.c.organization_role_id.in_(roles)
    )
    return (
        sa.select(resource_scopes.c.name)
        .join(resources, resources.c.id == resource_scopes.c.resource_id)
        .where(resources.c.indicator == indicator, resource_scopes.c.id.in_(granted))
    )


def _names(connection: sa.Connection, query: sa.Select[Any], table: sa.Table) -> list[str]:
    # SQLite's implicit row number is the order of definition.
    in_order = query.order_by(sa.text(f"{table.name}.rowid"))
    return list(connection.execute(in_order).scalars())


def _exists(connection: sa.Connection, *conditions: sa.ColumnElement[bool]) -> bool:
    return bool(connection.execute(sa.select(sa.exists().where(*conditions))).scalar())
