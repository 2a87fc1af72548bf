"""Routes of the JSON API for single sign-on: what is set up. Setting it up takes the pages."""

from __future__ import annotations

from datetime import datetime

from quart import Blueprint
from quart_schema import Tag, tag

from saas_app.identity.tenant import Tenant
from saas_app.rbac.permissions import Permission
from saas_app.single_sign_on import service
from saas_app.single_sign_on.values import Connection
from saas_app.web.context import database, runtime
from saas_app.web.guards import requires
from saas_app.web.json_api import ApiModel, ApiResponse, validate_response

TAG = Tag("single-sign-on", description="The identity provider of the organization’s company")
blueprint = Blueprint(
    "single_sign_on_api", __name__, url_prefix="/api/v1/organizations/<organization_id>/single-sign-on"
)

_NOT_SET_UP = "none"


class GroupRoleView(ApiModel):
    """A role that people of a group at the provider have."""

    group: str
    role: str


class SingleSignOnView(ApiModel):
    """How far single sign-on is set up. The client secret is never returned.

    `allowed` says whether the operator lets the organization connect a provider. `stage` is none, created,
    configured, tested, on or required. `domains` were chosen, and of these, `effective_domains` are proved by
    DNS now. `joins` says whether people who sign in become members. `failing_since` is null while the
    provider works. Else, `failure` is credentials, request, unreachable, metadata, keys or tokens.
    """

    stage: str
    allowed: bool
    name: str | None = None
    redirect_uri: str | None = None
    issuer: str | None = None
    client_id: str | None = None
    scopes: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    effective_domains: tuple[str, ...] = ()
    joins: bool = False
    group_claim: str | None = None
    group_roles: tuple[GroupRoleView, ...] = ()
    tested_at: datetime | None = None
    on_at: datetime | None = None
    required_at: datetime | None = None
    recovery_id: str | None = None
    failing_since: datetime | None = None
    failure: str | None = None


@blueprint.get("")
@requires(Permission.ORGANIZATION_UPDATE)
@tag(["single-sign-on"])
@validate_response(SingleSignOnView)
async def get_single_sign_on(tenant: Tenant) -> ApiResponse:
    """Read how far single sign-on is set up."""
    service.require_offered(runtime().settings)
    connection, held = await service.read_held(runtime().work, tenant.organization_id)
    allowed = await service.is_allowed(database(), tenant.organization_id, runtime().settings)
    if connection is None:
        return SingleSignOnView(stage=_NOT_SET_UP, allowed=allowed)
    return _view(connection, allowed, service.effective_domains(connection, held))


def _view(connection: Connection, allowed: bool, effective: tuple[str, ...]) -> SingleSignOnView:
    return SingleSignOnView(
        stage=connection.stage.value,
        allowed=allowed,
        name=connection.name,
        redirect_uri=runtime().registration.redirect_uri(connection.connector_id),
        issuer=connection.issuer or None,
        client_id=connection.client_id or None,
        scopes=tuple(connection.scopes.split()),
        domains=connection.domains,
        effective_domains=effective,
        joins=connection.joins,
        group_claim=connection.group_claim or None,
        group_roles=tuple(GroupRoleView(group=row.group, role=row.role) for row in connection.group_roles),
        tested_at=connection.tested_at,
        on_at=connection.on_at,
        required_at=connection.required_at,
        recovery_id=connection.recovery_id,
        failing_since=connection.failing_since,
        failure=connection.failure,
    )
