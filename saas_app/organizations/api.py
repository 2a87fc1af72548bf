"""Routes of the JSON API for the caller's access to an organization."""

from __future__ import annotations

from datetime import datetime

from quart import Blueprint
from quart_schema import tag

from saas_app.identity.tenant import Tenant
from saas_app.rbac.permissions import Carrier, Permission
from saas_app.rbac.policy import decide
from saas_app.web.guards import requires_member
from saas_app.web.json_api import ApiModel, ApiResponse, validate_response
from saas_app.web.tokens import with_token

blueprint = Blueprint("organizations_api", __name__, url_prefix="/api/v1/organizations/<organization_id>")


class PermissionAccess(ApiModel):
    """Whether a permission is granted and why, the token that carries it, and the roles that include it."""

    permission: str
    carrier: str
    allowed: bool
    explanation: str
    roles_that_grant: list[str]


class RoleEndView(ApiModel):
    """When a role of the caller ends."""

    role: str
    ends_at: datetime


class Access(ApiModel):
    """The caller's permissions. `roles` is null for a bearer token, which does not name the roles.

    `role_ends` has the roles that end.
    """

    organization_id: str
    organization_name: str
    subject: str
    roles: list[str] | None
    role_ends: list[RoleEndView]
    permissions: list[PermissionAccess]


@blueprint.get("/access")
@requires_member
@tag(["access"])
@validate_response(Access)
async def get_access(tenant: Tenant) -> ApiResponse:
    """List each permission and whether the caller has it in the organization."""
    for carrier in Carrier:
        tenant = await with_token(tenant, carrier)
    roles = tenant.facts.role_names
    return Access(
        organization_id=tenant.organization_id,
        organization_name=tenant.organization_name,
        subject=tenant.principal.subject,
        roles=None if roles is None else sorted(roles),
        role_ends=[RoleEndView(role=name, ends_at=end) for name, end in sorted(tenant.role_ends.items())],
        permissions=[_access(tenant, permission) for permission in Permission],
    )


def _access(tenant: Tenant, permission: Permission) -> PermissionAccess:
    decision = decide(tenant.facts, permission)
    return PermissionAccess(
        permission=permission.value,
        carrier=permission.carrier.value,
        allowed=decision.allowed,
        explanation=decision.decided_by.explanation,
        roles_that_grant=[role.value for role in decision.roles_that_grant],
    )
