"""``/one-time-tokens``: links that sign people in or up, for programs that send these links themselves."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from quart import Blueprint, Response, request

from local_logto import one_time_tokens
from local_logto.context import current_store
from local_logto.management.entities import TENANT, Entity
from local_logto.management.families import Entities
from local_logto.management.guard import read_body
from local_logto.management.rows import update_row
from local_logto.one_time_tokens import (
    DEFAULT_LIFETIME,
    STATUSES,
    create_token,
    refused,
    status_of,
    use_token,
)
from local_logto.responses import json_response
from local_logto.values import ANY_TEXTS, Choice, Number, Shape, Text

_TABLE: Final = one_time_tokens.one_time_tokens
_CONTEXT: Final = Shape(
    optional={"jitOrganizationIds": ANY_TEXTS, "interactionEvent": Choice(("SignIn", "Register"))}
)
_NEW: Final = Shape(
    {"email": Text(min=1)}, {"expiresIn": Number(is_integer=True, min=1), "context": _CONTEXT}
)
_PROOF: Final = Shape({"email": Text(min=1), "token": Text(min=1)})
_STATUS: Final = Shape({"status": Choice(STATUSES)})

blueprint = Blueprint("one_time_tokens", __name__, url_prefix="/one-time-tokens")


def _shown(row: sa.RowMapping) -> Entity:
    return TENANT | {
        "id": row["id"],
        "email": row["email"],
        "token": row["token"],
        "context": row["context"],
        "status": status_of(row),
        "createdAt": row["created_at"],
        "expiresAt": row["expires_at"],
    }


Entities(_TABLE, _shown).serve(blueprint, "read", "delete")


@blueprint.get("")
async def list_tokens() -> Response:
    """List tokens, newest first, narrowed by email address and status."""
    query = sa.select(_TABLE).order_by(_TABLE.c.created_at.desc(), _TABLE.c.id)
    if request.args.get("email"):
        query = query.where(_TABLE.c.email == request.args["email"])
    with current_store().begin() as connection:
        rows = connection.execute(query).mappings().all()
    wanted = request.args.get("status")
    return json_response([_shown(row) for row in rows if wanted in (None, "", status_of(row))])


@blueprint.post("")
async def make_token() -> Response:
    body = await read_body(_NEW)
    lifetime = body.get("expiresIn", DEFAULT_LIFETIME)
    with current_store().begin() as connection:
        row = create_token(connection, body["email"], lifetime, body.get("context", {}))
    return json_response(_shown(row), 201)


@blueprint.post("/verify")
async def verify_token() -> Response:
    """Consume a token without a sign-in."""
    body = await read_body(_PROOF)
    return json_response(_shown(await use_token(current_store(), body["email"], body["token"])))


@blueprint.put("/<token_id>/status")
async def change_status(token_id: str) -> Response:
    status = (await read_body(_STATUS))["status"]
    if status == "active":
        raise refused(400, "cannot_reactivate_token", "Cannot reactivate the token.")
    with current_store().begin() as connection:
        row = update_row(connection, _TABLE, {"status": status}, _TABLE.c.id == token_id)
    return json_response(_shown(row))
