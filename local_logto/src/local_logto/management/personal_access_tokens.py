"""``/users/:userId/personal-access-tokens``: named tokens that a person's programs exchange for others.

Their values are in every list, as in Logto. The routes with a name in the path are the older form.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from quart import Blueprint, Response

from local_logto.context import current_store
from local_logto.errors import RequestError
from local_logto.management import entities
from local_logto.management.failures import invalid_input
from local_logto.management.guard import read_body
from local_logto.management.rows import delete_row, find_row, insert_row, update_row
from local_logto.management.users import get_user_row, require_user
from local_logto.responses import json_response, no_content
from local_logto.store import new_secret, now_ms
from local_logto.tables import personal_access_tokens
from local_logto.values import Number, OrNull, Shape, Text

_NAME: Final = Text(min=1, max=256)
_NEW: Final = Shape({"name": _NAME}, {"expiresAt": OrNull(Number())})
_RENAMED: Final = Shape({"name": _NAME}, {"currentName": Text()})
_DELETED: Final = Shape({"name": Text()})
_c = personal_access_tokens.c

blueprint = Blueprint(
    "personal_access_tokens", __name__, url_prefix="/users/<user_id>/personal-access-tokens"
)


@blueprint.get("")
async def list_tokens(user_id: str) -> Response:
    """List the tokens, oldest first, including expired ones."""
    query = sa.select(personal_access_tokens).where(_c.user_id == user_id).order_by(_c.created_at, _c.name)
    with current_store().begin() as connection:
        get_user_row(connection, user_id)
        rows = connection.execute(query).mappings().all()
    return json_response([entities.personal_access_token(row) for row in rows])


@blueprint.post("")
async def create_token(user_id: str) -> Response:
    """Create a token. ``expiresAt`` is in epoch milliseconds; without it the token never expires."""
    body = await read_body(_NEW)
    expires_at, moment = body.get("expiresAt"), now_ms()
    if expires_at is not None and expires_at <= moment:
        raise invalid_input(400, "The value of `expiresAt` must be in the future.")
    values = {
        "user_id": user_id,
        "name": body["name"],
        "value": f"pat_{new_secret()}",
        "created_at": moment,
        "expires_at": expires_at,
    }
    with current_store().begin() as connection:
        require_user(connection, user_id)
        _refuse_taken(connection, user_id, body["name"])
        row = insert_row(connection, personal_access_tokens, values)
    return json_response(entities.personal_access_token(row), 201)


@blueprint.patch("")
async def rename_token(user_id: str) -> Response:
    body = await read_body(_RENAMED)
    return _renamed(user_id, body.get("currentName", body["name"]), body["name"])


@blueprint.patch("/<name>")
async def rename_token_in_path(user_id: str, name: str) -> Response:
    return _renamed(user_id, name, (await read_body(_RENAMED))["name"])


@blueprint.post("/delete")
async def delete_token(user_id: str) -> Response:
    return _deleted(user_id, (await read_body(_DELETED))["name"])


@blueprint.delete("/<name>")
async def delete_token_in_path(user_id: str, name: str) -> Response:
    return _deleted(user_id, name)


def _renamed(user_id: str, name: str, new_name: str) -> Response:
    with current_store().begin() as connection:
        if new_name != name and find_row(connection, personal_access_tokens, *_is(user_id, name)):
            _refuse_taken(connection, user_id, new_name)
        row = update_row(connection, personal_access_tokens, {"name": new_name}, *_is(user_id, name))
    return json_response(entities.personal_access_token(row))


def _deleted(user_id: str, name: str) -> Response:
    """Delete the token. Access tokens that were exchanged for it stay valid."""
    with current_store().begin() as connection:
        delete_row(connection, personal_access_tokens, *_is(user_id, name))
    return no_content()


def _is(user_id: str, name: str) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return _c.user_id == user_id, _c.name == name


def _refuse_taken(connection: sa.Connection, user_id: str, name: str) -> None:
    if find_row(connection, personal_access_tokens, *_is(user_id, name)):
        raise RequestError(
            422, "user.personal_access_token_name_exists", "Personal access token name already exists."
        )
