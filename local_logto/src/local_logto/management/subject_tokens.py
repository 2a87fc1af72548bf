"""``/subject-tokens``: tokens that a program exchanges to act as a person."""

from __future__ import annotations

from typing import Final

from quart import Blueprint, Response

from local_logto.context import current_store
from local_logto.management.guard import read_body
from local_logto.management.users import require_user
from local_logto.oidc.token import subject_tokens
from local_logto.responses import json_response
from local_logto.values import AnyObject, Shape, Text

_NEW: Final = Shape({"userId": Text()}, {"context": AnyObject()})

blueprint = Blueprint("subject_tokens", __name__, url_prefix="/subject-tokens")


@blueprint.post("")
async def create_subject_token() -> Response:
    """Create a token. Its ``context`` is not stored: in Logto it reaches scripts for custom claims only."""
    user_id = (await read_body(_NEW))["userId"]
    with current_store().begin() as connection:
        require_user(connection, user_id)
        value = subject_tokens.create(connection, user_id)
    return json_response({"subjectToken": value, "expiresIn": subject_tokens.LIFETIME_SECONDS}, 201)
