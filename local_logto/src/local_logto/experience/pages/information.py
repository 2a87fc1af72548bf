"""Pages that need no sign-in: about this server, its messages, and dead ends that offer a next step."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Final

from quart import Blueprint, Response, request

from local_logto.context import current_settings, current_store
from local_logto.experience.pages.responses import page_url, show_notice, show_template
from local_logto.messages import KEPT_MESSAGES, list_messages
from local_logto.responses import json_response

blueprint = Blueprint("information", __name__)

_JSON_FIELDS: Final = ("recipient", "usage", "code", "link", "subject", "text")


@blueprint.get("/")
async def home() -> Response:
    return await show_template("home.html", settings=current_settings())


@blueprint.get("/messages")
async def list_of_messages() -> Response:
    """List the stored emails and text messages, newest first. A client that prefers JSON gets JSON."""
    recipient = request.args.get("recipient")
    kept = list_messages(current_store())
    messages = [message for message in kept if recipient in (None, message.recipient)]
    if request.accept_mimetypes.best == "application/json":
        return json_response([{name: asdict(message)[name] for name in _JSON_FIELDS} for message in messages])
    dated = [(message, datetime.fromtimestamp(message.created_at / 1000, UTC)) for message in messages]
    return await show_template("messages.html", messages=dated, kept=KEPT_MESSAGES)


@blueprint.get("/unknown-session")
async def unknown_session() -> Response:
    return await show_notice(
        "This sign-in has expired",
        "It was already completed, took longer than an hour, or was started in another browser. "
        "Go back to the application and choose “Sign in” again.",
    )


@blueprint.get("/single-sign-on")
async def single_sign_on() -> Response:
    return await show_notice(
        "Single sign-on isn’t available",
        "No enterprise connector is configured on this server.",
        links=(("Other ways to sign in", page_url("/sign-in")),),
    )
