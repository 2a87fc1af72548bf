"""``/organizations``: the tenants themselves. Who belongs to them is in ``members``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa
from quart import Blueprint, Response, request
from sqlalchemy.ext.asyncio import AsyncConnection

from local_logto.context import current_store
from local_logto.management import entities
from local_logto.management.guard import AnyObject, Flag, OrNull, Shape, Text, read_body
from local_logto.management.paging import list_response, read_page, read_paging
from local_logto.management.rows import any_holds, delete_row, get_row, insert_row, to_columns, update_row
from local_logto.management.sign_in_exp_shapes import COLOR
from local_logto.responses import json_response, no_content
from local_logto.store import new_id, now_ms, organization_users, organizations, users
from local_logto.webhooks import announce

FEATURED_MEMBERS: Final = 3
_YES: Final = frozenset({"1", "true", "y", "yes"})  # what Logto takes for a yes in a query

_URL: Final = Text(is_url=True)
_ORGANIZATION: Final = Shape(
    required={"name": Text(min=1, max=128)},
    optional={
        "description": OrNull(Text(max=256)),
        "customData": AnyObject(),
        "isMfaRequired": Flag(),
        "color": Shape(
            optional={"primaryColor": COLOR, "isDarkModeEnabled": Flag(), "darkPrimaryColor": COLOR}
        ),
        "branding": Shape(
            optional={"logoUrl": _URL, "darkLogoUrl": _URL, "favicon": _URL, "darkFavicon": _URL}
        ),
        "customCss": OrNull(Text()),
    },
)

blueprint = Blueprint("organizations", __name__, url_prefix="/organizations")


@blueprint.get("")
async def list_organizations() -> Response:
    """By id, or those whose id or name holds ``q``; with ``showFeatured`` a few of their members."""
    paging = read_paging()
    query = sa.select(organizations).order_by(organizations.c.id)
    wanted = request.args.get("q")
    if wanted:
        fields = (organizations.c.id, organizations.c.name)
        query = query.where(any_holds(wanted, fields))
    async with current_store().begin() as connection:
        page = await read_page(connection, query, paging)
        shown = [entities.organization(row) for row in page.rows]
        if request.args.get("showFeatured", "").lower() in _YES:
            shown = [entity | await _featured(connection, entity["id"]) for entity in shown]
    return list_response(shown, page)


@blueprint.post("")
async def create_organization() -> Response:
    """Nobody is a member of it yet, its creator neither."""
    values = to_columns(await read_body(_ORGANIZATION))
    async with current_store().begin() as connection:
        values |= {"id": new_id(12), "created_at": now_ms()}
        entity = entities.organization(await insert_row(connection, organizations, values))
    announce("Organization.Created", data=entity)
    return json_response(entity, 201)


@blueprint.get("/<organization_id>")
async def get_organization(organization_id: str) -> Response:
    async with current_store().begin() as connection:
        row = await get_row(connection, organizations, organization_id)
    return json_response(entities.organization(row))


@blueprint.patch("/<organization_id>")
async def change_organization(organization_id: str) -> Response:
    """Change what is named; objects are replaced whole."""
    values = to_columns(await read_body(_ORGANIZATION.partial()))
    async with current_store().begin() as connection:
        row = await update_row(connection, organizations, values, organizations.c.id == organization_id)
    entity = entities.organization(row)
    announce("Organization.Data.Updated", data=entity)
    return json_response(entity)


@blueprint.delete("/<organization_id>")
async def delete_organization(organization_id: str) -> Response:
    """Delete it with its memberships and invitations."""
    async with current_store().begin() as connection:
        await delete_row(connection, organizations, organizations.c.id == organization_id)
    announce("Organization.Deleted")
    return no_content()


async def _featured(connection: AsyncConnection, organization_id: str) -> dict[str, Any]:
    members = (
        sa.select(users.c.id, users.c.avatar, users.c.name)
        .join(organization_users, organization_users.c.user_id == users.c.id)
        .where(organization_users.c.organization_id == organization_id)
        .order_by(users.c.id)
    )
    rows: Sequence[sa.RowMapping] = (await connection.execute(members)).mappings().all()
    return {"usersCount": len(rows), "featuredUsers": [dict(row) for row in rows[:FEATURED_MEMBERS]]}
