"""``/connector-factories``: the kinds of connectors that can be created."""

from __future__ import annotations

from quart import Blueprint, Response

from local_logto.connectors.factories import FACTORIES, Factory
from local_logto.management.entities import Entity
from local_logto.management.failures import not_found
from local_logto.responses import json_response

blueprint = Blueprint("connector_factories", __name__, url_prefix="/connector-factories")


@blueprint.get("")
async def list_factories() -> Response:
    return json_response([_shown(factory) for factory in FACTORIES.values()])


@blueprint.get("/<factory_id>")
async def get_factory(factory_id: str) -> Response:
    if factory_id not in FACTORIES:
        raise not_found()
    return json_response(_shown(FACTORIES[factory_id]))


def _shown(factory: Factory) -> Entity:
    return {"type": factory.type, **factory.metadata(), "isDemo": False}
