"""Confirmation of a sign-out: a page that submits its form by itself, tied to the session."""

from __future__ import annotations

import hmac

from quart import Response, request

from local_logto.context import origin_of
from local_logto.crypto.opaque_values import new_opaque_value
from local_logto.errors import invalid_request
from local_logto.oidc.session.op_sessions import OpSession
from local_logto.pages import posting_page
from local_logto.translation import _

CONFIRM_PATH = "/oidc/session/end/confirm"


async def ask_to_sign_out(
    session: OpSession, *, client_id: str | None, redirect_uri: str | None, state: str | None = None
) -> Response:
    """Return the page. The session, not the form, stores where to go afterwards."""
    secret = new_opaque_value()
    session.wait_for_sign_out(
        {"secret": secret, "client_id": client_id, "redirect_uri": redirect_uri, "state": state}
    )
    response = await posting_page(
        origin_of(request) + CONFIRM_PATH,
        {"xsrf": secret, "logout": "yes"},
        title=_("Signing out"),
        text=_("One moment, signing you out."),
    )
    await session.save(response)
    return response


def confirmed(session: OpSession, secret: str | None) -> dict[str, str | None]:
    """Return the pending sign-out. Raises ``invalid_request`` if there is none or the secret is wrong."""
    pending = session.pending_sign_out
    if pending is None:
        raise invalid_request("could not find logout details")
    if secret is None or not hmac.compare_digest(secret.encode(), str(pending["secret"]).encode()):
        raise invalid_request("xsrf token invalid")
    return pending
