"""``/oidc/session/end``: sign-out started by an application (OpenID Connect RP-Initiated Logout 1.0).

Refresh tokens granted with ``offline_access`` stay valid, as in Logto.
"""

from __future__ import annotations

from typing import Final

from quart import Blueprint, Response, request

from local_logto.context import current_store, origin_of
from local_logto.errors import OidcError, invalid_request
from local_logto.oidc.authorization import id_token_hints
from local_logto.oidc.authorization.response import with_members
from local_logto.oidc.clients import Client, find_client
from local_logto.oidc.grants import revoke_grant
from local_logto.oidc.no_store import no_store
from local_logto.oidc.request_params import Params, body_params, query_params
from local_logto.oidc.session import backchannel_logout
from local_logto.oidc.session.op_sessions import OpSession, load_session
from local_logto.oidc.session.sign_out import ask_to_sign_out, confirmed
from local_logto.pages import page
from local_logto.responses import redirect_response
from local_logto.translation import _

SUCCESS_PATH: Final = "/oidc/session/end/success"
_PARAMS: Final = (
    "id_token_hint",
    "post_logout_redirect_uri",
    "state",
    "ui_locales",
    "client_id",
    "logout_hint",
)

blueprint = Blueprint("end_session", __name__, url_prefix="/oidc/session/end")
blueprint.after_request(no_store)


@blueprint.get("")
async def start() -> Response:
    return await _start(query_params(request))


@blueprint.post("")
async def start_by_form() -> Response:
    return await _start(await body_params(request))


@blueprint.post("/confirm")
async def confirm() -> Response:
    params = await body_params(request)
    params.reject_duplicates(among=("xsrf", "logout"))
    session = load_session(request)
    pending = confirmed(session, params.get("xsrf"))
    location = pending["redirect_uri"] or origin_of(request) + SUCCESS_PATH
    if pending["redirect_uri"] and pending["state"] is not None:
        location = with_members(location, "query", {"state": pending["state"]})
    response = redirect_response(location)
    if params.get("logout"):
        await _end_everywhere(session)
        await session.end(response)
    else:
        _end_at(session, pending["client_id"])
        await session.save(response)
    return response


@blueprint.get("/success")
async def success() -> Response:
    return await page(
        "notice.html",
        title=_("Signed out"),
        text=_("You are signed out. You can close this page."),
        links=[],
    )


async def _start(params: Params) -> Response:
    params.reject_duplicates(among=_PARAMS)
    client = _client_of(params)
    redirect_uri = params.get("post_logout_redirect_uri")
    if client is None:
        redirect_uri = None
    elif redirect_uri is not None and not client.allows_post_logout_redirect(redirect_uri):
        raise invalid_request("post_logout_redirect_uri not registered")
    session = load_session(request)
    return await ask_to_sign_out(
        session,
        client_id=None if client is None else client.id,
        redirect_uri=redirect_uri,
        state=params.get("state"),
    )


def _client_of(params: Params) -> Client | None:
    """Return the application that asks, from its ID or from the hint. Both must name the same one."""
    client_id, hint = params.get("client_id"), params.get("id_token_hint")
    if hint is not None:
        audience = id_token_hints.audience_of(hint)
        if client_id is not None and client_id != audience:
            raise invalid_request("client_id does not match the provided id_token_hint")
        client_id = audience
    if client_id is None:
        return None
    client = find_client(client_id)
    if client is None:
        raise OidcError(400, "invalid_client", f"invalid client {client_id}")
    id_token_hints.subject_of(hint, client)
    return client


async def _end_everywhere(session: OpSession) -> None:
    """Notify every application of the session, and revoke the grants that end with it."""
    await backchannel_logout.notify(session)
    with current_store().begin() as connection:
        for authorization in session.authorizations.values():
            grant_id = authorization.get("grant_id")
            if grant_id and not authorization.get("persists_sign_out"):
                revoke_grant(connection, grant_id)


def _end_at(session: OpSession, client_id: str | None) -> None:
    """Sign out of one application only, which a form without ``logout`` asks for."""
    session.pending_sign_out = None
    authorization = session.authorizations.pop(client_id or "", {})
    session.reset_identifier()
    grant_id = authorization.get("grant_id")
    if grant_id and not authorization.get("persists_sign_out"):
        with current_store().begin() as connection:
            revoke_grant(connection, grant_id)
