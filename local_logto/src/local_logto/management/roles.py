"""``/roles`` and ``/applications/:id/roles``: the tenant's roles. Those of people are in :mod:`.user_roles`.

A new provider has one, as a fresh Logto: it lets a machine use the Management API. Roles of people can be
created, but without permissions: they are names in the claim ``roles``. The organization template defines
what people and machines may do in an organization.
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
from quart import Blueprint, Response, request

from local_logto.context import current_store
from local_logto.errors import RequestError, not_implemented
from local_logto.management import entities
from local_logto.management.failures import no_values
from local_logto.management.guard import read_body, read_query
from local_logto.management.paging import list_response, read_page, read_paging
from local_logto.management.relations import TENANT_ROLES
from local_logto.management.role_choice import MACHINE, PERSON
from local_logto.management.rows import contains_text, delete_row, get_row, insert_row
from local_logto.responses import json_response, no_content, text_response
from local_logto.store import new_id
from local_logto.tables import application_roles, applications, roles, user_roles, users
from local_logto.values import ANY_TEXTS, Choice, Flag, Shape, Text

FEATURED: Final = 3

_FILTERS: Final = Shape(
    optional={"type": Choice((PERSON, MACHINE)), "excludeApplicationId": Text(), "excludeUserId": Text()}
)
_NEW: Final = Shape(
    {"name": Text(min=1, max=128), "description": Text(min=1, max=128)},
    {"type": Choice((PERSON, MACHINE)), "isDefault": Flag(), "scopeIds": ANY_TEXTS},
)
_CHOICE: Final = Shape({"roleIds": ANY_TEXTS})

blueprint = Blueprint("roles", __name__)


@blueprint.get("/roles")
async def list_roles() -> Response:
    """List roles by name, narrowed by type, by a user or application that lacks them, and by
    ``search`` without percent signs.
    """
    paging, filters = read_paging(), read_query(_FILTERS)
    query = sa.select(roles).order_by(roles.c.name)
    if "type" in filters:
        query = query.where(roles.c.type == filters["type"])
    if "excludeApplicationId" in filters:
        query = query.where(roles.c.id.not_in(_held_by(filters["excludeApplicationId"])))
    if "excludeUserId" in filters:
        held = sa.select(user_roles.c.role_id).where(user_roles.c.user_id == filters["excludeUserId"])
        query = query.where(roles.c.id.not_in(held))
    wanted = request.args.get("search", "").strip("%")
    if wanted:
        fields = (roles.c.id, roles.c.name, roles.c.description)
        query = query.where(contains_text(wanted, fields))
    with current_store().begin() as connection:
        page = read_page(connection, query, paging)
        shown = [entities.role(row) | _holders(connection, row["id"]) for row in page.rows]
    return list_response(shown, page)


@blueprint.post("/roles")
async def create_role() -> Response:
    """Create a role of people. Raises 422 ``role.name_in_use``."""
    body = await read_body(_NEW)
    if body.get("type", PERSON) != PERSON or body.get("isDefault") or body.get("scopeIds"):
        raise not_implemented("roles of machines, default roles, and permissions of roles")
    name = body["name"]
    with current_store().begin() as connection:
        if connection.execute(sa.select(roles.c.id).where(roles.c.name == name)).first():
            raise RequestError(422, "role.name_in_use", f"This role name {name} is already in use")
        values = {"id": new_id(), "name": name, "description": body["description"], "type": PERSON}
        row = insert_row(connection, roles, values)
    return json_response(entities.role(row))


@blueprint.delete("/roles/<role_id>")
async def delete_role(role_id: str) -> Response:
    """Delete a role, and take it from everybody who has it."""
    with current_store().begin() as connection:
        if get_row(connection, roles, role_id)["type"] != PERSON:
            raise not_implemented("deleting roles of machines")
        delete_row(connection, roles, roles.c.id == role_id)
    return no_content()


@blueprint.get("/roles/<role_id>")
async def get_role(role_id: str) -> Response:
    with current_store().begin() as connection:
        row = get_row(connection, roles, role_id)
    return json_response(entities.role(row))


@blueprint.get("/applications/<application_id>/roles")
async def list_application_roles(application_id: str) -> Response:
    paging = read_paging()
    query = sa.select(roles).where(roles.c.id.in_(_held_by(application_id))).order_by(roles.c.name)
    with current_store().begin() as connection:
        _require_machine(connection, application_id)
        page = read_page(connection, query, paging)
    return list_response([entities.role(row) for row in page.rows], page)


@blueprint.post("/applications/<application_id>/roles")
async def assign_roles(application_id: str) -> Response:
    """Assign roles in addition to the current ones. The answer says which are new."""
    role_ids = (await read_body(_CHOICE))["roleIds"]
    with current_store().begin() as connection:
        _require_machine(connection, application_id)
        _require_roles(connection, role_ids)
        change = TENANT_ROLES.add(connection, role_ids, application_id=application_id)
    return json_response({"roleIds": role_ids, "addedRoleIds": list(change.added)}, 201)


@blueprint.put("/applications/<application_id>/roles")
async def replace_roles(application_id: str) -> Response:
    """Replace the roles. An empty list removes all roles, but the response is an error (Logto 1.42)."""
    role_ids = (await read_body(_CHOICE))["roleIds"]
    with current_store().begin() as connection:
        _require_machine(connection, application_id)
        _require_roles(connection, role_ids)
        TENANT_ROLES.replace(connection, role_ids, application_id=application_id)
    if not role_ids:
        raise no_values()
    return text_response("OK", 200)


@blueprint.delete("/applications/<application_id>/roles/<role_id>")
async def remove_role(application_id: str, role_id: str) -> Response:
    with current_store().begin() as connection:
        _require_machine(connection, application_id)
        TENANT_ROLES.remove(connection, role_id, application_id=application_id)
    return no_content()


def _held_by(application_id: str) -> sa.Select[tuple[str]]:
    held = application_roles
    return sa.select(held.c.role_id).where(held.c.application_id == application_id)


def _holders(connection: sa.Connection, role_id: str) -> dict[str, Any]:
    """Return how many people and machines have the role, with a few examples."""
    of_people = (
        sa.select(users.c.id, users.c.avatar, users.c.name)
        .join(user_roles, user_roles.c.user_id == users.c.id)
        .where(user_roles.c.role_id == role_id)
        .order_by(users.c.id)
    )
    people = [dict(row) for row in connection.execute(of_people).mappings()]
    query = (
        sa.select(applications.c.id, applications.c.name, applications.c.type)
        .join(application_roles, application_roles.c.application_id == applications.c.id)
        .where(application_roles.c.role_id == role_id)
        .order_by(applications.c.id)
    )
    holders = [dict(row) for row in connection.execute(query).mappings()]
    return {
        "usersCount": len(people),
        "featuredUsers": people[:FEATURED],
        "applicationsCount": len(holders),
        "featuredApplications": holders[:FEATURED],
    }


def _require_machine(connection: sa.Connection, application_id: str) -> None:
    if get_row(connection, applications, application_id)["type"] != MACHINE:
        raise RequestError(
            422, "application.invalid_type", "Only machine to machine applications can have associated roles."
        )


def _require_roles(connection: sa.Connection, role_ids: list[str]) -> None:
    """Raise 404 for an unknown role, and 422 ``application.invalid_role_type`` for one of people."""
    for role_id in role_ids:
        if get_row(connection, roles, role_id)["type"] != MACHINE:
            raise RequestError(
                422,
                "application.invalid_role_type",
                "Can not assign user type role to machine to machine application.",
            )
