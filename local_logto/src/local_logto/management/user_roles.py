"""``/users/:id/roles``: the tenant's roles of a person. The claim ``roles`` names them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa
from quart import Blueprint, Response

from local_logto.context import current_store
from local_logto.errors import RequestError
from local_logto.management import entities
from local_logto.management.guard import read_body
from local_logto.management.paging import list_response, read_page, read_paging
from local_logto.management.relations import TENANT_ROLES_OF_PEOPLE
from local_logto.management.role_choice import PERSON
from local_logto.management.rows import get_row
from local_logto.management.users import get_user_row
from local_logto.responses import json_response, no_content
from local_logto.tables import roles, user_roles
from local_logto.values import ANY_TEXTS, Shape

_CHOICE: Final = Shape({"roleIds": ANY_TEXTS})

blueprint = Blueprint("user_roles", __name__, url_prefix="/users/<user_id>/roles")


@blueprint.get("")
async def list_roles(user_id: str) -> Response:
    paging = read_paging()
    held = sa.select(user_roles.c.role_id).where(user_roles.c.user_id == user_id)
    query = sa.select(roles).where(roles.c.id.in_(held), roles.c.type == PERSON).order_by(roles.c.name)
    with current_store().begin() as connection:
        get_user_row(connection, user_id)
        page = read_page(connection, query, paging)
    return list_response([entities.role(row) for row in page.rows], page)


@blueprint.post("")
async def add_roles(user_id: str) -> Response:
    """Add roles to those of the person. The answer says which are new."""
    role_ids = (await read_body(_CHOICE))["roleIds"]
    with current_store().begin() as connection:
        get_user_row(connection, user_id)
        _require_roles(connection, role_ids)
        change = TENANT_ROLES_OF_PEOPLE.add(connection, role_ids, user_id=user_id)
    return json_response({"roleIds": role_ids, "addedRoleIds": list(change.added)}, 201)


@blueprint.put("")
async def replace_roles(user_id: str) -> Response:
    role_ids = list(dict.fromkeys((await read_body(_CHOICE))["roleIds"]))
    with current_store().begin() as connection:
        get_user_row(connection, user_id)
        _require_roles(connection, role_ids)
        TENANT_ROLES_OF_PEOPLE.replace(connection, role_ids, user_id=user_id)
    return json_response({"roleIds": role_ids})


@blueprint.delete("/<role_id>")
async def remove_role(user_id: str, role_id: str) -> Response:
    with current_store().begin() as connection:
        TENANT_ROLES_OF_PEOPLE.remove(connection, role_id, user_id=user_id)
    return no_content()


def _require_roles(connection: sa.Connection, role_ids: Sequence[str]) -> None:
    """Raise 404 for an unknown role, and 422 ``user.invalid_role_type`` for one of machines."""
    for role_id in role_ids:
        if get_row(connection, roles, role_id)["type"] != PERSON:
            raise RequestError(
                422,
                "user.invalid_role_type",
                "Invalid role type, can not assign machine-to-machine role to user.",
            )
