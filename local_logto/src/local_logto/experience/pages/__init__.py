"""The sign-in pages: server-rendered forms over the services that the Experience API uses.

Every rule lives in those services; a page only reads a form, calls them and says what came of it.
"""

from __future__ import annotations

from quart import Blueprint

from local_logto.experience.pages import (
    codes,
    information,
    mfa_binding,
    mfa_verification,
    register,
    reset_password,
    sign_in,
    social,
    social_linking,
    surprises,
)

blueprint = Blueprint("pages", __name__, static_folder="../../static", static_url_path="/static")
for room in (
    sign_in,
    register,
    codes,
    surprises,
    social,
    social_linking,
    mfa_verification,
    mfa_binding,
    reset_password,
    information,
):
    blueprint.register_blueprint(room.blueprint)
