"""``/organizations/:id/applications``: machines that belong to an organization, and their roles there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa
from quart import Blueprint, Response

from local_logto.context import current_store
from local_logto.management import entities
from local_logto.management.failures import already_exists, constraint_violated, foreign_key_not_found
from local_logto.management.families import Owner, Related
from local_logto.management.guard import read_body
from local_logto.management.membership import require_membership
from local_logto.management.paging import list_response, read_page, read_paging
from local_logto.management.relations import APPLICATION_ROLES, APPLICATIONS, Change
from local_logto.management.role_choice import MACHINE, require_kind, roles_by_owner
from local_logto.responses import no_content
from local_logto.tables import applications, organization_application_roles, organization_roles
from local_logto.values import SOME_TEXTS, Shape
from local_logto.webhooks import announce_membership_change

_ROLES: Final = Shape({"organizationRoleIds": SOME_TEXTS})  # read after the membership check

blueprint = Blueprint(
    "organization_applications", __name__, url_prefix="/organizations/<organization_id>/applications"
)


def _require_machines(connection: sa.Connection, application_ids: Sequence[str]) -> None:
    """Raise 422 unless all of these applications exist and are machines."""
    query = sa.select(applications.c.id, applications.c.type).where(applications.c.id.in_(application_ids))
    kinds = {row.id: row.type for row in connection.execute(query)}
    if any(application_id not in kinds for application_id in application_ids):
        raise foreign_key_not_found()
    if any(kind != MACHINE for kind in kinds.values()):
        raise constraint_violated()


def _announce(owner: Owner, change: Change) -> None:
    announce_membership_change(
        owner["organization_id"],
        addedApplicationIds=list(change.added),
        removedApplicationIds=list(change.removed),
    )


def _require_membership(connection: sa.Connection, organization_id: str, application_id: str) -> None:
    require_membership(connection, APPLICATIONS, application_id, organization_id)


def _require_roles_of_machines(connection: sa.Connection, role_ids: Sequence[str]) -> None:
    require_kind(connection, role_ids, MACHINE)


MACHINES: Final = Related(
    APPLICATIONS,
    "applicationIds",
    applications,
    entities.application,
    search=(applications.c.id, applications.c.name, applications.c.description),
    check=_require_machines,
    announce=_announce,
)
MACHINES.serve(blueprint, "", "add", "replace", "remove")

Related(
    APPLICATION_ROLES,
    "organizationRoleIds",
    organization_roles,
    entities.organization_role,
    require=_require_membership,
    check=_require_roles_of_machines,
).serve(blueprint, "/<application_id>/roles", "list", "add", "remove")


@blueprint.get("")
async def list_organization_applications(organization_id: str) -> Response:
    """List machines by ID, narrowed by ``q`` in ID, name and description."""
    paging = read_paging()
    assigned = organization_application_roles
    with current_store().begin() as connection:
        page = read_page(connection, MACHINES.found(organization_id=organization_id), paging)
        roles = roles_by_owner(
            connection, assigned, "application_id", assigned.c.organization_id == organization_id
        )
    shown = [entities.application(row) | {"organizationRoles": roles.get(row["id"], [])} for row in page.rows]
    return list_response(shown, page)


@blueprint.put("/<application_id>/roles")
async def replace_application_roles(organization_id: str, application_id: str) -> Response:
    with current_store().begin() as connection:
        _require_membership(connection, organization_id, application_id)
    role_ids = (await read_body(_ROLES))["organizationRoleIds"]
    if len(set(role_ids)) < len(role_ids):
        raise already_exists()
    with current_store().begin() as connection:
        require_kind(connection, role_ids, MACHINE)
        APPLICATION_ROLES.replace(
            connection, role_ids, organization_id=organization_id, application_id=application_id
        )
    return no_content()
