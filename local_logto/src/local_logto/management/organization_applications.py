"""``/organizations/:id/applications``: machines that belong to an organization, and their roles there."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from quart import Blueprint, Response, request
from sqlalchemy.ext.asyncio import AsyncConnection

from local_logto.context import current_store
from local_logto.management import entities
from local_logto.management.failures import already_exists, constraint_violated, foreign_key_not_found
from local_logto.management.guard import ANY_TEXTS, SOME_TEXTS, Shape, read_body
from local_logto.management.membership import require_membership
from local_logto.management.paging import list_response, read_page, read_paging
from local_logto.management.relations import APPLICATION_ROLES, APPLICATIONS
from local_logto.management.role_choice import MACHINE, require_kind, roles_by_owner
from local_logto.management.rows import any_holds
from local_logto.responses import created, no_content
from local_logto.store import (
    applications,
    organization_application_roles,
    organization_applications,
    organization_roles,
)
from local_logto.webhooks import announce_membership_change

_ROLES: Final = Shape({"organizationRoleIds": SOME_TEXTS})  # read only when it is known who shall hold them

blueprint = Blueprint(
    "organization_applications", __name__, url_prefix="/organizations/<organization_id>/applications"
)


@blueprint.get("")
async def list_organization_applications(organization_id: str) -> Response:
    """By id, or those whose id, name or description holds ``q``."""
    paging = read_paging()
    related, assigned = organization_applications, organization_application_roles
    query = (
        sa.select(applications)
        .join(related, related.c.application_id == applications.c.id)
        .where(related.c.organization_id == organization_id)
        .order_by(applications.c.id)
    )
    wanted = request.args.get("q")
    if wanted:
        fields = (applications.c.id, applications.c.name, applications.c.description)
        query = query.where(any_holds(wanted, fields))
    async with current_store().begin() as connection:
        page = await read_page(connection, query, paging)
        roles = await roles_by_owner(
            connection, assigned, "application_id", assigned.c.organization_id == organization_id
        )
    shown = [entities.application(row) | {"organizationRoles": roles.get(row["id"], [])} for row in page.rows]
    return list_response(shown, page)


@blueprint.post("")
async def add_applications(organization_id: str) -> Response:
    application_ids = (await read_body(Shape({"applicationIds": SOME_TEXTS})))["applicationIds"]
    async with current_store().begin() as connection:
        await _require_machines(connection, application_ids)
        change = await APPLICATIONS.add(connection, application_ids, organization_id=organization_id)
    announce_membership_change(organization_id, addedApplicationIds=list(change.added))
    return created()


@blueprint.put("")
async def replace_applications(organization_id: str) -> Response:
    """Let exactly these machines belong to it; those that stay keep their roles."""
    application_ids = (await read_body(Shape({"applicationIds": ANY_TEXTS})))["applicationIds"]
    async with current_store().begin() as connection:
        await _require_machines(connection, application_ids)
        change = await APPLICATIONS.replace(connection, application_ids, organization_id=organization_id)
    announce_membership_change(
        organization_id,
        addedApplicationIds=list(change.added),
        removedApplicationIds=list(change.removed),
    )
    return no_content()


@blueprint.delete("/<application_id>")
async def remove_application(organization_id: str, application_id: str) -> Response:
    async with current_store().begin() as connection:
        await APPLICATIONS.remove(connection, application_id, organization_id=organization_id)
    announce_membership_change(organization_id, removedApplicationIds=[application_id])
    return no_content()


@blueprint.get("/<application_id>/roles")
async def list_application_roles(organization_id: str, application_id: str) -> Response:
    paging = read_paging(is_optional=True)
    assigned = organization_application_roles
    query = (
        sa.select(organization_roles)
        .join(assigned, assigned.c.organization_role_id == organization_roles.c.id)
        .where(assigned.c.organization_id == organization_id, assigned.c.application_id == application_id)
        .order_by(organization_roles.c.id)
    )
    async with current_store().begin() as connection:
        await require_membership(connection, APPLICATIONS, application_id, organization_id)
        page = await read_page(connection, query, paging)
    return list_response([entities.organization_role(row) for row in page.rows], page)


@blueprint.post("/<application_id>/roles")
async def assign_application_roles(organization_id: str, application_id: str) -> Response:
    async with current_store().begin() as connection:
        await require_membership(connection, APPLICATIONS, application_id, organization_id)
        role_ids = (await read_body(_ROLES))["organizationRoleIds"]
        await require_kind(connection, role_ids, MACHINE)
        await APPLICATION_ROLES.add(
            connection, role_ids, organization_id=organization_id, application_id=application_id
        )
    return created()


@blueprint.put("/<application_id>/roles")
async def replace_application_roles(organization_id: str, application_id: str) -> Response:
    async with current_store().begin() as connection:
        await require_membership(connection, APPLICATIONS, application_id, organization_id)
        role_ids = (await read_body(_ROLES))["organizationRoleIds"]
        if len(set(role_ids)) < len(role_ids):
            raise already_exists()
        await require_kind(connection, role_ids, MACHINE)
        await APPLICATION_ROLES.replace(
            connection, role_ids, organization_id=organization_id, application_id=application_id
        )
    return no_content()


@blueprint.delete("/<application_id>/roles/<organization_role_id>")
async def remove_application_role(
    organization_id: str, application_id: str, organization_role_id: str
) -> Response:
    async with current_store().begin() as connection:
        await require_membership(connection, APPLICATIONS, application_id, organization_id)
        await APPLICATION_ROLES.remove(
            connection, organization_role_id, organization_id=organization_id, application_id=application_id
        )
    return no_content()


async def _require_machines(connection: AsyncConnection, application_ids: list[str]) -> None:
    """Only machine applications can belong to an organization."""
    query = sa.select(applications.c.id, applications.c.type).where(applications.c.id.in_(application_ids))
    kinds = {row.id: row.type for row in await connection.execute(query)}
    if any(application_id not in kinds for application_id in application_ids):
        raise foreign_key_not_found()
    if any(kind != MACHINE for kind in kinds.values()):
        raise constraint_violated()
