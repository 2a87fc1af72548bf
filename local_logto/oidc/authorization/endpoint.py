"""``/oidc/auth``: starts an authorization request, sends the browser to the pages it needs, and resumes it.

What a request may ask is checked in ``request``, which page it needs in ``prompts``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quart import Blueprint, Response, request

from local_logto.context import current_settings, current_store
from local_logto.crypto.signed_cookies import RESUME, clear_cookie, read_cookie
from local_logto.errors import OidcError, session_not_found
from local_logto.oidc.authorization import first_screen, id_token_hints
from local_logto.oidc.authorization.code import issue_code
from local_logto.oidc.authorization.interaction_cookies import write_interaction_cookies
from local_logto.oidc.authorization.own_pages import page_to_return_to
from local_logto.oidc.authorization.prompts import CONSENT, LOGIN, NeededPrompt, Situation, needed_prompt
from local_logto.oidc.authorization.pushed_requests import resolve_pushed
from local_logto.oidc.authorization.request import AuthorizationRequest, check, from_interaction
from local_logto.oidc.authorization.response import refuse, respond
from local_logto.oidc.clients import find_client
from local_logto.oidc.grants import Grant, find_grant, new_grant
from local_logto.oidc.no_store import no_store
from local_logto.oidc.request_params import Params, body_params, query_params
from local_logto.oidc.resources import scopes_of_user
from local_logto.oidc.session.interactions import (
    Interaction,
    create_interaction,
    delete_interaction,
    detach_from_session,
    find_interaction_by_uid,
    resume_path,
    resume_url,
)
from local_logto.oidc.session.op_sessions import OpSession, load_session
from local_logto.oidc.session.sign_out import ask_to_sign_out
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
    interaction = await _interaction_to_resume(uid)
    session = await load_session(request)
    if interaction.session_uid is not None and interaction.session_uid != session.uid:
        raise session_not_found("interaction session and authentication session mismatch")
    signed_in = (interaction.result or {}).get(LOGIN)
    if signed_in and session.user_id is not None and session.user_id != signed_in["accountId"]:
        await detach_from_session(interaction.uid)
        return await ask_to_sign_out(
            session,
            client_id=interaction.client_id,
            redirect_uri=resume_url(request, uid),
        )
    await delete_interaction(interaction.uid)
    if signed_in:
        session.sign_in(interaction.client_id, signed_in)
    if not session.is_new:
        session.reset_identifier()
    response = await _resume(interaction, session)
    if not any(name == "Set-Cookie" and RESUME in value for name, value in response.headers.items()):
        clear_cookie(response, RESUME, path=resume_path(uid))
    await session.save(response)
    return response


async def _start(params: Params) -> Response:
    session = await load_session(request)
    try:
        params = await resolve_pushed(params)
        authorization = await check(params)
        response = await _proceed(authorization, session, None)
    except OidcError as error:
        return await refuse(params, error)
    await session.save(response)
    return response


async def _resume(interaction: Interaction, session: OpSession) -> Response:
    own_page = page_to_return_to(interaction)
    if own_page is not None:
        return redirect_response(own_page)
    client = await find_client(interaction.client_id)
    if client is None:
        raise OidcError(400, "invalid_client", f"invalid client {interaction.client_id}")
    authorization = from_interaction(client, interaction.params)
    try:
        return await _proceed(authorization, session, interaction.result)
    except OidcError as error:
        return await refuse(_params_of(interaction), error)


async def _interaction_to_resume(uid: str) -> Interaction:
    if read_cookie(request, RESUME) is None:
        raise session_not_found("authorization request has expired")
    interaction = await find_interaction_by_uid(read_cookie(request, RESUME) or "")
    if interaction is None:
        raise session_not_found("interaction session not found")
    if interaction.uid != uid:
        raise session_not_found("authorization session and cookie identifier mismatch")
    return interaction


async def _proceed(
    authorization: AuthorizationRequest, session: OpSession, result: Mapping[str, Any] | None
) -> Response:
    """The next page, or the code when no page is needed any more."""
    grant = await _existing_grant(authorization, session, result)
    situation = await _situation(authorization, session, grant, result)
    needed = needed_prompt(authorization, situation)
    if needed is not None:
        if "none" in authorization.prompts:
            raise OidcError(400, needed.error, needed.description)
        return await _send_to_page(authorization, session, needed, grant, result)
    if grant is None:
        grant = new_grant(session.user_id or "", authorization.client.id)
    code = await issue_code(authorization, session, grant)
    members = {"code": code}
    if authorization.params.get("state"):
        members["state"] = authorization.params["state"]
    members["iss"] = current_settings().issuer
    return await respond(authorization.redirect_uri, authorization.response_mode, members)


async def _existing_grant(
    authorization: AuthorizationRequest, session: OpSession, result: Mapping[str, Any] | None
) -> Grant | None:
    """The grant just consented to, else the one this browser session already has for the application."""
    client_id = authorization.client.id
    grant_id = (result or {}).get(CONSENT, {}).get("grantId") or session.grant_id_for(client_id)
    async with current_store().begin() as connection:
        grant = await find_grant(connection, grant_id)
    if grant is None or grant.user_id != session.user_id or grant.client_id != client_id:
        return None
    session.bind_grant(client_id, grant.id)
    return grant


async def _situation(
    authorization: AuthorizationRequest,
    session: OpSession,
    grant: Grant | None,
    result: Mapping[str, Any] | None,
) -> Situation:
    available = {}
    organization_id = authorization.params.get("organization_id")
    if session.user_id is not None:
        async with current_store().begin() as connection:
            for indicator in authorization.resources:
                available[indicator] = await scopes_of_user(
                    connection, session.user_id, indicator, organization_id
                )
    return Situation(
        user_id=session.user_id,
        is_stale=authorization.max_age is not None and session.is_older_than(authorization.max_age),
        hinted_user_id=await id_token_hints.subject_of(authorization.id_token_hint, authorization.client),
        grant=grant,
        result=result,
        available=available,
    )


async def _send_to_page(
    authorization: AuthorizationRequest,
    session: OpSession,
    needed: NeededPrompt,
    grant: Grant | None,
    result: Mapping[str, Any] | None,
) -> Response:
    client_id = authorization.client.id
    interaction = await create_interaction(
        authorization.params,
        needed.name,
        session_uid=session.uid if session.user_id is not None else None,
        account_id=session.user_id,
        details={
            "grant_id": None if grant is None else grant.id,
            "missing_oidc": needed.missing_oidc,
            "missing_on": needed.missing_on,
            "result": result or {},
        },
    )
    if needed.name == LOGIN:
        location = first_screen.sign_in_location(authorization.params, client_id)
    else:
        location = first_screen.consent_location(client_id)
    response = redirect_response(location)
    write_interaction_cookies(response, interaction)
    return response


def _params_of(interaction: Interaction) -> Params:
    return Params((name, value) for name, value in interaction.params.items() if isinstance(value, str))
