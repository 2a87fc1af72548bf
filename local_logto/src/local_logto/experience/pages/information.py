"""Pages that need no sign-in: about this server, and dead ends that offer a next step."""

from __future__ import annotations

from quart import Blueprint, Response

from local_logto.context import current_settings
from local_logto.experience.pages.responses import show_notice, show_template
from local_logto.translation import _

blueprint = Blueprint("information", __name__)


@blueprint.get("/")
async def home() -> Response:
    return await show_template("home.html", settings=current_settings())


@blueprint.get("/unknown-session")
async def unknown_session() -> Response:
    return await show_notice(
        _("This sign-in has expired"),
        _(
            "It was already completed, took longer than an hour, or was started in another browser. "
            "Go back to the application and choose “Sign in” again."
        ),
    )
