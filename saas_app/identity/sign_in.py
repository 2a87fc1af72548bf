"""Signing in: attempts, the callback, renewal, and forms kept over a round trip.

An attempt is a row keyed by the hash of ``state`` and bound to the browser by a cookie, so that two tabs
both succeed, another browser's callback is refused, and each callback works once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import sqlalchemy as sa
import structlog

from saas_app.db.base import utc_now
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.errors import LogtoUnavailable, SignInFailed
from saas_app.identity.authorization import Authorization
from saas_app.identity.directory import Directory, organizations_of
from saas_app.identity.logto_client import GrantedTokens, LogtoProvider, LogtoRefusal, SignInOptions
from saas_app.identity.principal import SessionPrincipal
from saas_app.identity.sessions import NewSession, SessionStore
from saas_app.identity.step_up import authentication_time
from saas_app.identity.token_verifier import TokenRejected
from saas_app.identity.vault import Vault, fingerprint, new_cookie_value
from saas_app.models import SignInAttemptRow

log = structlog.get_logger(__name__)

_ATTEMPT_LIFETIME = timedelta(hours=1)  # as long as Logto keeps an interaction

_REASONS = {
    "access_denied": "Logto refused access for this account.",
    "login_required": "You are not signed in at the sign-in provider any more.",
    "consent_required": "The sign-in provider needs you to sign in again.",
    "interaction_required": "The sign-in provider needs you to sign in again.",
    "invalid_target": "Logto does not know this application's API resource. "
    "Whoever runs this application can mend it with 'saas-app provision'.",
    "invalid_request": "Logto could not accept the sign-in request.",
    "invalid_scope": "Logto does not let this application ask for these permissions.",
    "server_error": "Logto had a problem of its own.",
    "temporarily_unavailable": "Logto is busy just now.",
}


@dataclass(frozen=True, slots=True)
class Browser:
    """What identifies the browser that asks: its cookies, and how it shows itself."""

    attempt_cookie: str
    session_cookie: str
    user_agent: str
    address: str


@dataclass(frozen=True, slots=True)
class KeptForm:
    """A form that waits for a round trip: whose it is, where it goes and what it holds."""

    subject: str
    action: str
    fields: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Where to go now, and what the ID token says of the person who signed in.

    ``session_cookie`` is None when the session stays the one it was.
    """

    next_path: str
    session_cookie: str | None
    claims: Mapping[str, Any]


