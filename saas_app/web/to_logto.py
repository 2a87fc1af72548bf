"""Sends a browser to Logto to sign in, with the cookie that binds the attempt to it.

The session of a persona is renewed by script instead (:mod:`saas_app.web.personas`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from quart import g, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from saas_app.identity.logto_messages import SignInOptions
from saas_app.identity.return_paths import own_path
from saas_app.identity.sign_in import Browser
from saas_app.web.context import browser, runtime, set_cookie
from saas_app.web.personas import current_persona, renew_persona
from saas_app.web.reader import current_reader

_ATTEMPT_COOKIE_LIFETIME: Final = 3600  # seconds, as long as an attempt lives


async def to_logto(
    options: SignInOptions,
    *,
    renewed_for: str | None = None,
    next_path: str | None = None,
) -> BaseResponse:
    """Send the browser to Logto, whose pages speak the language that the reader chose here.

    ``next_path`` is the page to open afterwards, unless the query names one.
    """
    visitor = browser(request)
    if not options.ui_locales:
        options = replace(options, ui_locales=current_reader().chosen_language)
    if next_path is None:
        next_path = own_path(request.args.get("next"))
    if renewed_for is not None and (persona := current_persona()) is not None:
        return await renew_persona(persona, options, renewed_for, next_path)
    if "attempt_cookie" in g:
        visitor = replace(visitor, attempt_cookie=g.attempt_cookie)
    url, attempt = await runtime().sign_in.start(visitor, next_path, options, renewed_for=renewed_for)
    return bound_to_attempt(redirect(url, 303), visitor, attempt)


def bound_to_attempt(response: BaseResponse, visitor: Browser, attempt: str) -> BaseResponse:
    """Return a redirect with the cookie that binds an attempt to the browser, unless it has this one."""
    if attempt != visitor.attempt_cookie:
        set_cookie(response, "attempt", attempt, _ATTEMPT_COOKIE_LIFETIME)
    return response
