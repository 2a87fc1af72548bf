"""``/oidc/auth``: starts an authorization request, sends the browser to the pages it needs, and resumes it.

``request`` checks what may be requested, and ``prompts`` decides which page is needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quart import Blueprint, Response, request

from local_logto.context import current_settings
from local_logto.errors import OidcError
from local_logto.oidc.authorization import resuming
from local_logto.oidc.authorization.code import issue_code
from local_logto.oidc.authorization.own_pages import page_to_return_to
from local_logto.oidc.authorization.pushed_requests import resolve_pushed
from local_logto.oidc.authorization.request import AuthorizationRequest, check, from_interaction
from local_logto.oidc.authorization.response import refuse, respond
from local_logto.oidc.authorization.steps import next_step
from local_logto.oidc.clients import find_client
from local_logto.oidc.grant_limit import end_oldest_grants
from local_logto.oidc.no_store import no_store
from local_logto.oidc.request_params import Params, body_params, query_params
from local_logto.oidc.session.interactions import Interaction
from local_logto.oidc.session.op_sessions import OpSession, load_session
from local_logto.responses import redirect_response

blueprint = Blueprint("authorize", __name__, url_prefix="/oidc")
blueprint.after_request(no_store)


@blueprint.get("/auth")
async def start() -> Response:
    return await _start(query_params(request))


@blueprint.post("/auth")
async def start_by_form() -> Response:
    return await _start(await body_params(request))


@blueprint.get("/auth/<uid>")
async def resume(uid: str) -> Response:
    return await resuming.resume(uid, _resume)


async def _start(params: Params) -> Response:
    session = load_session(request)
    try:
        params = resolve_pushed(params)
        authorization = check(params)
        response = await _proceed(authorization, session, None)
    except OidcError as error:
        return await refuse(params, error)
    await session.save(response)
    return response


async def _resume(interaction: Interaction, session: OpSession) -> Response:
    own_page = page_to_return_to(interaction)
    if own_page is not None:
        return redirect_response(own_page)
    client = find_client(interaction.client_id)
    if client is None:
        raise OidcError(400, "invalid_client", f"invalid client {interaction.client_id}")
    authorization = from_interaction(client, interaction.params)
    try:
        return await _proceed(authorization, session, interaction.result)
    except OidcError as error:
        return await refuse(_params_of(interaction), error)


async def _proceed(
    authorization: AuthorizationRequest, session: OpSession, result: Mapping[str, Any] | None
) -> Response:
    """Redirect to the next page, or return the code if no page is needed."""
    step = next_step(authorization, session, result)
    if isinstance(step, Response):
        return step
    code = issue_code(authorization, session, step)
    end_oldest_grants(authorization.client, session)
    members = {"code": code}
    if authorization.params.get("state"):
        members["state"] = authorization.params["state"]
    members["iss"] = current_settings().issuer
    return await respond(authorization.redirect_uri, authorization.response_mode, members)


def _params_of(interaction: Interaction) -> Params:
    return Params((name, value) for name, value in interaction.params.items() if isinstance(value, str))
