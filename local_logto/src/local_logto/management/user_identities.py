"""``/users/:userId/identities``: an account's social identities. Logto sends no webhook for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa
from quart import Blueprint, Response

from local_logto.connectors.naver import read_social_user
from local_logto.connectors.registry import find_connector_by_id
from local_logto.context import current_settings, current_store
from local_logto.errors import RequestError
from local_logto.management import entities
from local_logto.management.failures import not_found
from local_logto.management.guard import read_body
from local_logto.management.users import get_user_row, update_user_row
from local_logto.refusals import refusal
from local_logto.responses import json_response
from local_logto.tables import users
from local_logto.values import AnyObject, Shape, Text

_IDENTITY: Final = Shape({"userId": Text()}, {"details": AnyObject()})
_RETURN: Final = Shape({"connectorId": Text(), "connectorData": AnyObject()})

blueprint = Blueprint("user_identities", __name__, url_prefix="/users/<user_id>/identities")


@blueprint.post("")
async def link_by_connector(user_id: str) -> Response:
    """Ask the provider who came back with ``connectorData``, and link that identity."""
    body = await read_body(_RETURN)
    connector = find_connector_by_id(current_store(), body["connectorId"])
    if connector is None:
        raise not_found()
    if connector.type != "Social":
        message = f"Unable to find available connector with id {connector.id}."
        raise RequestError(422, "session.invalid_connector_id", message)
    person = await read_social_user(current_settings(), connector, body["connectorData"])
    identity = {"userId": person.id, "details": person.to_json()}
    with current_store().begin() as connection:
        row = get_user_row(connection, user_id)
        return json_response(_link(connection, row, connector.target, identity))


@blueprint.put("/<target>")
async def set_identity(user_id: str, target: str) -> Response:
    """Link an identity. Answers 201 for a new target, 200 for a replaced one."""
    identity = await read_body(_IDENTITY)
    with current_store().begin() as connection:
        row = get_user_row(connection, user_id)
        identities = _link(connection, row, target, identity)
    return json_response(identities, 200 if target in row["identities"] else 201)


@blueprint.get("/<target>")
async def get_identity(user_id: str, target: str) -> Response:
    with current_store().begin() as connection:
        row = get_user_row(connection, user_id)
    return json_response({"identity": _get(row["identities"], target)})


@blueprint.delete("/<target>")
async def unlink(user_id: str, target: str) -> Response:
    """Unlink an identity and return the account."""
    with current_store().begin() as connection:
        identities = get_user_row(connection, user_id)["identities"]
        _get(identities, target)
        kept = {name: identity for name, identity in identities.items() if name != target}
        row = update_user_row(connection, user_id, {"identities": kept})
    return json_response(entities.user_with_password_state(row))


def _get(identities: Mapping[str, Any], target: str) -> Any:
    if target not in identities:
        raise refusal("user.identity_not_exist")
    return identities[target]


def _link(
    connection: sa.Connection, row: sa.RowMapping, target: str, identity: Mapping[str, Any]
) -> dict[str, Any]:
    """Link the identity and return all identities of the account. Raises 422 if another account has it."""
    changed = {**row["identities"], target: dict(identity)}
    update_user_row(connection, row["id"], {"identities": changed})
    held = users.c.identities[target]["userId"].as_string() == identity["userId"]
    others = sa.select(users.c.id).where(held, users.c.id != row["id"]).limit(1)
    if connection.execute(others).first():
        raise refusal("user.identity_already_in_use")
    return changed
