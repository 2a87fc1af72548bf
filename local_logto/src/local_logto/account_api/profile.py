"""``/my-account``: a person's own profile, as the account center and the token's scopes allow.

Compared with recordings of Logto 1.42 (``390`` to ``397``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa
from quart import Blueprint, Response

from local_logto.account_api.access import Visitor, require_visitor, unauthorized
from local_logto.context import current_store
from local_logto.errors import RequestError
from local_logto.management import entities
from local_logto.management.account_center import KEY
from local_logto.management.guard import read_body
from local_logto.management.rows import to_columns
from local_logto.management.users import update_user_row
from local_logto.responses import json_response
from local_logto.settings_rows import read_setting
from local_logto.tables import users
from local_logto.values import AnyObject, OrNull, Shape, Text
from local_logto.webhooks import announce, send_announced

_CHANGES: Final = Shape(
    optional={
        "name": OrNull(Text()),
        "avatar": OrNull(Text(is_url=True)),
        "username": OrNull(Text(pattern=r"[A-Z_a-z]\w*")),
        "customData": AnyObject(),
    }
)
_ALWAYS: Final = ("id", "lastSignInAt", "createdAt", "updatedAt", "applicationId", "isSuspended")
_PROFILE: Final = "profile"
_SHOWN: Final = (  # member, field of the account center, scope
    ("username", "username", _PROFILE),
    ("name", "name", _PROFILE),
    ("avatar", "avatar", _PROFILE),
    ("profile", "profile", _PROFILE),
    ("primaryEmail", "email", "email"),
    ("primaryPhone", "phone", "phone"),
    ("customData", "customData", "custom_data"),
    ("identities", "social", "identities"),
    ("hasPassword", "password", None),
)
_SCOPE_TO_CHANGE: Final = {"customData": "custom_data"}  # everything else needs "profile"

blueprint = Blueprint("account_api", __name__, url_prefix="/api/my-account")
blueprint.after_request(send_announced)


@blueprint.get("")
async def get_profile() -> Response:
    with current_store().begin() as connection:
        visitor = require_visitor(connection)
        row = _row_of(connection, visitor)
    return json_response(_shown(row, visitor, _enabled_fields()))


@blueprint.patch("")
async def change_profile() -> Response:
    """Change the given members. A username needs a verification record, which does not exist here."""
    with current_store().begin() as connection:
        visitor = require_visitor(connection)
        _row_of(connection, visitor)
    fields = _enabled_fields()
    changes = await read_body(_CHANGES)
    for member in changes:
        if fields.get(member) != "Edit":
            raise RequestError(400, "account_center.field_not_editable", "Field is not editable.")
        if _SCOPE_TO_CHANGE.get(member, _PROFILE) not in visitor.scopes:
            raise unauthorized()
    if "username" in changes:
        raise RequestError(
            401, "verification_record.permission_denied", "Permission denied, please re-authenticate."
        )
    with current_store().begin() as connection:
        row = update_user_row(connection, visitor.user_id, to_columns(changes))
    announce("User.Data.Updated", data=entities.user(row))
    return json_response(_shown(row, visitor, fields))


def _row_of(connection: sa.Connection, visitor: Visitor) -> sa.RowMapping:
    row = connection.execute(sa.select(users).where(users.c.id == visitor.user_id)).mappings().one_or_none()
    if row is None:
        raise unauthorized()
    return row


def _enabled_fields() -> Mapping[str, str]:
    """Return what the account center allows, by field. Raises 400 if it is off."""
    center = read_setting(current_store(), KEY)
    if not center["enabled"]:
        raise RequestError(400, "account_center.not_enabled", "Account center is not enabled.")
    fields: Mapping[str, str] = center["fields"]
    return fields


def _shown(row: sa.RowMapping, visitor: Visitor, fields: Mapping[str, str]) -> dict[str, Any]:
    known = entities.user_with_password_state(row)
    shown = {member: known[member] for member in _ALWAYS}
    for member, name, scope in _SHOWN:
        if fields.get(name, "Off") != "Off" and (scope is None or scope in visitor.scopes):
            shown[member] = known[member]
    proofs = known["hasPassword"], known["primaryEmail"], known["primaryPhone"]
    return shown | {"hasSecurityVerificationMethod": any(proofs)}
