"""``/applications``: applications that sign people in, and machine-to-machine applications ("machines").

``application_secrets`` has their secrets.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa
from quart import Blueprint, Response, request

from local_logto.context import current_store
from local_logto.faults import Issue
from local_logto.management import entities, failures
from local_logto.management.application_secrets import HAVE_SECRETS, insert_secret
from local_logto.management.families import Entities
from local_logto.management.guard import invalid_input, read_body, read_query
from local_logto.management.paging import list_response, read_page, read_paging
from local_logto.management.role_choice import roles_by_owner
from local_logto.management.rows import get_row, insert_row, to_columns, update_row
from local_logto.refusals import refusal
from local_logto.responses import json_response
from local_logto.store import new_id, now_ms
from local_logto.tables import (
    application_roles,
    applications,
    organization_application_roles,
    organization_applications,
    organizations,
)
from local_logto.values import AnyObject, AnyOf, Choice, Flag, ListOf, Number, OrNull, Shape, Text

TYPES: Final = ("Native", "SPA", "Traditional", "MachineToMachine")
_NO_URIS: Final[Mapping[str, list[str]]] = {"redirectUris": [], "postLogoutRedirectUris": []}

_URL: Final = Text(is_url=True)
_APPLICATION: Final = Shape(
    required={"name": Text(min=1, max=256)},
    optional={
        "description": OrNull(Text()),
        "customData": AnyObject(),
        "oidcClientMetadata": Shape(
            required={"redirectUris": ListOf(_URL), "postLogoutRedirectUris": ListOf(_URL)},
            optional={
                "backchannelLogoutUri": _URL,
                "backchannelLogoutSessionRequired": Flag(),
                "logoUri": Text(),
            },
        ),
        "customClientMetadata": Shape(
            optional={
                "corsAllowedOrigins": ListOf(Text()),
                "idTokenTtl": Number(),
                "refreshTokenTtl": Number(),
                "refreshTokenTtlInDays": Number(is_integer=True, min=1, max=180),
                "tenantId": Text(),
                "alwaysIssueRefreshToken": Flag(),
                "rotateRefreshToken": Flag(),
                "allowTokenExchange": Flag(),
                "isDeviceFlow": Flag(),
                "maxAllowedGrants": Number(is_integer=True, min=1),
            }
        ),
    },
)
_NEW_APPLICATION: Final = Shape(
    required={**_APPLICATION.required, "type": Choice(TYPES)},
    optional={**_APPLICATION.optional, "isThirdParty": Flag()},
)
_FILTERS: Final = Shape(
    optional={
        "excludeRoleId": Text(),
        "excludeOrganizationId": Text(),
        "isThirdParty": Choice(("true", "false")),
    }
)
_SEARCH_FIELDS: Final = ("id", "name", "description")

blueprint = Blueprint("applications", __name__, url_prefix="/applications")
Entities(applications, entities.application, get_before_delete=get_row).serve(blueprint, "read", "delete")


@blueprint.get("")
async def list_applications() -> Response:
    """List applications, newest first, narrowed by ``types``, ``isThirdParty``, exclusions and a search."""
    paging = read_paging(is_optional=True)
    query = (
        sa.select(applications)
        .where(*_read_filters())
        .order_by(applications.c.created_at.desc(), applications.c.id)
    )
    with current_store().begin() as connection:
        page = read_page(connection, query, paging)
    return list_response([entities.application(row) for row in page.rows], page)


@blueprint.post("")
async def create_application() -> Response:
    """Create an application. Its first secret must be read separately."""
    body = await read_body(_NEW_APPLICATION)
    _refuse_impossible(body)
    values = {"oidc_client_metadata": dict(_NO_URIS), **to_columns(body)}
    values |= {"id": new_id(), "created_at": now_ms()}
    with current_store().begin() as connection:
        row = insert_row(connection, applications, values)
        if row["type"] in HAVE_SECRETS:
            insert_secret(connection, row["id"], "Default secret")
    return json_response(entities.application(row))


@blueprint.patch("/<application_id>")
async def change_application(application_id: str) -> Response:
    """Change the given members. Both metadata objects are replaced as a whole."""
    values = to_columns(await read_body(_APPLICATION.partial()))
    with current_store().begin() as connection:
        row = get_row(connection, applications, application_id)
        _refuse_impossible_change(row, values)
        if values:
            row = update_row(connection, applications, values, applications.c.id == application_id)
    return json_response(entities.application(row))


@blueprint.get("/<application_id>/organizations")
async def list_application_organizations(application_id: str) -> Response:
    """List the organizations that the machine belongs to, with its roles there."""
    paging = read_paging(is_optional=True)
    related, assigned = organization_applications, organization_application_roles
    query = (
        sa.select(organizations)
        .join(related, related.c.organization_id == organizations.c.id)
        .where(related.c.application_id == application_id)
        .order_by(organizations.c.id)
    )
    with current_store().begin() as connection:
        get_row(connection, applications, application_id)
        page = read_page(connection, query, paging)
        roles = roles_by_owner(
            connection, assigned, "organization_id", assigned.c.application_id == application_id
        )
    shown = [
        entities.organization(row) | {"organizationRoles": roles.get(row["id"], [])} for row in page.rows
    ]
    return list_response(shown, page)


def _refuse_impossible(body: Mapping[str, Any]) -> None:
    """Raise 400 or 422 if this type can't have ``isDeviceFlow`` or ``isThirdParty`` as given."""
    metadata = body.get("customClientMetadata", {})
    if metadata.get("isDeviceFlow") and body["type"] != "Native":
        raise refusal("application.device_flow_native_only")
    if body.get("isThirdParty"):
        if body["type"] == "MachineToMachine":
            raise refusal("application.invalid_third_party_application_type")
        _refuse_exchange(metadata)


