"""``/account-center``: whether people may edit their own accounts by the Account API, and which fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from quart import Blueprint, Response

from local_logto.context import current_store
from local_logto.management.entities import TENANT
from local_logto.management.guard import read_body
from local_logto.responses import json_response
from local_logto.settings_rows import read_setting, write_setting
from local_logto.values import Choice, Flag, ListOf, OrNull, Shape, Text

KEY: Final = "account-center"
SEED: Final[Mapping[str, Any]] = {
    "enabled": False,
    "fields": {},
    "webauthnRelatedOrigins": [],
    "deleteAccountUrl": None,
    "customCss": None,
    "profileFields": None,
}

_ACCESS: Final = Choice(("Off", "ReadOnly", "Edit"))
_FIELDS: Final = Shape(
    optional={
        **dict.fromkeys(("name", "avatar", "profile", "email", "phone", "password", "username"), _ACCESS),
        **dict.fromkeys(("social", "customData", "mfa", "session"), _ACCESS),
    }
)
_CHANGES: Final = Shape(
    optional={
        "enabled": Flag(),
        "fields": _FIELDS,
        "webauthnRelatedOrigins": ListOf(Text(is_url=True)),
        "deleteAccountUrl": OrNull(Text(is_url=True)),
        "customCss": OrNull(Text()),
    }
)

blueprint = Blueprint("account_center", __name__, url_prefix="/account-center")


@blueprint.get("")
async def get_account_center() -> Response:
    return json_response(_shown(read_setting(current_store(), KEY)))


@blueprint.patch("")
async def change_account_center() -> Response:
    """Change the given members. The fields are replaced as a whole."""
    changes = await read_body(_CHANGES)
    values = {**read_setting(current_store(), KEY), **changes}
    write_setting(current_store(), KEY, values)
    return json_response(_shown(values))


def _shown(values: Mapping[str, Any]) -> dict[str, Any]:
    return TENANT | {"id": "default"} | dict(values)
