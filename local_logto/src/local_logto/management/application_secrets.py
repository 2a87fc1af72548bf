"""``/applications/:id/secrets``: named secrets in plain text, as Logto shows them."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from quart import Blueprint, Response

from local_logto.context import current_store
from local_logto.errors import RequestError
from local_logto.management import entities
from local_logto.management.failures import constraint_violated, invalid_input
from local_logto.management.guard import read_body
from local_logto.management.rows import delete_row, find_row, get_row, insert_row, update_row
from local_logto.responses import json_response, no_content
from local_logto.store import new_secret, now_ms
from local_logto.tables import application_secrets, applications
from local_logto.values import Number, OrNull, Shape, Text

HAVE_SECRETS: Final = frozenset({"Traditional", "MachineToMachine"})

_NAME: Final = Text(min=1, max=256)
_SECRET: Final = Shape({"name": _NAME}, {"expiresAt": OrNull(Number())})

blueprint = Blueprint("application_secrets", __name__, url_prefix="/applications/<application_id>/secrets")


@blueprint.get("")
async def list_secrets(application_id: str) -> Response:
    """List the secrets, oldest first, starting with the one created with the application."""
    query = (
        sa.select(application_secrets)
        .where(application_secrets.c.application_id == application_id)
        .order_by(application_secrets.c.created_at, application_secrets.c.name)
    )
    with current_store().begin() as connection:
        get_row(connection, applications, application_id)
        rows = connection.execute(query).mappings().all()
    return json_response([entities.application_secret(row) for row in rows])


@blueprint.post("")
async def create_secret(application_id: str) -> Response:
    body = await read_body(_SECRET)
    expires_at = body.get("expiresAt")
    if expires_at is not None and expires_at <= now_ms():
        raise invalid_input(400, "The value of `expiresAt` must be in the future.")
    with current_store().begin() as connection:
        application = get_row(connection, applications, application_id)
        if application["type"] not in HAVE_SECRETS:
            raise constraint_violated()
        _refuse_taken(connection, application_id, body["name"])
        row = insert_secret(connection, application_id, body["name"], expires_at)
    return json_response(entities.application_secret(row), 201)


@blueprint.patch("/<name>")
async def rename_secret(application_id: str, name: str) -> Response:
    new_name = (await read_body(Shape({"name": _NAME})))["name"]
    with current_store().begin() as connection:
        get_row(connection, applications, application_id)
        if new_name != name:
            _refuse_taken(connection, application_id, new_name)
        is_it = _is(application_id, name)
        row = update_row(connection, application_secrets, {"name": new_name}, *is_it)
    return json_response(entities.application_secret(row))


@blueprint.delete("/<name>")
async def delete_secret(application_id: str, name: str) -> Response:
    with current_store().begin() as connection:
        get_row(connection, applications, application_id)
        delete_row(connection, application_secrets, *_is(application_id, name))
    return no_content()


def insert_secret(
    connection: sa.Connection, application_id: str, name: str, expires_at: int | None = None
) -> sa.RowMapping:
    """Create a secret of 32 characters. ``expires_at`` is in epoch milliseconds."""
    values = {
        "application_id": application_id,
        "name": name,
        "value": new_secret(),
        "created_at": now_ms(),
        "expires_at": expires_at,
    }
    return insert_row(connection, application_secrets, values)


def _is(application_id: str, name: str) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return application_secrets.c.application_id == application_id, application_secrets.c.name == name


def _refuse_taken(connection: sa.Connection, application_id: str, name: str) -> None:
    if find_row(connection, application_secrets, *_is(application_id, name)):
        raise RequestError(422, "application.secret_name_exists", "Secret name already exists.")