class SignIn:
    """The sign-in flow, over the SDK's client."""

    def __init__(
        self,
        work: UnitOfWork,
        vault: Vault,
        provider: LogtoProvider,
        sessions: SessionStore,
        authorization: Authorization,
        directory: Directory,
        *,
        redirect_uri: str,
    ) -> None:
        self._work = work
        self._vault = vault
        self._provider = provider
        self._sessions = sessions
        self._authorization = authorization
        self._directory = directory
        self._redirect_uri = redirect_uri

    async def start(
        self,
        browser: Browser,
        next_path: str,
        options: SignInOptions,
        *,
        renewed_for: str | None = None,
        form: KeptForm | None = None,
    ) -> tuple[str, str]:
        """Begin an attempt. Returns where to send the browser, and its attempt cookie's value.

        ``renewed_for`` marks a round trip made for one permission, ``form`` waits for its end. Raises
        :class:`LogtoUnavailable`.
        """
        client = await self._provider.client()
        started = await client.start_sign_in(self._redirect_uri, options)
        cookie = browser.attempt_cookie or new_cookie_value()
        payload = {
            "nonce": started.nonce,
            "sdk_session": started.sdk_session,
            "next": next_path,
            "renewed_for": renewed_for,
            "form": [form.subject, form.action, form.fields] if form else None,
        }
        await self._store(started.state, cookie, payload)
        return started.url, cookie

    async def finish(self, browser: Browser, callback_url: str) -> SignedIn:
        """Complete the attempt a callback belongs to. Raises :class:`SignInFailed` or
        :class:`LogtoUnavailable`."""
        query = parse_qs(urlsplit(callback_url).query)
        payload = await self._take(_only(query, "state"), browser.attempt_cookie)
        core = await self._provider.core()
        if _only(query, "iss") != core.verifier.issuer:
            raise SignInFailed("The answer came from another sign-in provider than the one we asked.")
        if error := _only(query, "error"):
            log.info("logto refused a sign-in", error=error)
            raise SignInFailed(_REASONS.get(error, f"Logto refused the sign-in ({error[:64]})."))
        granted = await self._exchange(callback_url, payload)
        return await self._establish(browser, payload, granted)

    async def _exchange(self, callback_url: str, payload: dict[str, Any]) -> GrantedTokens:
        client = await self._provider.client({"signInSession": payload["sdk_session"]})
        try:
            return await client.finish_sign_in(callback_url, payload["nonce"])
        except LogtoRefusal as refusal:
            log.warning("code exchange refused", error=refusal.error, status=refusal.status)
            if refusal.error == "invalid_client":
                raise LogtoUnavailable("Logto does not accept this application just now.") from None
            raise SignInFailed("Logto did not accept the answer it sent itself. Please try again.") from None
        except TokenRejected as rejected:
            log.warning("sign-in rejected", reason=str(rejected))
            raise SignInFailed("The answer from Logto could not be verified.") from None

    async def _establish(self, browser: Browser, payload: dict[str, Any], granted: GrantedTokens) -> SignedIn:
        if granted.id_token is None or granted.id_claims is None:
            raise SignInFailed("Logto answered without saying who you are.")
        new = NewSession(
            subject=granted.id_claims["sub"],
            logto_session_id=_session_id_of(granted.id_claims),
            id_token=granted.id_token,
            refresh_token=granted.refresh_token,
            user_agent=browser.user_agent,
            address=browser.address,
            authenticated_at=authentication_time(granted.id_claims, utc_now()),
            renewed_for=payload["renewed_for"],
        )
        before = await self._sessions.find_access(browser.session_cookie, None)
        is_same_person = before is not None and before.principal.subject == new.subject
        is_silent = new.renewed_for is not None and new.authenticated_at is None
        cookie = None
        if before is not None and is_same_person and is_silent:
            session_id = before.principal.session_id
            await self._sessions.renew(session_id, new)
        else:
            if before is not None:
                await self._sessions.forget(before.principal.session_id)
            session_id, cookie = await self._sessions.create(new)
        await self._authorization.keep_user_info_token(session_id, granted)
        await self._learn(granted)
        next_path = payload["next"]
        if payload["form"] and payload["form"][0] == new.subject:
            next_path = await self._keep_form(browser, payload["form"])
        return SignedIn(next_path, cookie, granted.id_claims)

    async def _learn(self, granted: GrantedTokens) -> None:
        """Names for display. A sign-in does not fail because they cannot be read just now."""
        claims = granted.id_claims or {}
        await self._directory.remember_user(claims)
        try:
            info = await (await self._provider.core()).fetch_user_info(granted.access_token)
        except (LogtoRefusal, LogtoUnavailable) as error:
            log.warning("userinfo could not be read at sign-in", reason=str(error))
            return
        await self._directory.remember_organizations(organizations_of(info))

    async def _keep_form(self, browser: Browser, form: Sequence[Any]) -> str:
        handle = new_cookie_value()
        await self._store(handle, browser.attempt_cookie, {"form": form})
        return f"/sign-in/finish?{urlencode({'form': handle})}"

    async def take_form(self, browser: Browser, handle: str, principal: SessionPrincipal) -> KeptForm:
        """The kept form behind a handle, once, for whom it belongs to. Raises :class:`SignInFailed`."""
        payload = await self._take(handle, browser.attempt_cookie)
        subject, action, fields = payload.get("form") or ("", "", ())
        if subject != principal.subject:
            raise SignInFailed("There is no form of yours waiting here.")
        return KeptForm(subject, action, tuple((name, value) for name, value in fields))

    async def _store(self, key: str, attempt_cookie: str, payload: dict[str, Any]) -> None:
        now = utc_now()
        row = SignInAttemptRow(
            state_hash=fingerprint(key),
            browser_hash=fingerprint(attempt_cookie),
            payload=self._vault.seal(json.dumps(payload)),
            expires_at=now + _ATTEMPT_LIFETIME,
        )
        async with self._work.writing() as db:
            await db.execute(sa.delete(SignInAttemptRow).where(SignInAttemptRow.expires_at < now))
            db.add(row)

    async def _take(self, key: str, attempt_cookie: str) -> dict[str, Any]:
        """The stored attempt, removed as it is read, so that it works once and in one browser only."""
        async with self._work.writing() as db:
            sealed = await db.scalar(
                sa.delete(SignInAttemptRow)
                .where(
                    SignInAttemptRow.state_hash == fingerprint(key),
                    SignInAttemptRow.browser_hash == fingerprint(attempt_cookie),
                    SignInAttemptRow.expires_at > utc_now(),
                )
                .returning(SignInAttemptRow.payload)
            )
        if sealed is None:
            raise SignInFailed(
                "This sign-in was used already, has expired, or was started in another browser."
            )
        payload: dict[str, Any] = json.loads(self._vault.open(sealed))
        return payload


def _session_id_of(claims: dict[str, Any]) -> str | None:
    """The browser's session at Logto (``sid``), by which a back-channel logout names it."""
    sid = claims.get("sid")
    return sid if isinstance(sid, str) and 0 < len(sid) <= 128 else None


def _only(query: dict[str, list[str]], name: str) -> str:
    """The one value of a parameter; a parameter that comes twice counts as absent (RFC 6749 §3.1)."""
    values = query.get(name, [])
    return values[0] if len(values) == 1 else ""
