"""``/connectors``: the tenant's connectors for messages and social sign-in.

``connectors.factories`` lists the kinds. There is at most one connector for email, and one for text messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa
from quart import Blueprint, Response, request

from local_logto.connectors.factories import FACTORIES, Factory
from local_logto.connectors.registry import (
    Connector,
    connectors,
    find_connector,
    find_connector_by_id,
    list_connectors,
)
from local_logto.connectors.sending import CONNECTOR_TYPES, Kind, Outgoing, send_by
from local_logto.connectors.templates import GENERIC
from local_logto.context import current_settings, current_store
from local_logto.errors import RequestError
from local_logto.management.entities import Entity
from local_logto.management.failures import no_values, not_found
from local_logto.management.guard import read_body
from local_logto.management.rows import to_columns
from local_logto.refusals import refusal
from local_logto.responses import json_response, no_content
from local_logto.settings_rows import SIGN_IN_EXP, read_setting, write_setting
from local_logto.store import new_id, now_ms
from local_logto.values import AnyObject, Flag, OrNull, Shape, Text

_METADATA: Final = Shape(
    optional={"target": Text(), "name": AnyObject(), "logo": Text(), "logoDark": OrNull(Text())}
)
_CHANGES: Final = Shape(
    optional={
        "config": AnyObject(),
        "metadata": _METADATA,
        "syncProfile": Flag(),
        "enableTokenStorage": Flag(),
    }
)
_NEW: Final = Shape({"connectorId": Text(min=1, max=128)}, {"id": Text(min=1, max=128), **_CHANGES.optional})
_TEST: Final = Shape(
    {"config": AnyObject()},
    {"phone": Text(pattern=r"\d+"), "email": Text(pattern=r"\S+@\S+\.\S+"), "locale": Text()},
)

blueprint = Blueprint("connectors", __name__, url_prefix="/connectors")


@blueprint.get("")
async def list_all() -> Response:
    """List all connectors, or those of one ``target``."""
    target = request.args.get("target")
    found = list_connectors(current_store())
    return json_response([shown(one) for one in found if not target or one.target == target])


@blueprint.post("")
async def create_connector() -> Response:
    """Create a connector. For email and text messages it replaces the existing one."""
    body = await read_body(_NEW)
    factory = FACTORIES.get(body["connectorId"])
    if factory is None:
        raise refusal("connector.not_found_with_connector_id")
    if factory.type == "Social":
        _refuse_second(factory, body)
    _check_changes(factory, body)
    values = {
        "id": body.get("id") or new_id(12),
        "connector_id": factory.id,
        "type": factory.type,
        "target": factory.target,
        "created_at": now_ms(),
        **to_columns(clean_deep({name: body[name] for name in _CHANGES.optional if name in body})),
    }
    with current_store().begin() as connection:
        connection.execute(sa.insert(connectors).values(**values))
        if factory.type != "Social":
            others = (connectors.c.type == factory.type) & (connectors.c.id != values["id"])
            connection.execute(sa.delete(connectors).where(others))
    return json_response(shown(_get(values["id"])))


@blueprint.get("/<connector_id>")
async def get_connector(connector_id: str) -> Response:
    return json_response(shown(_get(connector_id)))


@blueprint.patch("/<connector_id>")
async def change_connector(connector_id: str) -> Response:
    """Change the given members. The configuration is replaced as a whole; the ID stays."""
    changes = await read_body(_CHANGES)
    connector = _get(connector_id)
    factory = connector.factory
    if changes.get("metadata"):
        raise refusal("connector.cannot_overwrite_metadata_for_non_standard_connector")
    if changes.get("syncProfile") and factory.type != "Social":
        raise refusal("connector.invalid_type_for_syncing_profile")
    _check_changes(factory, changes)
    values = to_columns({name: clean_deep(value) for name, value in changes.items() if name != "metadata"})
    if not values:
        raise no_values()
    change = sa.update(connectors).where(connectors.c.id == connector_id).values(**values)
    with current_store().begin() as connection:
        connection.execute(change)
    return json_response(shown(_get(connector_id)))


@blueprint.delete("/<connector_id>")
async def delete_connector(connector_id: str) -> Response:
    """Delete the connector. A social connector's button disappears from the sign-in page."""
    store = current_store()
    connector = _get(connector_id)
    with store.begin() as connection:
        connection.execute(sa.delete(connectors).where(connectors.c.id == connector_id))
    if connector.type == "Social":
        settings = read_setting(store, SIGN_IN_EXP)
        kept = known_social_targets(settings["socialSignInConnectorTargets"])
        write_setting(store, SIGN_IN_EXP, {**settings, "socialSignInConnectorTargets": kept})
    return no_content()


@blueprint.post("/<factory_id>/test")
async def send_test_message(factory_id: str) -> Response:
    """Send the generic message with the code 000000 using this configuration, stored or not."""
    body = await read_body(_TEST)
    recipient = body.get("phone") or body.get("email")
    if not recipient:
        raise refusal("guard.invalid_input")
    kind: Kind = "phone" if body.get("phone") else "email"
    factory = FACTORIES.get(factory_id)
    if factory is None or factory.type == "Social":
        sentence = f"Cannot find any available connector for type: {CONNECTOR_TYPES[kind]}."
        raise RequestError(400, "connector.not_found", sentence)
    if factory.type != CONNECTOR_TYPES[kind]:
        raise refusal("connector.unexpected_type")
    payload = {"code": "000000"} | ({"locale": body["locale"]} if body.get("locale") else {})
    message = Outgoing(kind, recipient, GENERIC, payload)
    await send_by(current_store(), current_settings(), factory, body["config"], message)
    return no_content()


def shown(connector: Connector) -> Entity:
    """Return a connector with the metadata of its factory."""
    return {
        **connector.factory.metadata(),
        **connector.metadata,
        "type": connector.type,
        "id": connector.id,
        "connectorId": connector.connector_id,
        "config": connector.config,
        "metadata": connector.metadata,
        "syncProfile": connector.sync_profile,
        "enableTokenStorage": connector.enable_token_storage,
        "isDemo": False,
        "extraInfo": {},
    }


def known_social_targets(targets: list[str]) -> list[str]:
    """Return the targets that have a social connector."""
    found = list_connectors(current_store())
    known = {connector.target for connector in found if connector.type == "Social"}
    return [target for target in targets if target in known]


def clean_deep(value: Any) -> Any:
    """Return the JSON value without empty and null values at any depth, which Logto does not store."""
    if isinstance(value, dict):
        cleaned = {name: clean_deep(item) for name, item in value.items()}
        return {name: item for name, item in cleaned.items() if not _is_empty(item)}
    if isinstance(value, list):
        return [item for item in map(clean_deep, value) if not _is_empty(item)]
    return value


def _is_empty(value: object) -> bool:
    return value is None or value in ("", [], {})


def _get(connector_id: str) -> Connector:
    connector = find_connector_by_id(current_store(), connector_id)
    if connector is None:
        raise not_found()
    return connector


def _refuse_second(factory: Factory, body: Mapping[str, Any]) -> None:
    if "metadata" in body:
        raise refusal("connector.cannot_overwrite_metadata_for_non_standard_connector")
    if find_connector(current_store(), type="Social", target=factory.target) is not None:
        raise refusal("connector.multiple_instances_not_supported")


def _check_changes(factory: Factory, changes: Mapping[str, Any]) -> None:
    if "config" in changes:
        factory.check(changes["config"])
    if changes.get("enableTokenStorage"):
        raise refusal("request.feature_not_supported")
