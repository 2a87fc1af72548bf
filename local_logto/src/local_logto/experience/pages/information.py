"""Pages that need no sign-in: what this server is, its messages, and the dead ends with a way out."""

from __future__ import annotations

from datetime import UTC, datetime

from quart import Blueprint, Response

from local_logto.context import current_settings, current_store
from local_logto.experience.pages.responses import page_url, show_notice, show_template
from local_logto.messages import KEPT_MESSAGES, list_messages

blueprint = Blueprint("information", __name__)


@blueprint.get("/")
async def home() -> Response:
    return await show_template("home.html", settings=current_settings())


@blueprint.get("/messages")
async def list_of_messages() -> Response:
    """Every email and text message that would have been sent, newest first."""
    messages = [
        (message, datetime.fromtimestamp(message.created_at / 1000, UTC))
        for message in await list_messages(current_store())
    ]
    return await show_template("messages.html", messages=messages, kept=KEPT_MESSAGES)


@blueprint.get("/unknown-session")
async def unknown_session() -> Response:
    return await show_notice(
        "This sign-in has expired",
        "It was finished already, took longer than an hour, or was begun in another browser. "
        "Go back to the application and choose “Sign in” again.",
    )


@blueprint.get("/single-sign-on")
async def single_sign_on() -> Response:
    return await show_notice(
        "No single sign-on here",
        "No enterprise connector is configured on this server.",
        links=(("Other ways to sign in", page_url("/sign-in")),),
    )
