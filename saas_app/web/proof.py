"""The first step of the ladder: who is calling, by which credential, within which limits.

With a bearer token, no cookie counts. Limits are counted in the same order for every credential: first the
client, then the person. :mod:`saas_app.web.limits` counts unknown callers by address.
"""

from __future__ import annotations

from quart import g, request

from saas_app.identity.credentials.bearer_token import TokenCaller
from saas_app.identity.credentials.browser_session import SessionCaller
from saas_app.identity.credentials.caller import Caller
from saas_app.web import limits
from saas_app.web.context import bearer_token, runtime, session_cookie
from saas_app.web.kept_forms import require_same_person


async def prove(organization_id: str | None = None) -> Caller:
    """Return the caller. ``organization_id`` is the organization in the path, if there is one.

    Raises :class:`SignInRequired` without a live session, :class:`InvalidToken` for a bearer token that is
    not accepted, and :class:`RateLimited`.
    """
    token = bearer_token(request)
    return await prove_session(organization_id) if token is None else await prove_token(token)


async def prove_session(organization_id: str | None = None) -> SessionCaller:
    """Return the person of the browser session, after checking that a form was made for them."""
    cookie = session_cookie(request)
    async with limits.proving_session(cookie):
        caller = await runtime().browser_sessions.prove(cookie, organization_id)
    g.principal = caller.principal
    await require_same_person(caller.principal)
    await limits.count_person(caller.principal.subject)
    return caller


async def prove_token(token: str) -> TokenCaller:
    """Return the holder of a bearer token."""
    verified = await limits.verify_token(token)
    caller = await runtime().bearer_tokens.prove(verified)
    g.principal, g.bearer = caller.principal, verified
    return caller
