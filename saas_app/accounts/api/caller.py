"""Routes about the caller and the permission registry."""

from __future__ import annotations

from typing import Any, Literal

from quart import Blueprint, g
from quart_schema import tag

from saas_app.identity.bearer import BearerToken
from saas_app.identity.principal import Principal, SessionPrincipal
from saas_app.rbac.permissions import Permission, roles_granting
from saas_app.web.context import runtime
from saas_app.web.guards import authenticated
from saas_app.web.json_api import ApiModel, ApiResponse, validate_response

blueprint = Blueprint("identity_api", __name__, url_prefix="/api/v1")


class TokenView(ApiModel):
    """The claims of a bearer token. `carrier` is the kind of token. Times are in Unix seconds."""

    carrier: str
    client_id: str
    organization_id: str | None
    scopes: list[str]
    issued_at: int
    expires_at: int


class Me(ApiModel):
    """The caller. `claims` is set for a browser session (from its ID token), `token` for a bearer token."""

    subject: str
    type: Literal["person", "machine"]
    name: str | None
    email: str | None
    claims: dict[str, Any] | None
    token: TokenView | None


class PermissionView(ApiModel):
    """A permission: its scope, its purpose, the token it travels in, and the roles that grant it."""

    value: str
    description: str
    carrier: str
    roles: list[str]


class Permissions(ApiModel):
    """All permissions."""

    items: list[PermissionView]


@blueprint.get("/me")
@authenticated
@tag(["access"])
@validate_response(Me)
async def get_me(principal: Principal) -> ApiResponse:
    """Return the caller, identified by session or token."""
    bearer: BearerToken | None = g.get("bearer")
    claims = None
    if isinstance(principal, SessionPrincipal):
        claims = await runtime().profiles.get_claims(principal)
    return Me(
        subject=principal.subject,
        type="machine" if principal.is_machine else "person",
        name=principal.name or principal.username,
        email=principal.email,
        claims=claims,
        token=_view(bearer) if bearer else None,
    )


@blueprint.get("/permissions")
@authenticated
@tag(["access"])
@validate_response(Permissions)
async def list_permissions(principal: Principal) -> ApiResponse:
    """List all permissions, and the roles that grant each."""
    return Permissions(
        items=[
            PermissionView(
                value=permission.value,
                description=permission.description,
                carrier=permission.carrier.value,
                roles=[role.value for role in roles_granting(permission)],
            )
            for permission in Permission
        ]
    )


def _view(token: BearerToken) -> TokenView:
    return TokenView(
        carrier=token.carrier.value,
        client_id=token.client_id,
        organization_id=token.organization_id,
        scopes=sorted(token.scopes),
        issued_at=token.issued_at,
        expires_at=token.expires_at,
    )
