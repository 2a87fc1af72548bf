"""``/resources``: API resources and their scopes. The Management API's own resource is read-only."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
from quart import Blueprint, Response, request

from local_logto.context import current_store
from local_logto.errors import RequestError
from local_logto.management import entities
from local_logto.management.families import Entities
from local_logto.management.guard import read_body
from local_logto.management.paging import list_response, read_page, read_paging
from local_logto.management.rows import (
    delete_row,
    find_row,
    get_row,
    insert_row,
    to_columns,
    update_row,
)
from local_logto.oidc.scopes import MANAGEMENT_RESOURCE
from local_logto.responses import json_response, no_content
from local_logto.store import new_id, now_ms
from local_logto.tables import resource_scopes, resources
from local_logto.values import Flag, Number, OrNull, Shape, Text
from local_logto.webhooks import announce

_CHANGES: Final = Shape(optional={"name": Text(min=1), "accessTokenTtl": Number()})
_RESOURCE: Final = Shape(
    required={"name": Text(min=1), "indicator": Text(min=1)}, optional={"accessTokenTtl": Number()}
)
_SCOPE: Final = Shape(required={"name": Text(min=1, max=256)}, optional={"description": OrNull(Text())})
_BY_AGE: Final = sa.text("resources.rowid")

blueprint = Blueprint("resources", __name__, url_prefix="/resources")
Entities(resources, entities.resource).serve(blueprint, "read", parameter="resource_id")


@blueprint.get("")
async def list_resources() -> Response:
    """List resources, oldest first. ``includeScopes`` adds their scopes."""
    paging = read_paging(is_optional=True)
    with current_store().begin() as connection:
        page = read_page(connection, sa.select(resources).order_by(_BY_AGE), paging)
        shown = [entities.resource(row) for row in page.rows]
        if request.args.get("includeScopes") == "true":
            shown = [entity | {"scopes": _scopes_of(connection, entity["id"])} for entity in shown]
    return list_response(shown, page)


@blueprint.post("")
async def create_resource() -> Response:
    """Create a resource. Its indicator may be any text and never changes."""
    values = to_columns(await read_body(_RESOURCE)) | {"id": new_id()}
    with current_store().begin() as connection:
        indicator = values["indicator"]
        if find_row(connection, resources, resources.c.indicator == indicator):
            raise RequestError(
                422,
                "resource.resource_identifier_in_use",
                f"The API identifier {indicator} is already in use",
            )
        row = insert_row(connection, resources, values)
    return json_response(entities.resource(row) | {"scopes": []}, 201)


@blueprint.patch("/<resource_id>")
async def change_resource(resource_id: str) -> Response:
    values = to_columns(await read_body(_CHANGES))
    with current_store().begin() as connection:
        _refuse_management_api(connection, resource_id)
        row = update_row(connection, resources, values, resources.c.id == resource_id)
    return json_response(entities.resource(row))


@blueprint.patch("/<resource_id>/is-default")
async def make_default(resource_id: str) -> Response:
    """Set or unset the resource for authorization requests that name none."""
    is_default = (await read_body(Shape({"isDefault": Flag()})))["isDefault"]
    with current_store().begin() as connection:
        if is_default:
            connection.execute(sa.update(resources).values(is_default=False))
        is_it = resources.c.id == resource_id
        row = update_row(connection, resources, {"is_default": is_default}, is_it)
    return json_response(entities.resource(row))


@blueprint.delete("/<resource_id>")
async def delete_resource(resource_id: str) -> Response:
    with current_store().begin() as connection:
        row = get_row(connection, resources, resource_id)
        if row["indicator"] == MANAGEMENT_RESOURCE:
            raise RequestError(
                400, "resource.cannot_delete_management_api", "Cannot delete Logto management API."
            )
        delete_row(connection, resources, resources.c.id == resource_id)
    return no_content()


@blueprint.get("/<resource_id>/scopes")
async def list_scopes(resource_id: str) -> Response:
    """List scopes, newest first, narrowed by ``search`` in the name, without its percent signs."""
    paging = read_paging()
    query = (
        sa.select(resource_scopes)
        .where(resource_scopes.c.resource_id == resource_id)
        .order_by(resource_scopes.c.created_at.desc(), resource_scopes.c.id)
    )
    wanted = request.args.get("search", "").strip("%")
    if wanted:
        query = query.where(resource_scopes.c.name.icontains(wanted, autoescape=True))
    with current_store().begin() as connection:
        page = read_page(connection, query, paging)
    return list_response([entities.resource_scope(row) for row in page.rows], page)


@blueprint.post("/<resource_id>/scopes")
async def create_scope(resource_id: str) -> Response:
    values = to_columns(await read_body(_SCOPE))
    _refuse_space(values)
    values |= {"id": new_id(), "resource_id": resource_id, "created_at": now_ms()}
    with current_store().begin() as connection:
        _refuse_management_api(connection, resource_id)
        _refuse_taken(connection, resource_id, values["name"])
        entity = entities.resource_scope(insert_row(connection, resource_scopes, values))
    announce("Scope.Created", data=entity)
    return json_response(entity, 201)


@blueprint.patch("/<resource_id>/scopes/<scope_id>")
async def change_scope(resource_id: str, scope_id: str) -> Response:
    values = to_columns(await read_body(_SCOPE.partial()))
    _refuse_space(values)
    is_it = (resource_scopes.c.id == scope_id) & (resource_scopes.c.resource_id == resource_id)
    with current_store().begin() as connection:
        _refuse_management_api(connection, resource_id)
        if "name" in values:
            _refuse_taken(connection, resource_id, values["name"], except_id=scope_id)
        entity = entities.resource_scope(update_row(connection, resource_scopes, values, is_it))
    announce("Scope.Data.Updated", data=entity)
    return json_response(entity)


@blueprint.delete("/<resource_id>/scopes/<scope_id>")
async def delete_scope(resource_id: str, scope_id: str) -> Response:
    is_it = (resource_scopes.c.id == scope_id) & (resource_scopes.c.resource_id == resource_id)
    with current_store().begin() as connection:
        _refuse_management_api(connection, resource_id)
        delete_row(connection, resource_scopes, is_it)
    announce("Scope.Deleted")
    return no_content()


def _scopes_of(connection: sa.Connection, resource_id: str) -> list[entities.Entity]:
    query = (
        sa.select(resource_scopes)
        .where(resource_scopes.c.resource_id == resource_id)
        .order_by(resource_scopes.c.id)
    )
    rows = connection.execute(query).mappings()
    return [entities.resource_scope(row) for row in rows]


def _refuse_management_api(connection: sa.Connection, resource_id: str) -> None:
    row = get_row(connection, resources, resource_id)
    if row["indicator"] == MANAGEMENT_RESOURCE:
        raise RequestError(
            400, "resource.cannot_modify_management_api", "Cannot modify Logto management API."
        )


def _refuse_space(values: dict[str, Any]) -> None:
    if " " in values.get("name", ""):
        raise RequestError(400, "scope.name_with_space", "The name of the scope cannot contain any spaces.")


def _refuse_taken(
    connection: sa.Connection, resource_id: str, name: str, *, except_id: str | None = None
) -> None:
    c = resource_scopes.c
    row = find_row(connection, resource_scopes, c.resource_id == resource_id, c.name == name)
    if row is not None and row["id"] != except_id:
        raise RequestError(422, "scope.name_exists", f"The scope name {name} is already in use")
