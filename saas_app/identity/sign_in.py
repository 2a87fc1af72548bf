"""Signing in: the redirect to Logto, the callback, and renewal.

A callback is processed once, and to the end even if its browser disconnects. If it is opened again, it leads
to the same page, with the same session.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import structlog

from saas_app.db.base import utc_now
from saas_app.errors import LogtoUnavailable, SignInFailed
from saas_app.identity.arrivals import Admission, Arrival, Arrivals
from saas_app.identity.attempts import Attempt, Attempts, Outcome
from saas_app.identity.directory import Directory
from saas_app.identity.logto_client import LogtoProvider
from saas_app.identity.logto_messages import GrantedTokens, LogtoRefusal, SignInOptions
from saas_app.identity.return_paths import renewing_first
from saas_app.identity.sessions import NewSession, SessionStore
from saas_app.identity.step_up import authentication_time
from saas_app.identity.token_refresh import TokenRefresher
from saas_app.identity.token_verifier import TokenRejected
from saas_app.identity.vault import new_cookie_value
from saas_app.text.translation import _

log = structlog.get_logger(__name__)

_REPEAT_WINDOW: Final = timedelta(seconds=60)  # how long a repeated callback gets the session cookie again
_SECONDS_FOR_NAMES: Final = 3.0  # a sign-in waits no longer than this for names to display

_REASONS = {
    "access_denied": _("Logto denied access for this account."),
    "login_required": _("You are no longer signed in to Logto."),
    "consent_required": _("Logto requires you to sign in again."),
    "interaction_required": _("Logto requires you to sign in again."),
    "invalid_target": _(
        "The API resource of this application does not exist in Logto. The operator can fix "
        "this with 'saas-app provision'."
    ),
    "invalid_request": _("Logto did not accept the sign-in request."),
    "invalid_scope": _("This application is not allowed to request these permissions from Logto."),
    "server_error": _("Logto reported an internal error."),
    "temporarily_unavailable": _("Logto is busy. Try again in a moment."),
}


@dataclass(frozen=True, slots=True)
class Browser:
    """The browser of a request: its cookies, its User-Agent header and its address."""

    attempt_cookie: str
    session_cookie: str
    user_agent: str
    address: str


@dataclass(frozen=True, slots=True)
class Callback:
    """The parameters of a callback. A missing or repeated parameter is empty (RFC 6749 §3.1).

    ``names_issuer``: ``iss`` is present. Logto omits it from some errors.
    """

    url: str = field(repr=False)  # contains the code
    state: str
    error: str
    issuer: str
    names_issuer: bool

    @classmethod
    def read(cls, url: str) -> Callback:
        """Read the parameters of a callback's URL."""
        query = parse_qs(urlsplit(url).query)
        state, error, issuer = (_only(query, name) for name in ("state", "error", "iss"))
        return cls(url, state, error, issuer, names_issuer="iss" in query)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A completed sign-in: the next page, and the ID token's claims.

    ``session_cookie`` is None if the browser keeps its session.
    """

    next_path: str
    session_cookie: str | None
    claims: Mapping[str, Any]


class SignIn:
    """The sign-in flow, on top of the SDK's client. ``arrivals`` is None without single sign-on."""

    def __init__(
        self,
        attempts: Attempts,
        provider: LogtoProvider,
        sessions: SessionStore,
        refresher: TokenRefresher,
        directory: Directory,
        arrivals: Arrivals | None,
        *,
        redirect_uri: str,
    ) -> None:
        self._attempts = attempts
        self._provider = provider
        self._sessions = sessions
        self._refresher = refresher
        self._directory = directory
        self._arrivals = arrivals
        self._redirect_uri = redirect_uri
        self._under_way: set[asyncio.Task[Outcome]] = set()

    async def start(
        self,
        browser: Browser,
        next_path: str,
        options: SignInOptions,
        *,
        renewed_for: str | None = None,
    ) -> tuple[str, str]:
        """Start an attempt. Returns the URL at Logto, and the value of the attempt cookie.

        ``renewed_for`` is the reason for a renewal. Raises :class:`LogtoUnavailable`.
        """
        client = await self._provider.client()
        started = await client.start_sign_in(self._redirect_uri, options)
        cookie = browser.attempt_cookie or new_cookie_value()
        attempt = Attempt(
            started.nonce,
            started.sdk_session,
            next_path,
            renewed_for,
            utc_now().timestamp(),
            is_narrowed=bool(options.organization_id),
        )
        await self._attempts.begin(started.state, cookie, attempt)
        return started.url, cookie

    async def finish(self, browser: Browser, callback_url: str) -> SignedIn:
        """Complete the attempt of a callback.

        Raises :class:`SignInFailed` or :class:`LogtoUnavailable`.
        """
        callback = Callback.read(callback_url)
        taken = await self._attempts.take(callback.state, browser.attempt_cookie)
        if isinstance(taken, Outcome):
            return await self._repeat(browser, taken)
        task = asyncio.create_task(self._complete(browser, callback, taken))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        outcome = await asyncio.shield(task)
        return SignedIn(outcome.next_path, outcome.session_cookie, outcome.claims)

    async def _complete(self, browser: Browser, callback: Callback, attempt: Attempt) -> Outcome:
        try:
            granted = attempt.granted or await self._redeem(callback, attempt)
            attempt = replace(attempt, granted=granted)
            outcome = await self._establish(browser, attempt, granted)
        except LogtoUnavailable:
            await self._attempts.give_back(callback.state, attempt)
            raise
        except Exception as failure:
            await self._attempts.forget(callback.state)
            if isinstance(failure, SignInFailed):
                failure.next_path = attempt.next_path
            raise
        await self._attempts.finish(callback.state, outcome)
        return outcome

    async def _redeem(self, callback: Callback, attempt: Attempt) -> GrantedTokens:
        """Check that a callback comes from Logto and reports no error, and exchange its code for tokens."""
        core = await self._provider.core()
        may_be_anonymous = callback.error and not callback.names_issuer
        if not may_be_anonymous and callback.issuer != core.verifier.issuer:
            raise SignInFailed(_("The response came from an unexpected sign-in provider."))
        if callback.error:
            log.info("logto refused a sign-in", error=callback.error)
            raise SignInFailed(
                _REASONS.get(callback.error)
                or _("Logto rejected the sign-in (%(error)s).", error=callback.error[:64])
            )
        return await self._exchange(callback.url, attempt)

    async def _repeat(self, browser: Browser, outcome: Outcome) -> SignedIn:
        """Respond to a callback that was opened before.

        The person who is still signed in gets the same response. If the browser has no session, the first
        response may not have arrived, so for a short time the same cookie is sent again while its session is
        live. It does not matter which of the responses arrives last.
        """
        current = await self._sessions.find_access(browser.session_cookie, None)
        if current is not None and current.principal.subject == outcome.subject:
            return SignedIn(outcome.next_path, None, outcome.claims)
        made = await self._sessions.find_access(outcome.session_cookie or "", None)
        if current is None and made is not None and utc_now() - outcome.at < _REPEAT_WINDOW:
            return SignedIn(outcome.next_path, outcome.session_cookie, outcome.claims)
        next_path = outcome.next_path if current is None else ""
        raise SignInFailed(_("This sign-in has already been used."), next_path=next_path)

    async def _exchange(self, callback_url: str, attempt: Attempt) -> GrantedTokens:
        client = await self._provider.client({"signInSession": attempt.sdk_session})
        try:
            return await client.finish_sign_in(callback_url, attempt.nonce)
        except LogtoRefusal as refusal:
            log.warning("code exchange refused", error=refusal.error, status=refusal.status)
            if refusal.error == "invalid_client":
                raise LogtoUnavailable(_("Logto is currently rejecting this application.")) from None
            raise SignInFailed(_("Logto did not accept the sign-in code. Try again.")) from None
        except TokenRejected as rejected:
            log.warning("sign-in rejected", reason=str(rejected))
            raise SignInFailed(_("The response from Logto could not be verified.")) from None

    async def _establish(self, browser: Browser, attempt: Attempt, granted: GrantedTokens) -> Outcome:
        if granted.id_token is None or granted.id_claims is None:
            raise SignInFailed(_("Logto did not send an ID token."))
        authenticated_at = authentication_time(granted.id_claims, utc_now(), attempt.asked_at)
        arrival = Arrival(
            granted.id_claims["sub"], _session_id_of(granted.id_claims), is_silent=authenticated_at is None
        )
        admission = Admission() if self._arrivals is None else await self._arrivals.admit(arrival)
        new = NewSession(
            subject=arrival.subject,
            logto_session_id=arrival.sid,
            id_token=granted.id_token,
            refresh_token=granted.refresh_token,
            user_agent=browser.user_agent,
            address=browser.address,
            authenticated_at=authenticated_at,
            renewed_for=attempt.renewed_for,
            sso_connector_id=admission.connector_id,
        )
        session_id, cookie = await self._open_session(browser, new)
        await self._refresher.keep_user_info_token(session_id, granted)
        await self._directory.remember_user(granted.id_claims)
        await self._refresher.store_organization_names(granted.access_token, _SECONDS_FOR_NAMES)
        # Logto has narrowed this grant to one organization, or it has the roles from before. A round trip
        # brings the rest. If that one changes no roles, it leads on.
        is_incomplete = attempt.is_narrowed or admission.roles_changed
        next_path = renewing_first(attempt.next_path) if is_incomplete else attempt.next_path
        return Outcome(next_path, new.subject, session_id, cookie, utc_now(), granted.id_claims)

    async def _open_session(self, browser: Browser, new: NewSession) -> tuple[UUID, str | None]:
        """Return the session's id and its new cookie. A silent renewal by the same person keeps both.

        Raises :class:`SignInFailed` if the session that is renewed has ended meanwhile.
        """
        before = await self._sessions.find_access(browser.session_cookie, None)
        is_silent = new.renewed_for is not None and new.authenticated_at is None
        if before is not None and before.principal.subject == new.subject and is_silent:
            if not await self._sessions.renew(before.principal.session_id, new):
                raise SignInFailed(_("Your session ended while your request was in progress."))
            return before.principal.session_id, None
        if before is not None:
            await self._sessions.forget(before.principal.session_id)
        return await self._sessions.create(new)


def _session_id_of(claims: dict[str, Any]) -> str | None:
    """Return the ``sid``, which identifies the browser's session at Logto in a back-channel logout."""
    sid = claims.get("sid")
    return sid if isinstance(sid, str) and 0 < len(sid) <= 128 else None


def _only(query: dict[str, list[str]], name: str) -> str:
    """Return the only value of a parameter, or "" if it is missing or repeated (RFC 6749 §3.1)."""
    values = query.get(name, [])
    return values[0] if len(values) == 1 else ""
