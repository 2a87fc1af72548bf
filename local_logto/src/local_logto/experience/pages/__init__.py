"""The sign-in pages: server-rendered forms over the services that the Experience API uses.

All rules are in those services. A page reads a form, calls them and shows the result.
"""

from __future__ import annotations

from quart import Blueprint

from local_logto.experience.pages import (
    branding,
    codes,
    inbox,
    information,
    mfa_binding,
    mfa_verification,
    providers,
    register,
    reset_password,
    sign_in,
    single_sign_on,
    social_linking,
    unexpected_accounts,
)

blueprint = Blueprint("pages", __name__, static_folder="../../static", static_url_path="/static")
for module in (
    sign_in,
    register,
    codes,
    unexpected_accounts,
    providers,
    single_sign_on,
    social_linking,
    mfa_verification,
    mfa_binding,
    reset_password,
    inbox,
    information,
    branding,
):
    blueprint.register_blueprint(module.blueprint)
