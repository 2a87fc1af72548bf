"""``/users/:userId/…``: the parts of an account that have their own routes, such as suspension."""

from __future__ import annotations

from typing import Final

from quart import Blueprint, Response

from local_logto.context import current_store
from local_logto.crypto.passwords import hash_password, verify_password
from local_logto.management import entities
from local_logto.management.guard import read_body
from local_logto.management.users import PROFILE, get_user_row, update_user_row
from local_logto.oidc.grants import revoke_everything_of
from local_logto.refusals import refusal
from local_logto.responses import json_response, no_content
from local_logto.values import AnyObject, Flag, Shape, Text
from local_logto.webhooks import announce

_PASSWORD: Final = Shape({"password": Text(min=1)})

blueprint = Blueprint("user_settings", __name__, url_prefix="/users/<user_id>")


@blueprint.get("/custom-data")
async def get_custom_data(user_id: str) -> Response:
    with current_store().begin() as connection:
        row = get_user_row(connection, user_id)
    return json_response(row["custom_data"])


@blueprint.patch("/custom-data")
async def merge_custom_data(user_id: str) -> Response:
    """Merge the top-level members into the stored object."""
    given = (await read_body(Shape({"customData": AnyObject()})))["customData"]
    return _merge(user_id, "custom_data", given)


@blueprint.patch("/profile")
async def merge_profile(user_id: str) -> Response:
    """Merge the top-level members into the stored profile."""
    given = (await read_body(Shape({"profile": PROFILE})))["profile"]
    return _merge(user_id, "profile", given)


@blueprint.patch("/password")
async def set_password(user_id: str) -> Response:
    """Set a new password. Existing sessions stay signed in."""
    password = (await read_body(_PASSWORD))["password"]
    hashed = await hash_password(password)
    with current_store().begin() as connection:
        get_user_row(connection, user_id)
        row = update_user_row(connection, user_id, {"password_hash": hashed})
    entity = entities.user_with_password_state(row)
    announce("User.Data.Updated", data=entity)
    return json_response(entity)


@blueprint.post("/password/verify")
async def check_password(user_id: str) -> Response:
    password = (await read_body(_PASSWORD))["password"]
    with current_store().begin() as connection:
        row = get_user_row(connection, user_id)
    if not await verify_password(row["password_hash"], password):
        raise refusal("session.invalid_credentials")
    return no_content()


@blueprint.get("/has-password")
async def has_password(user_id: str) -> Response:
    with current_store().begin() as connection:
        row = get_user_row(connection, user_id)
    return json_response({"hasPassword": row["password_hash"] is not None})


@blueprint.patch("/is-suspended")
async def suspend(user_id: str) -> Response:
    """Suspend or reactivate. Suspending ends all sessions and refresh tokens for good."""
    is_suspended = (await read_body(Shape({"isSuspended": Flag()})))["isSuspended"]
    with current_store().begin() as connection:
        get_user_row(connection, user_id)
        row = update_user_row(connection, user_id, {"is_suspended": is_suspended})
        if is_suspended:
            revoke_everything_of(connection, user_id)
    entity = entities.user_with_password_state(row)
    announce("User.SuspensionStatus.Updated", data=entity)
    return json_response(entity)


def _merge(user_id: str, column: str, given: dict[str, object]) -> Response:
    with current_store().begin() as connection:
        row = get_user_row(connection, user_id)
        changed = update_user_row(connection, user_id, {column: {**row[column], **given}})
    announce("User.Data.Updated", data=changed[column])
    return json_response(changed[column])
