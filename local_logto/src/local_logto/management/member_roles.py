"""``/organizations/:id/users…/roles`` and ``…/scopes``: the roles and permissions of members.

Logto 1.42 sends no webhook for changes of them.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from quart import Blueprint, Response

from local_logto.context import current_store
from local_logto.management import entities
from local_logto.management.failures import no_values
from local_logto.management.families import Related
from local_logto.management.guard import read_body
from local_logto.management.membership import require_membership
from local_logto.management.relations import MEMBER_ROLES, MEMBERS
from local_logto.management.role_choice import PERSON, ROLE_CHOICE, read_role_choice, require_kind
from local_logto.responses import created, json_response, no_content
from local_logto.tables import (
    organization_role_scopes,
    organization_roles,
    organization_scopes,
    organization_user_roles,
)
from local_logto.values import SOME_TEXTS, Shape

_BULK: Final = Shape(required={"userIds": SOME_TEXTS, "organizationRoleIds": SOME_TEXTS})

blueprint = Blueprint("member_roles", __name__, url_prefix="/organizations/<organization_id>/users")


def _require_member(connection: sa.Connection, organization_id: str, user_id: str) -> None:
    require_membership(connection, MEMBERS, user_id, organization_id)


Related(
    MEMBER_ROLES,
    "organizationRoleIds",
    organization_roles,
    entities.organization_role,
    require=_require_member,
).serve(blueprint, "/<user_id>/roles", "list", "remove")


@blueprint.post("/roles")
async def assign_roles_to_members(organization_id: str) -> Response:
    """Assign all of these roles to all of these members."""
    body = await read_body(_BULK)
    with current_store().begin() as connection:
        require_kind(connection, body["organizationRoleIds"], PERSON)
        for user_id in body["userIds"]:
            MEMBER_ROLES.add(
                connection, body["organizationRoleIds"], organization_id=organization_id, user_id=user_id
            )
    return created()


@blueprint.post("/<user_id>/roles")
async def assign_member_roles(organization_id: str, user_id: str) -> Response:
    """Assign roles in addition to the current ones. The answer has the IDs of all requested roles."""
    body = await read_body(ROLE_CHOICE)
    with current_store().begin() as connection:
        _require_member(connection, organization_id, user_id)
        role_ids = read_role_choice(connection, body, PERSON)
        if not role_ids:
            raise no_values()
        MEMBER_ROLES.add(connection, role_ids, organization_id=organization_id, user_id=user_id)
    return json_response({"organizationRoleIds": role_ids}, 201)


@blueprint.put("/<user_id>/roles")
async def replace_member_roles(organization_id: str, user_id: str) -> Response:
    """Replace the member's roles with these, which may be none."""
    body = await read_body(ROLE_CHOICE)
    with current_store().begin() as connection:
        _require_member(connection, organization_id, user_id)
        role_ids = read_role_choice(connection, body, PERSON)
        MEMBER_ROLES.replace(connection, role_ids, organization_id=organization_id, user_id=user_id)
    return no_content()


@blueprint.get("/<user_id>/scopes")
async def list_member_scopes(organization_id: str, user_id: str) -> Response:
    """List the organization permissions of the member's roles. As in Logto, membership is not checked."""
    granted = sa.select(organization_role_scopes.c.organization_scope_id).where(
        organization_role_scopes.c.organization_role_id.in_(_role_ids(organization_id, user_id))
    )
    query = (
        sa.select(organization_scopes)
        .where(organization_scopes.c.id.in_(granted))
        .order_by(organization_scopes.c.id)
    )
    with current_store().begin() as connection:
        rows = connection.execute(query).mappings().all()
    return json_response([entities.organization_scope(row) for row in rows])


def _role_ids(organization_id: str, user_id: str) -> sa.Select[tuple[str]]:
    assigned = organization_user_roles
    return sa.select(assigned.c.organization_role_id).where(
        assigned.c.organization_id == organization_id, assigned.c.user_id == user_id
    )
