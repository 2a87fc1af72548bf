"""``/users/:userId/mfa-verifications``: the second factors of an account."""

from __future__ import annotations

import base64
import secrets
from typing import Any, Final

from quart import Blueprint, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from local_logto.context import current_store
from local_logto.errors import RequestError
from local_logto.management.entities import Entity
from local_logto.management.failures import not_found
from local_logto.management.guard import Choice, ListOf, Shape, Text, read_body
from local_logto.management.users import get_user_row, update_user_row
from local_logto.responses import json_response, no_content
from local_logto.store import new_id, now_ms
from local_logto.webhooks import iso_moment

BACKUP_CODES: Final = 10

_FACTOR: Final = Shape(
    {"type": Choice(("Totp", "BackupCode"))}, {"secret": Text(min=1), "codes": ListOf(Text(min=1), min=1)}
)

blueprint = Blueprint("user_factors", __name__, url_prefix="/users/<user_id>/mfa-verifications")


@blueprint.get("")
async def list_factors(user_id: str) -> Response:
    """Which factors there are, without their secrets."""
    async with current_store().begin() as connection:
        factors = await _read(connection, user_id)
    return json_response([_shown(factor) for factor in factors])


@blueprint.post("")
async def add_factor(user_id: str) -> Response:
    """Enrol one factor of a kind; its secret or its codes are shown in this answer only."""
    body = await read_body(_FACTOR)
    if body["type"] == "Totp":
        secret = body.get("secret") or base64.b32encode(secrets.token_bytes(20)).decode()
        details: Entity = {"secret": secret}
    else:
        codes = body.get("codes") or [secrets.token_hex(5) for _ in range(BACKUP_CODES)]
        details = {"codes": codes}
    factor = {"id": new_id(), "createdAt": iso_moment(now_ms()), "type": body["type"], **details}
    async with current_store().begin() as connection:
        factors = await _read(connection, user_id)
        if any(present["type"] == body["type"] for present in factors):
            name = "totp" if body["type"] == "Totp" else "backup_code"
            raise RequestError(422, f"user.{name}_already_in_use", "A factor of this kind is already in use.")
        await update_user_row(connection, user_id, {"mfa_verifications": [*factors, factor]})
    return json_response({"type": body["type"], **details})


@blueprint.delete("/<factor_id>")
async def delete_factor(user_id: str, factor_id: str) -> Response:
    async with current_store().begin() as connection:
        factors = await _read(connection, user_id)
        kept = [factor for factor in factors if factor["id"] != factor_id]
        if len(kept) == len(factors):
            raise not_found()
        await update_user_row(connection, user_id, {"mfa_verifications": kept})
    return no_content()


async def _read(connection: AsyncConnection, user_id: str) -> list[dict[str, Any]]:
    row = await get_user_row(connection, user_id)
    return list(row["mfa_verifications"])


def _shown(factor: dict[str, Any]) -> Entity:
    shown = {name: factor[name] for name in ("id", "createdAt", "type")}
    return shown | ({"remainCodes": len(factor["codes"])} if "codes" in factor else {})
