"""``/organization-roles/:id/scopes`` and ``…/resource-scopes``: the permissions of a role."""

from __future__ import annotations

import sqlalchemy as sa
from quart import Blueprint

from local_logto.management import entities
from local_logto.management.families import Owner, Related
from local_logto.management.relations import ROLE_RESOURCE_SCOPES, ROLE_SCOPES, Change
from local_logto.management.rows import get_row_unnamed
from local_logto.tables import organization_roles, organization_scopes, resource_scopes
from local_logto.webhooks import announce

blueprint = Blueprint("role_scopes", __name__, url_prefix="/organization-roles/<organization_role_id>")


def _require_role(connection: sa.Connection, organization_role_id: str) -> None:
    get_row_unnamed(connection, organization_roles, organization_role_id)


def _announce(_owner: Owner, _change: Change) -> None:
    announce("OrganizationRole.Scopes.Updated")


Related(
    ROLE_SCOPES,
    "organizationScopeIds",
    organization_scopes,
    entities.organization_scope,
    exists=_require_role,
    announce=_announce,
).serve(blueprint, "/scopes", "list", "add", "replace", "remove")

# Logto 1.42 sends no webhook for the API-resource scopes of a role.
Related(
    ROLE_RESOURCE_SCOPES, "scopeIds", resource_scopes, entities.resource_scope, exists=_require_role
).serve(blueprint, "/resource-scopes", "list", "add", "replace", "remove")
