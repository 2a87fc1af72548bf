"""Signing in to a page of this server, Logto's account center, which needs no code and no token.

The sign-in is an interaction like any other, but ends with the browser's session only.
"""

from __future__ import annotations

from typing import Final

from quart import Response, request

from local_logto.context import origin_of
from local_logto.oidc.authorization.first_screen import sign_in_location
from local_logto.oidc.authorization.interaction_cookies import write_interaction_cookies
from local_logto.oidc.authorization.prompts import LOGIN
from local_logto.oidc.session.interactions import Interaction, create_interaction
from local_logto.responses import redirect_response

ACCOUNT_CENTER: Final = "account-center"


def send_to_sign_in(path: str) -> Response:
    """Start a sign-in that ends at this path of our own. ``path`` must not come from a request."""
    params = {"client_id": ACCOUNT_CENTER, "redirect_uri": origin_of(request) + path, "scope": "openid"}
    interaction = create_interaction(params, LOGIN)
    response = redirect_response(sign_in_location(params, ACCOUNT_CENTER))
    write_interaction_cookies(response, interaction)
    return response


def page_to_return_to(interaction: Interaction) -> str | None:
    """Return our own page that the interaction is for, or None if an application started it."""
    return str(interaction.params["redirect_uri"]) if interaction.client_id == ACCOUNT_CENTER else None
