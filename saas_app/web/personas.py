"""Visitors who see the application as a demo person: their two cookies, and the way back.

The session cookie is the one of the person they play, so every guard sees that person and nobody else. The
visitor's own session waits in a cookie beside it (:mod:`saas_app.identity.personas`).
"""

from __future__ import annotations

from typing import Final

from quart import g, redirect, request
from werkzeug.wrappers import Response

from saas_app.errors import NotFound
from saas_app.identity.logto_messages import SignInOptions
from saas_app.identity.personas import Persona, Personas
from saas_app.identity.principal import SessionPrincipal
from saas_app.text.translation import Sentence, _
from saas_app.web.context import browser, cookie_name, runtime, session_cookie, set_cookie
from saas_app.web.notices import notify

_COOKIE: Final = "own_session"


def offers_personas() -> bool:
    """Return whether there are demo people whose pages a visitor can see."""
    found = runtime().personas
    return found is not None and bool(found.people)


def personas() -> Personas:
    """Return what signs visitors in as demo people. Raises :class:`NotFound` if this is not offered here."""
    found = runtime().personas
    if found is None:
        raise NotFound(_("This page does not exist, or you do not have access to it."))
    return found


def current_persona() -> Persona | None:
    """Return the persona of this request's session, or None if the session is the visitor's own."""
    if "persona" not in g:
        g.persona = _read_persona()
    found: Persona | None = g.persona
    return found


def _read_persona() -> Persona | None:
    offered = runtime().personas
    if offered is None:
        return None
    sealed = request.cookies.get(cookie_name(_COOKIE))
    return offered.open(sealed, session_cookie(request)) if sealed else None


async def renew_persona(
    persona: Persona, options: SignInOptions, renewed_for: str, next_path: str
) -> Response:
    """Renew the session of the person by script, because the browser's session at Logto is the visitor's."""
    done, renewed = await personas().sign_in(
        persona, browser(request), next_path, options, renewed_for=renewed_for
    )
    response = redirect(done.next_path, 303)
    set_aside(response, renewed, done.session_cookie)
    return response


def set_aside(response: Response, persona: Persona, new_cookie: str | None) -> None:
    """Set the visitor's own session aside, and open the person's. None keeps the person's session cookie."""
    lifetime = runtime().settings.session_absolute_timeout
    if new_cookie is not None:
        set_cookie(response, "session", new_cookie, lifetime)
    set_cookie(response, _COOKIE, personas().seal(persona), lifetime)


async def back_to_own(
    persona: Persona, principal: SessionPrincipal | None, next_path: str, notice: Sentence | None = None
) -> Response:
    """End the person's session, if it lives, and return to the visitor's own.

    If that has ended too, the front page offers to sign in.
    """
    if principal is not None:
        await runtime().sign_out.end_without_browser(principal)
    own = await runtime().sessions.find_access(persona.own_session, None)
    if own is None:
        await notify(_("Your own session has ended. Sign in again."), "warning")
        response = redirect("/", 303)
        response.delete_cookie(cookie_name("session"), path="/", secure=runtime().settings.is_tls)
    else:
        if notice:
            await notify(notice, "info")
        response = redirect(next_path, 303)
        set_cookie(response, "session", persona.own_session, runtime().settings.session_absolute_timeout)
    response.delete_cookie(cookie_name(_COOKIE), path="/", secure=runtime().settings.is_tls)
    return response
