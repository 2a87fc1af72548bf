"""Coming back from the sign-in pages: the interaction, and what it brought."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from quart import Response, request

from local_logto.crypto.signed_cookies import RESUME, clear_cookie, read_cookie
from local_logto.errors import session_not_found
from local_logto.oidc.authorization.prompts import LOGIN
from local_logto.oidc.session.interactions import (
    Interaction,
    delete_interaction,
    detach_from_session,
    find_interaction_by_uid,
    resume_path,
    resume_url,
)
from local_logto.oidc.session.op_sessions import OpSession, load_session
from local_logto.oidc.session.sign_out import ask_to_sign_out

GoOn = Callable[[Interaction, OpSession], Awaitable[Response]]


async def resume(uid: str, go_on: GoOn, *, of_device: bool = False) -> Response:
    """Resume the interaction in the browser's session and continue with its request.

    If another person is signed in here, they are signed out first. Raises 400 if the browser is not in this
    interaction, or if it started in another session.
    """
    interaction = _interaction_to_resume(uid, of_device=of_device)
    session = load_session(request)
    if interaction.session_uid is not None and interaction.session_uid != session.uid:
        raise session_not_found("interaction session and authentication session mismatch")
    signed_in = (interaction.result or {}).get(LOGIN)
    if signed_in and session.user_id is not None and session.user_id != signed_in["accountId"]:
        detach_from_session(interaction.uid)
        return await ask_to_sign_out(
            session, client_id=interaction.client_id, redirect_uri=resume_url(request, interaction)
        )
    delete_interaction(interaction.uid)
    if signed_in:
        session.sign_in(interaction.client_id, signed_in)
    if not session.is_new:
        session.reset_identifier()
    response = await go_on(interaction, session)
    if not any(name == "Set-Cookie" and RESUME in value for name, value in response.headers.items()):
        clear_cookie(response, RESUME, path=resume_path(interaction))
    await session.save(response)
    return response


def _interaction_to_resume(uid: str, *, of_device: bool) -> Interaction:
    if read_cookie(request, RESUME) is None:
        raise session_not_found("authorization request has expired")
    interaction = find_interaction_by_uid(read_cookie(request, RESUME) or "")
    if interaction is None or (interaction.device_code_hash is not None) != of_device:
        raise session_not_found("interaction session not found")
    if interaction.uid != uid:
        raise session_not_found("authorization session and cookie identifier mismatch")
    return interaction
