"""The first step of the ladder: who is calling, by which credential, within which limits.

With a bearer token, no cookie counts. In an organization, an agent's cookie of a support access comes before
their own session. Limits are counted in the same order for every credential: first the
client, then the person. :mod:`saas_app.web.limits` counts unknown callers by address.
"""

from __future__ import annotations

from quart import g, request

from saas_app.errors import InvalidToken
from saas_app.identity.credentials.bearer_token import TokenCaller
from saas_app.identity.credentials.browser_session import SessionCaller
from saas_app.identity.credentials.caller import Caller
from saas_app.identity.credentials.support_session import SupportCaller
from saas_app.text.translation import _
from saas_app.web import limits
from saas_app.web.context import bearer_token, runtime, session_cookie, support_cookie
from saas_app.web.kept_forms import require_same_person


async def prove(organization_id: str | None = None) -> Caller:
    """Return the caller. ``organization_id`` is the organization in the path, if there is one.

    Raises :class:`SignInRequired` without a live session, :class:`InvalidToken` for a bearer token that is
    not accepted, and :class:`RateLimited`.
    """
    token = bearer_token(request)
    if token is not None:
        return await prove_token(token, organization_id)
    return await prove_support(organization_id) or await prove_session(organization_id)


async def prove_support(organization_id: str | None) -> SupportCaller | None:
    """Return the agent of a support access to this organization, for its member, or None without one.

    Raises :class:`SupportEnded` if it is over.
    """
    cookie = support_cookie(request)
    if organization_id is None or not cookie:
        return None
    await _receive_all()
    session = session_cookie(request)
    async with limits.proving_session(session):
        caller = await runtime().support_sessions.prove(session, cookie, organization_id)
    if caller is not None:
        g.principal = caller.principal
        await require_same_person(caller.principal)
        await limits.count_person(caller.access.agent_id)
    return caller


async def prove_session(organization_id: str | None = None) -> SessionCaller:
    """Return the person of the browser session, after checking that a form was made for them."""
    cookie = session_cookie(request)
    async with limits.proving_session(cookie):
        caller = await runtime().browser_sessions.prove(cookie, organization_id)
    g.principal = caller.principal
    await require_same_person(caller.principal)
    await limits.count_person(caller.principal.subject)
    return caller


async def prove_token(token: str, organization_id: str | None) -> TokenCaller | SupportCaller:
    """Return the holder of a bearer token, or the agent whom it names besides its subject.

    An agent has no part of the API outside the organization. Raises :class:`InvalidToken`.
    """
    verified = await limits.verify_token(token)
    caller: TokenCaller | SupportCaller
    if verified.actor is None:
        caller = await runtime().bearer_tokens.prove(verified)
    elif organization_id is None:
        raise InvalidToken(_("A token that lets somebody act for another person counts in an organization."))
    else:
        await _receive_all()
        caller = await runtime().support_sessions.prove_token(verified)
    g.principal, g.bearer = caller.principal, verified
    return caller


async def _receive_all() -> None:
    """Wait for the whole body: a support access that is read now does not end while a slow one arrives."""
    await request.get_data(parse_form_data=False)
