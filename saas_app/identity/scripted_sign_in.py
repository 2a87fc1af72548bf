"""A real sign-in of a person at Logto by script, without a browser.

For people whose password this installation knows: role-play members and demo people. State, nonce, PKCE and
the verification of the ID token are those of every sign-in (:mod:`.logto_client`). Each sign-in opens a
session of its own at Logto, so the visitor's session there stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import structlog

from saas_app.identity.logto_client import LogtoProvider
from saas_app.identity.logto_messages import GrantedTokens, LogtoRefusal, SignInOptions
from saas_app.identity.scripted_browser import Obstacle, Password, ScriptedBrowser, ScriptedSignInFailed
from saas_app.identity.token_verifier import TokenRejected

log = structlog.get_logger(__name__)

__all__ = ["Obstacle", "ScriptedSession", "ScriptedSignInFailed", "renew", "sign_in"]

_NO_OPTIONS: Final = SignInOptions()


@dataclass(frozen=True, slots=True)
class ScriptedSession:
    """A completed sign-in: its tokens, and the cookies of its session at Logto, with which it can be renewed.

    The cookies are as secret as the tokens. They are a JSON object.
    """

    granted: GrantedTokens
    cookies: dict[str, str] = field(repr=False)


async def sign_in(
    provider: LogtoProvider,
    *,
    redirect_uri: str,
    username: str,
    password: str,
    options: SignInOptions = _NO_OPTIONS,
) -> ScriptedSession:
    """Sign a person in with their password, in a new session at Logto.

    Raises :class:`ScriptedSignInFailed` or :class:`LogtoUnavailable`.
    """
    return await _complete(provider, redirect_uri, options, {}, Password(username, password))


async def renew(
    provider: LogtoProvider,
    *,
    redirect_uri: str,
    cookies: Mapping[str, str],
    options: SignInOptions = _NO_OPTIONS,
) -> ScriptedSession:
    """Make the silent round trip by which a session at Logto gets a new grant, with the current scopes.

    Raises :class:`ScriptedSignInFailed`, also if the session has ended, or :class:`LogtoUnavailable`.
    """
    return await _complete(provider, redirect_uri, options, cookies, None)


async def _complete(
    provider: LogtoProvider,
    redirect_uri: str,
    options: SignInOptions,
    cookies: Mapping[str, str],
    person: Password | None,
) -> ScriptedSession:
    client = await provider.client()
    started = await client.start_sign_in(redirect_uri, options)
    browser = ScriptedBrowser(provider.http, started.url, cookies)
    callback_url = await browser.authorize(redirect_uri, person)
    try:
        granted = await client.finish_sign_in(callback_url, started.nonce)
    except (LogtoRefusal, TokenRejected) as refused:
        log.warning("a scripted sign-in was rejected", reason=str(refused))
        raise ScriptedSignInFailed(Obstacle.UNEXPECTED) from None
    return ScriptedSession(granted, browser.cookies)