def _refuse_impossible_change(row: sa.RowMapping, values: Mapping[str, Any]) -> None:
    metadata = values.get("custom_client_metadata")
    if metadata is None:
        return
    if row["is_third_party"]:
        _refuse_exchange(metadata)
    if bool(metadata.get("isDeviceFlow")) != bool(row["custom_client_metadata"].get("isDeviceFlow")):
        raise refusal("application.device_flow_not_changeable")


def _refuse_exchange(metadata: Mapping[str, Any]) -> None:
    if metadata.get("allowTokenExchange"):
        raise refusal("application.third_party_application_cannot_enable_token_exchange")


def _read_filters() -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    types = request.args.getlist("types")
    if types:
        conditions.append(applications.c.type.in_(_checked_types(types)))
    filters = read_query(_FILTERS)
    if filters.get("excludeRoleId") and filters.get("excludeOrganizationId"):
        reason = "Parameter `excludeRoleId` and `excludeOrganizationId` cannot be used at the same time."
        raise failures.invalid_input(400, reason)
    if "isThirdParty" in filters:
        conditions.append(applications.c.is_third_party.is_(filters["isThirdParty"] == "true"))
    if filters.get("excludeRoleId"):
        held = application_roles
        holders = sa.select(held.c.application_id).where(held.c.role_id == filters["excludeRoleId"])
        conditions.append(applications.c.id.not_in(holders))
    if filters.get("excludeOrganizationId"):
        there = organization_applications
        machines = sa.select(there.c.application_id).where(
            there.c.organization_id == filters["excludeOrganizationId"]
        )
        conditions.append(applications.c.id.not_in(machines))
    for name, value in request.args.items(multi=True):
        if name == "search" or name.startswith("search."):
            conditions.append(_match(name.removeprefix("search").removeprefix("."), value))
    return conditions


def _checked_types(types: list[str]) -> list[str]:
    """Return the types. Raises 400 ``guard.invalid_input`` for an unknown one."""
    issues: list[Issue] = []
    one = Choice(TYPES)
    AnyOf((ListOf(one), one)).check(types if len(types) > 1 else types[0], ("types",), issues)
    if issues:
        raise invalid_input("query", issues)
    return types


def _match(field: str, value: str) -> sa.ColumnElement[bool]:
    if field and field not in _SEARCH_FIELDS:
        reason = f"Search field `{field}` is not valid, expect one of {', '.join(_SEARCH_FIELDS)}."
        raise failures.invalid_input(400, reason, data={})
    columns = [applications.c[name] for name in ([field] if field else _SEARCH_FIELDS)]
    if request.args.get(f"mode.{field}" if field else "mode") == "exact":
        return sa.or_(*(sa.func.lower(column) == value.lower() for column in columns))
    return sa.or_(*(column.ilike(value) for column in columns))
