"""``/configs/id-token``: which extended claims the tenant's ID tokens carry."""

from __future__ import annotations

from typing import Final

from quart import Blueprint, Response

from local_logto.context import current_store
from local_logto.management.guard import read_body
from local_logto.oidc.claims import DEFAULT_EXTENDED_CLAIMS, EXTENDED_CLAIMS
from local_logto.responses import json_response
from local_logto.settings_rows import read_setting, write_setting
from local_logto.values import Choice, ListOf, Shape

KEY: Final = "id-token"
SEED: Final = {"enabledExtendedClaims": list(DEFAULT_EXTENDED_CLAIMS)}

_CONFIG: Final = Shape({"enabledExtendedClaims": ListOf(Choice(EXTENDED_CLAIMS))})

blueprint = Blueprint("token_configs", __name__, url_prefix="/configs")


@blueprint.get("/id-token")
async def get_id_token_config() -> Response:
    return json_response(read_setting(current_store(), KEY))


@blueprint.put("/id-token")
async def replace_id_token_config() -> Response:
    config = await read_body(_CONFIG)
    write_setting(current_store(), KEY, config)
    return json_response(config)
