"""``/organization-roles/:id/scopes`` and ``…/resource-scopes``: what a role bundles."""

from __future__ import annotations

import sqlalchemy as sa
from quart import Blueprint, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from local_logto.context import current_store
from local_logto.management import entities
from local_logto.management.guard import ANY_TEXTS, SOME_TEXTS, Shape, read_body
from local_logto.management.paging import list_response, read_page, read_paging
from local_logto.management.relations import ROLE_RESOURCE_SCOPES, ROLE_SCOPES
from local_logto.management.rows import get_row_unnamed
from local_logto.responses import created, no_content
from local_logto.store import (
    organization_role_resource_scopes,
    organization_role_scopes,
    organization_roles,
    organization_scopes,
    resource_scopes,
)
from local_logto.webhooks import announce

blueprint = Blueprint("role_scopes", __name__, url_prefix="/organization-roles/<organization_role_id>")


@blueprint.get("/scopes")
async def list_role_scopes(organization_role_id: str) -> Response:
    paging = read_paging(is_optional=True)
    bundled = organization_role_scopes
    query = (
        sa.select(organization_scopes)
        .join(bundled, bundled.c.organization_scope_id == organization_scopes.c.id)
        .where(bundled.c.organization_role_id == organization_role_id)
        .order_by(organization_scopes.c.id)
    )
    async with current_store().begin() as connection:
        await _get_role(connection, organization_role_id)
        page = await read_page(connection, query, paging)
    return list_response([entities.organization_scope(row) for row in page.rows], page)


@blueprint.post("/scopes")
async def add_role_scopes(organization_role_id: str) -> Response:
    scope_ids = (await read_body(Shape({"organizationScopeIds": SOME_TEXTS})))["organizationScopeIds"]
    async with current_store().begin() as connection:
        await ROLE_SCOPES.add(connection, scope_ids, organization_role_id=organization_role_id)
    announce("OrganizationRole.Scopes.Updated")
    return created()


@blueprint.put("/scopes")
async def replace_role_scopes(organization_role_id: str) -> Response:
    scope_ids = (await read_body(Shape({"organizationScopeIds": ANY_TEXTS})))["organizationScopeIds"]
    async with current_store().begin() as connection:
        await ROLE_SCOPES.replace(connection, scope_ids, organization_role_id=organization_role_id)
    announce("OrganizationRole.Scopes.Updated")
    return no_content()


@blueprint.delete("/scopes/<organization_scope_id>")
async def remove_role_scope(organization_role_id: str, organization_scope_id: str) -> Response:
    async with current_store().begin() as connection:
        await ROLE_SCOPES.remove(connection, organization_scope_id, organization_role_id=organization_role_id)
    announce("OrganizationRole.Scopes.Updated")
    return no_content()


@blueprint.get("/resource-scopes")
async def list_role_resource_scopes(organization_role_id: str) -> Response:
    paging = read_paging(is_optional=True)
    bundled = organization_role_resource_scopes
    query = (
        sa.select(resource_scopes)
        .join(bundled, bundled.c.scope_id == resource_scopes.c.id)
        .where(bundled.c.organization_role_id == organization_role_id)
        .order_by(resource_scopes.c.id)
    )
    async with current_store().begin() as connection:
        await _get_role(connection, organization_role_id)
        page = await read_page(connection, query, paging)
    return list_response([entities.resource_scope(row) for row in page.rows], page)


@blueprint.post("/resource-scopes")
async def add_role_resource_scopes(organization_role_id: str) -> Response:
    """Logto 1.42 sends no webhook for the API-resource scopes of a role."""
    scope_ids = (await read_body(Shape({"scopeIds": SOME_TEXTS})))["scopeIds"]
    async with current_store().begin() as connection:
        await ROLE_RESOURCE_SCOPES.add(connection, scope_ids, organization_role_id=organization_role_id)
    return created()


@blueprint.put("/resource-scopes")
async def replace_role_resource_scopes(organization_role_id: str) -> Response:
    scope_ids = (await read_body(Shape({"scopeIds": ANY_TEXTS})))["scopeIds"]
    async with current_store().begin() as connection:
        await ROLE_RESOURCE_SCOPES.replace(connection, scope_ids, organization_role_id=organization_role_id)
    return no_content()


@blueprint.delete("/resource-scopes/<scope_id>")
async def remove_role_resource_scope(organization_role_id: str, scope_id: str) -> Response:
    async with current_store().begin() as connection:
        await ROLE_RESOURCE_SCOPES.remove(connection, scope_id, organization_role_id=organization_role_id)
    return no_content()


async def _get_role(connection: AsyncConnection, role_id: str) -> sa.RowMapping:
    return await get_row_unnamed(connection, organization_roles, role_id)
