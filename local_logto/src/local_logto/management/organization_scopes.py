"""``/organization-scopes``: the permissions of the organization template."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from quart import Blueprint, Response, request

from local_logto.context import current_store
from local_logto.management import entities
from local_logto.management.guard import OrNull, Shape, Text, read_body
from local_logto.management.paging import list_response, read_page, read_paging
from local_logto.management.rows import delete_row, get_row, insert_row, to_columns, update_row
from local_logto.responses import json_response, no_content
from local_logto.store import new_id, organization_scopes
from local_logto.webhooks import announce

_SCOPE: Final = Shape(
    required={"name": Text(min=1, max=128)}, optional={"description": OrNull(Text(max=256))}
)

blueprint = Blueprint("organization_scopes", __name__, url_prefix="/organization-scopes")


@blueprint.get("")
async def list_scopes() -> Response:
    """By name, or those whose name holds ``q``."""
    paging = read_paging(is_optional=True)
    query = sa.select(organization_scopes).order_by(organization_scopes.c.name)
    wanted = request.args.get("q")
    if wanted:
        query = query.where(organization_scopes.c.name.icontains(wanted, autoescape=True))
    async with current_store().begin() as connection:
        page = await read_page(connection, query, paging)
    return list_response([entities.organization_scope(row) for row in page.rows], page)


@blueprint.post("")
async def create_scope() -> Response:
    values = to_columns(await read_body(_SCOPE)) | {"id": new_id()}
    async with current_store().begin() as connection:
        row = await insert_row(connection, organization_scopes, values)
    entity = entities.organization_scope(row)
    announce("OrganizationScope.Created", data=entity)
    return json_response(entity, 201)


@blueprint.get("/<organization_scope_id>")
async def get_scope(organization_scope_id: str) -> Response:
    async with current_store().begin() as connection:
        row = await get_row(connection, organization_scopes, organization_scope_id)
    return json_response(entities.organization_scope(row))


@blueprint.patch("/<organization_scope_id>")
async def change_scope(organization_scope_id: str) -> Response:
    values = to_columns(await read_body(_SCOPE.partial()))
    is_it = organization_scopes.c.id == organization_scope_id
    async with current_store().begin() as connection:
        row = await update_row(connection, organization_scopes, values, is_it)
    entity = entities.organization_scope(row)
    announce("OrganizationScope.Data.Updated", data=entity)
    return json_response(entity)


@blueprint.delete("/<organization_scope_id>")
async def delete_scope(organization_scope_id: str) -> Response:
    """Delete the permission; the roles that bundled it lose it."""
    is_it = organization_scopes.c.id == organization_scope_id
    async with current_store().begin() as connection:
        await delete_row(connection, organization_scopes, is_it)
    announce("OrganizationScope.Deleted")
    return no_content()
