"""``/organization-roles``: the roles of the organization template. ``role_scopes`` has their permissions."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
from quart import Blueprint, Response

from local_logto.context import current_store
from local_logto.management import entities
from local_logto.management.families import Entities
from local_logto.management.guard import read_body
from local_logto.management.paging import list_response, read_page, read_paging
from local_logto.management.relations import ROLE_RESOURCE_SCOPES, ROLE_SCOPES
from local_logto.management.role_choice import MACHINE, PERSON
from local_logto.management.rows import (
    get_row_unnamed,
    insert_row,
    to_columns,
)
from local_logto.responses import json_response
from local_logto.store import new_id
from local_logto.tables import (
    organization_role_resource_scopes,
    organization_role_scopes,
    organization_roles,
    organization_scopes,
    resource_scopes,
    resources,
)
from local_logto.values import Choice, ListOf, OrNull, Shape, Text
from local_logto.webhooks import announce

_ROLE: Final = Shape(
    required={"name": Text(min=1, max=128)},
    optional={"description": OrNull(Text(max=256)), "type": Choice((PERSON, MACHINE))},
)
_NEW_ROLE: Final = Shape(
    required=_ROLE.required,
    optional={
        **_ROLE.optional,
        "organizationScopeIds": ListOf(Text()),
        "resourceScopeIds": ListOf(Text()),
    },
)

blueprint = Blueprint("organization_roles", __name__, url_prefix="/organization-roles")

ROLES: Final = Entities(
    organization_roles,
    entities.organization_role,
    _ROLE,
    order=(organization_roles.c.name,),
    search=(organization_roles.c.id, organization_roles.c.name, organization_roles.c.description),
    events="OrganizationRole",
    get=get_row_unnamed,
)
ROLES.serve(blueprint, "read", "change", "delete")


@blueprint.get("")
async def list_roles() -> Response:
    """List roles by name, with their permissions, which only this list shows."""
    paging = read_paging()
    with current_store().begin() as connection:
        page = read_page(connection, ROLES.found(), paging)
        role_ids = [row["id"] for row in page.rows]
        scopes = _scopes_by_role(connection, role_ids)
        on_resources = _resource_scopes_by_role(connection, role_ids)
    shown = [
        entities.organization_role(row)
        | {"scopes": scopes[row["id"]], "resourceScopes": on_resources[row["id"]]}
        for row in page.rows
    ]
    return list_response(shown, page)


@blueprint.post("")
async def create_role() -> Response:
    """Create a role with its permissions. It is for people unless ``type`` says otherwise."""
    body = await read_body(_NEW_ROLE)
    scope_ids = body.pop("organizationScopeIds", [])
    resource_scope_ids = body.pop("resourceScopeIds", [])
    values = {"type": PERSON, **to_columns(body), "id": new_id()}
    with current_store().begin() as connection:
        row = insert_row(connection, organization_roles, values)
        ROLE_SCOPES.add(connection, scope_ids, organization_role_id=row["id"])
        ROLE_RESOURCE_SCOPES.add(connection, resource_scope_ids, organization_role_id=row["id"])
    entity = entities.organization_role(row)
    announce("OrganizationRole.Created", data=entity)
    if scope_ids or resource_scope_ids:
        announce("OrganizationRole.Scopes.Updated", organizationRoleId=row["id"])
    return json_response(entity, 201)


def _scopes_by_role(connection: sa.Connection, role_ids: list[str]) -> dict[str, list[entities.Entity]]:
    bundled = organization_role_scopes
    query = (
        sa.select(bundled.c.organization_role_id, organization_scopes.c.id, organization_scopes.c.name)
        .join(organization_scopes, organization_scopes.c.id == bundled.c.organization_scope_id)
        .where(bundled.c.organization_role_id.in_(role_ids))
        .order_by(organization_scopes.c.id)
    )
    found: dict[str, list[entities.Entity]] = {role_id: [] for role_id in role_ids}
    for row in connection.execute(query).mappings():
        found[row["organization_role_id"]].append(entities.named(row))
    return found


def _resource_scopes_by_role(
    connection: sa.Connection, role_ids: list[str]
) -> dict[str, list[entities.Entity]]:
    bundled = organization_role_resource_scopes
    query: sa.Select[Any] = (
        sa.select(
            bundled.c.organization_role_id,
            resource_scopes.c.id,
            resource_scopes.c.name,
            resources.c.id.label("resource_id"),
            resources.c.name.label("resource_name"),
        )
        .join(resource_scopes, resource_scopes.c.id == bundled.c.scope_id)
        .join(resources, resources.c.id == resource_scopes.c.resource_id)
        .where(bundled.c.organization_role_id.in_(role_ids))
        .order_by(resource_scopes.c.id)
    )
    found: dict[str, list[entities.Entity]] = {role_id: [] for role_id in role_ids}
    for row in connection.execute(query).mappings():
        of_resource = {"id": row["resource_id"], "name": row["resource_name"]}
        found[row["organization_role_id"]].append(entities.named(row) | {"resource": of_resource})
    return found
