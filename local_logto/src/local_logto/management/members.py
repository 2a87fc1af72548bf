"""``/organizations/:id/users``: the people of an organization. Their roles are in ``member_roles``."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from quart import Blueprint, Response, request

from local_logto.context import current_store
from local_logto.management import entities
from local_logto.management.guard import ANY_TEXTS, SOME_TEXTS, Shape, read_body
from local_logto.management.paging import list_response, read_page, read_paging
from local_logto.management.relations import MEMBERS
from local_logto.management.role_choice import roles_by_owner
from local_logto.management.user_search import fuzzy
from local_logto.responses import json_response, no_content
from local_logto.store import organization_user_roles, organization_users, users
from local_logto.webhooks import announce_membership_change

_SOME_PEOPLE: Final = Shape(required={"userIds": SOME_TEXTS})
_ANY_PEOPLE: Final = Shape(required={"userIds": ANY_TEXTS})

blueprint = Blueprint("members", __name__, url_prefix="/organizations/<organization_id>/users")


@blueprint.get("")
async def list_members(organization_id: str) -> Response:
    """By user id, narrowed by ``q`` and ``organizationRoleId``; an unknown organization has no members."""
    paging = read_paging()
    query = (
        sa.select(users)
        .join(organization_users, organization_users.c.user_id == users.c.id)
        .where(organization_users.c.organization_id == organization_id)
        .order_by(users.c.id)
    )
    wanted, role_id = request.args.get("q"), request.args.get("organizationRoleId")
    assigned = organization_user_roles
    if wanted:
        query = query.where(fuzzy(wanted))
    if role_id:
        holders = sa.select(assigned.c.user_id).where(
            assigned.c.organization_id == organization_id, assigned.c.organization_role_id == role_id
        )
        query = query.where(users.c.id.in_(holders))
    async with current_store().begin() as connection:
        page = await read_page(connection, query, paging)
        shown_ids = [row["id"] for row in page.rows]
        roles = await roles_by_owner(
            connection,
            assigned,
            "user_id",
            assigned.c.organization_id == organization_id,
            assigned.c.user_id.in_(shown_ids),
        )
    shown = [entities.user(row) | {"organizationRoles": roles.get(row["id"], [])} for row in page.rows]
    return list_response(shown, page)


@blueprint.post("")
async def add_members(organization_id: str) -> Response:
    """Existing members stay as they are; the event is sent all the same, then without their ids."""
    user_ids = (await read_body(_SOME_PEOPLE))["userIds"]
    async with current_store().begin() as connection:
        change = await MEMBERS.add(connection, user_ids, organization_id=organization_id)
    announce_membership_change(organization_id, addedUserIds=list(change.added))
    return json_response({"userIds": user_ids}, 201)


@blueprint.put("")
async def replace_members(organization_id: str) -> Response:
    """Make exactly these people members; who stays keeps their roles."""
    user_ids = (await read_body(_ANY_PEOPLE))["userIds"]
    async with current_store().begin() as connection:
        change = await MEMBERS.replace(connection, user_ids, organization_id=organization_id)
    announce_membership_change(
        organization_id, addedUserIds=list(change.added), removedUserIds=list(change.removed)
    )
    return no_content()


@blueprint.delete("/<user_id>")
async def remove_member(organization_id: str, user_id: str) -> Response:
    async with current_store().begin() as connection:
        await MEMBERS.remove(connection, user_id, organization_id=organization_id)
    announce_membership_change(organization_id, removedUserIds=[user_id])
    return no_content()
