"""``/organizations/:id/users``: the members of an organization. ``member_roles`` has their roles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa
from quart import Blueprint, Response, request

from local_logto.context import current_store
from local_logto.management import entities
from local_logto.management.families import Owner, Related
from local_logto.management.paging import list_response, read_page, read_paging
from local_logto.management.relations import MEMBERS, Change
from local_logto.management.role_choice import roles_by_owner
from local_logto.management.user_search import fuzzy
from local_logto.responses import json_response
from local_logto.tables import organization_user_roles, users
from local_logto.webhooks import announce_membership_change

blueprint = Blueprint("members", __name__, url_prefix="/organizations/<organization_id>/users")


def _announce(owner: Owner, change: Change) -> None:
    """Send the event even if everyone was a member already. It then has no IDs."""
    announce_membership_change(
        owner["organization_id"], addedUserIds=list(change.added), removedUserIds=list(change.removed)
    )


def _answer_with_ids(user_ids: Sequence[str], _change: Change) -> Response:
    return json_response({"userIds": user_ids}, 201)


PEOPLE: Final = Related(MEMBERS, "userIds", users, entities.user, announce=_announce, answer=_answer_with_ids)
PEOPLE.serve(blueprint, "", "add", "replace", "remove")


@blueprint.get("")
async def list_members(organization_id: str) -> Response:
    """List members by user ID, narrowed by ``q`` and ``organizationRoleId``. An unknown organization has
    none.
    """
    paging = read_paging()
    query = PEOPLE.found(organization_id=organization_id)
    wanted, role_id = request.args.get("q"), request.args.get("organizationRoleId")
    assigned = organization_user_roles
    if wanted:
        query = query.where(fuzzy(wanted))
    if role_id:
        holders = sa.select(assigned.c.user_id).where(
            assigned.c.organization_id == organization_id, assigned.c.organization_role_id == role_id
        )
        query = query.where(users.c.id.in_(holders))
    with current_store().begin() as connection:
        page = read_page(connection, query, paging)
        shown_ids = [row["id"] for row in page.rows]
        roles = roles_by_owner(
            connection,
            assigned,
            "user_id",
            assigned.c.organization_id == organization_id,
            assigned.c.user_id.in_(shown_ids),
        )
    shown = [entities.user(row) | {"organizationRoles": roles.get(row["id"], [])} for row in page.rows]
    return list_response(shown, page)
