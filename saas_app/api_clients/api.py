"""Routes of the JSON API for API clients. A secret is sent once, in the response to its creation.

There is no ``Idempotency-Key`` here, because it would store the response, and with it the secret. Names are
unique in an organization, so a repeated request creates no second client.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, ConfigDict, Field, PlainValidator, WithJsonSchema
from pydantic.config import JsonDict
from quart import Blueprint, Response
from quart_schema import Tag, tag

from saas_app.api_clients import changes, service
from saas_app.api_clients.forms import DESCRIPTION_LENGTH, MAX_DAYS, NAME_LENGTH
from saas_app.api_clients.usage import Usage
from saas_app.api_clients.values import (
    DEFAULT_DAYS,
    DEFAULT_ROLE,
    ROLES,
    ListedClient,
    NewSecret,
    WantedClient,
)
from saas_app.errors import Invalid
from saas_app.identity.tenant import Tenant
from saas_app.members.cursors import following, read_position
from saas_app.members.values import Listing, MembersFilter
from saas_app.rbac.assignment import MACHINE_PERMISSIONS, machine_roles_for
from saas_app.rbac.permissions import Permission, Role, permissions_of
from saas_app.text.translation import _
from saas_app.web.context import database, management, organization_change, runtime
from saas_app.web.guards import requires
from saas_app.web.json_api import (
    ApiModel,
    ApiResponse,
    Line,
    ListQuery,
    answers,
    list_response,
    validate_querystring,
    validate_request,
    validate_response,
)
from saas_app.web.typed_text import whole_number

TAG = Tag("api-clients", description="API clients of the organization and their secrets")
blueprint = Blueprint(
    "api_clients_api", __name__, url_prefix="/api/v1/organizations/<organization_id>/api-clients"
)


_GRANTABLE = {permission.value: permission for permission in MACHINE_PERMISSIONS}


def _known(names: Collection[str]) -> Callable[[str], str]:
    def check(name: str) -> str:
        if name not in names:
            raise ValueError(f"Choose one of {', '.join(names)}.")
        return name

    return check


def _lifetime(value: object) -> int | Literal["never"]:
    """Read a lifetime in a body, where 28.0 is a whole number too, or in a query, where numbers are texts."""
    if value == "never":
        return "never"
    days = whole_number(value) if isinstance(value, str) else value
    if isinstance(days, float) and days.is_integer():
        days = int(days)
    if not isinstance(days, int) or isinstance(days, bool) or not 1 <= days <= MAX_DAYS:
        raise ValueError(_("must be a number of days from 1 to %(most)s, or never", most=MAX_DAYS))
    return days


_LIFETIME = "The number of days until the secret expires, or `never`"

Name: TypeAlias = Annotated[str, Line(NAME_LENGTH)]
RoleName: TypeAlias = Annotated[
    str, AfterValidator(_known(ROLES)), Field(json_schema_extra={"enum": [*ROLES]})
]
PermissionName: TypeAlias = Annotated[
    str, AfterValidator(_known(_GRANTABLE)), Field(json_schema_extra={"enum": [*_GRANTABLE]})
]
Lifetime: TypeAlias = Annotated[
    int | Literal["never"],
    PlainValidator(_lifetime),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": MAX_DAYS},
                {"type": "string", "enum": ["never"]},
            ]
        }
    ),
]


_EITHER: JsonDict = {
    "not": {"required": ["permissions", "role"], "properties": {"permissions": {"type": "array"}}}
}
"""In the schema, one of both is left out. :func:`create_api_client` refuses the other requests."""


class NewClient(ApiModel):
    """A new API client. Its name must be unique in the organization.

    `permissions` are what it may do, and you need all of them yourself. Some include others, which the
    response lists. For programs that were written earlier, `role` can replace them.
    """

    model_config = ConfigDict(json_schema_extra=_EITHER)

    name: Name
    permissions: Annotated[list[PermissionName], Field(min_length=1)] | None = None
    role: RoleName = Field(
        DEFAULT_ROLE.value, json_schema_extra={"deprecated": True}, description="`permissions` replace it."
    )
    description: Annotated[str, Line(DESCRIPTION_LENGTH, shortest=0)] = ""
    expires_in_days: Lifetime = Field(DEFAULT_DAYS, description=_LIFETIME)


class NewLifetime(ApiModel):
    """The lifetime of a new secret."""

    expires_in_days: Lifetime = Field(DEFAULT_DAYS, description=_LIFETIME)


class ClientView(ApiModel):
    """An API client. If it was not created in Workroom, `created_by` and the later fields are null.

    `permissions` are those that its roles have in Workroom. `secret_expires_at` is null for a secret that
    does not expire. `last_used_at` is exact to a quarter of an hour.
    """

    id: str
    name: str
    description: str
    roles: list[str]
    permissions: list[str]
    created_by: str | None
    created_at: datetime | None
    rotated_at: datetime | None
    last_used_at: datetime | None
    secrets: int | None
    secret_expires_at: datetime | None


class ClientList(ApiModel):
    """A page of API clients. `total` counts all pages."""

    items: list[ClientView]
    total: int
    next_cursor: str | None


class SecretView(ApiModel):
    """An API client with its new secret, and the parameters for `token_endpoint` (client credentials).

    `scope` belongs to tokens for `resource`. `organization_scope` belongs to organization tokens, which are
    requested without a resource. Either is empty if the client has no such permission. `expires_at` is null
    for a secret that does not expire. `old_secrets_left` counts old secrets that Logto did not delete. They
    still work.
    """

    id: str
    name: str
    secret: str
    token_endpoint: str
    resource: str
    organization_id: str
    permissions: list[str]
    scope: str
    organization_scope: str
    expires_at: datetime | None
    old_secrets_left: int


@blueprint.get("")
@requires(Permission.API_CLIENTS_MANAGE)
@tag(["api-clients"])
@answers(409)
@validate_querystring(ListQuery)
@validate_response(ClientList)
async def list_api_clients(tenant: Tenant, query_args: ListQuery) -> ApiResponse:
    """List the API clients of the organization."""

    async def read(page: int, size: int) -> Listing[ListedClient]:
        wanted = MembersFilter(page=page, page_size=size)
        return await service.list_clients(database(), management(), tenant, wanted)

    found = await following(read_position(query_args.cursor, query_args.limit), read)
    items = [_view(item) for item in found.items]
    body = ClientList(items=items, total=found.total, next_cursor=found.next_cursor)
    return list_response(body, found.next_cursor)


@blueprint.post("")
@requires(Permission.API_CLIENTS_MANAGE, complete=True)
@tag(["api-clients"])
@answers(409)
@validate_request(NewClient)
@validate_response(SecretView, 201)
async def create_api_client(tenant: Tenant, data: NewClient) -> ApiResponse:
    """Create an API client. The secret is returned only once. `Idempotency-Key` is ignored."""
    roles: tuple[Role, ...] = (ROLES[data.role],)
    if data.permissions is not None:
        if "role" in data.model_fields_set:
            raise Invalid(fields={"role": _("Send permissions or a role, not both.")})
        roles = machine_roles_for([_GRANTABLE[name] for name in data.permissions])
    wanted = WantedClient(data.name, roles, data.description, _days(data.expires_in_days))
    made = await changes.create(organization_change(tenant), wanted)
    return _secret(tenant, made), 201


@blueprint.post("/<client_id>/rotate")
@requires(Permission.API_CLIENTS_MANAGE, complete=True)
@tag(["api-clients"])
@answers(409)
@validate_querystring(NewLifetime)
@validate_response(SecretView)
async def rotate_api_client(tenant: Tenant, client_id: str, query_args: NewLifetime) -> ApiResponse:
    """Rotate the secret of an API client. Its current tokens work until they expire."""
    made = await changes.rotate(organization_change(tenant), client_id, _days(query_args.expires_in_days))
    return _secret(tenant, made)


@blueprint.delete("/<client_id>")
@requires(Permission.API_CLIENTS_MANAGE)
@tag(["api-clients"])
@answers(204, 409)
async def revoke_api_client(tenant: Tenant, client_id: str) -> ApiResponse:
    """Revoke an API client. Its tokens are rejected immediately.

    A client that other organizations use is only removed from this organization.
    """
    await changes.revoke(organization_change(tenant), client_id)
    return Response(status=204)


def _days(lifetime: int | str) -> int | None:
    return lifetime if isinstance(lifetime, int) else None


def _permissions(role_names: frozenset[str]) -> list[str]:
    held = permissions_of(role_names)
    return [permission.value for permission in Permission if permission in held]


def _view(client: ListedClient) -> ClientView:
    origin = client.origin
    return ClientView(
        id=client.id,
        name=client.name,
        description=client.description,
        roles=sorted(client.role_names),
        permissions=_permissions(client.role_names),
        created_by=origin.created_by if origin else None,
        created_at=origin.created_at if origin else None,
        rotated_at=origin.rotated_at if origin else None,
        last_used_at=origin.last_used_at if origin else None,
        secrets=client.secrets.number if client.secrets else None,
        secret_expires_at=client.secrets.expires_at if client.secrets else None,
    )


def _secret(tenant: Tenant, made: NewSecret) -> SecretView:
    usage = Usage.of(runtime().settings, tenant, made.role_names)
    return SecretView(
        id=made.client_id,
        name=made.name,
        secret=made.secret,
        token_endpoint=usage.token_endpoint,
        resource=usage.resource,
        organization_id=usage.organization_id,
        permissions=_permissions(made.role_names),
        scope=usage.scope,
        organization_scope=usage.organization_scope,
        expires_at=made.expires_at,
        old_secrets_left=made.old_left,
    )
