"""Fetches a session's tokens from Logto, verifies them, and stores what was granted or refused.

:mod:`saas_app.identity.refresh_turns` decides which request fetches and which ones wait for it.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Hashable
from datetime import timedelta
from typing import Any, Final, TypeVar

import structlog

from saas_app.db.base import utc_now
from saas_app.errors import LogtoUnavailable, SignInRequired
from saas_app.identity.claims import organization_roles, scopes_of
from saas_app.identity.directory import Directory, organizations_of
from saas_app.identity.freshness import EXPIRY_MARGIN, Freshness
from saas_app.identity.logto_client import LogtoProvider
from saas_app.identity.logto_messages import GrantedTokens, LogtoRefusal
from saas_app.identity.refresh_turns import RefreshTurns
from saas_app.identity.session_access import CachedToken, Refusal, SessionAccess
from saas_app.identity.session_tokens import SessionTokens
from saas_app.identity.sessions import SessionStore
from saas_app.identity.token_verifier import TokenRejected
from saas_app.rbac.permissions import Carrier
from saas_app.text.translation import _

log = structlog.get_logger(__name__)

Result = TypeVar("Result")

USERINFO_AUDIENCE: Final = "userinfo"
_REFUSAL_LIFETIME: Final = timedelta(hours=1)  # of the row; Freshness decides how long a refusal may be used


class TokenRefresher:
    """Fetches the tokens of sessions from Logto and stores them.

    ``timeout`` is how many seconds a call to Logto may take.
    """

    def __init__(
        self,
        sessions: SessionStore,
        tokens: SessionTokens,
        turns: RefreshTurns,
        directory: Directory,
        provider: LogtoProvider,
        freshness: Freshness,
        *,
        timeout: float,
    ) -> None:
        self._sessions = sessions
        self._tokens = tokens
        self._turns = turns
        self._directory = directory
        self._provider = provider
        self._freshness = freshness
        self._timeout = timeout

    async def refresh(
        self, session_id: uuid.UUID, organization_id: str, carrier: Carrier, *, patience: float
    ) -> SessionAccess:
        """Return the session with a fresh token, fetched by this request or by another one.

        ``patience`` is how many seconds to wait. Raises :class:`SignInRequired` if the session or its grant
        has ended, and :class:`LogtoUnavailable`.
        """
        audience = self._freshness.audience(carrier, organization_id)

        def is_done(access: SessionAccess) -> bool:
            return self._freshness.is_fresh(access, audience)

        async def fetch(access: SessionAccess) -> None:
            if not is_done(access):
                await self._fetch(access, organization_id, carrier)

        async def attempt() -> None:
            deadline = time.monotonic() + self._timeout
            await self._turns.take(session_id, organization_id, is_done, fetch)
            await self._fetch_name(session_id, organization_id, deadline)

        await self._turns.share((session_id, audience), attempt, patience=patience)
        access = await self._turns.look(session_id, organization_id)
        if audience not in access.tokens:
            raise SignInRequired
        return access

    async def refresh_user_info_token(self, session_id: uuid.UUID, *, patience: float) -> str:
        """Fetch and store a new opaque token for userinfo, and return it.

        ``patience`` is how many seconds to wait. Raises :class:`SignInRequired` if the session or its grant
        has ended, :class:`LogtoRefusal`, and :class:`LogtoUnavailable`.
        """

        async def fetch(_access: SessionAccess) -> str:
            granted = await self._call(session_id, None, None)
            await self.keep_user_info_token(session_id, granted)
            return granted.access_token

        return await self._take_turn((session_id, USERINFO_AUDIENCE), session_id, fetch, patience)

    async def exchange(
        self, session_id: uuid.UUID, organization_id: str | None, resource: str | None, *, patience: float
    ) -> GrantedTokens:
        """Fetch a token of any kind and return it. Nothing but the new refresh token is stored.

        ``patience`` is how many seconds to wait. Raises :class:`SignInRequired` if the session or its grant
        has ended, :class:`LogtoRefusal`, and :class:`LogtoUnavailable`.
        """

        async def fetch(_access: SessionAccess) -> GrantedTokens:
            return await self._call(session_id, organization_id, resource)

        return await self._take_turn(object(), session_id, fetch, patience)

    async def _take_turn(
        self,
        key: Hashable,
        session_id: uuid.UUID,
        fetch: Callable[[SessionAccess], Awaitable[Result]],
        patience: float,
    ) -> Result:
        """Run ``fetch`` in the session's turn, for all requests that wait for ``key``."""
        return await self._turns.share(
            key, lambda: self._turns.take(session_id, None, lambda _access: False, fetch), patience=patience
        )

    async def keep_user_info_token(self, session_id: uuid.UUID, granted: GrantedTokens) -> None:
        """Store a session's opaque token for userinfo."""
        now = utc_now()
        expires_at = now + timedelta(seconds=granted.expires_in) - EXPIRY_MARGIN
        cached = CachedToken(USERINFO_AUDIENCE, now, expires_at, scopes=granted.scopes)
        await self._tokens.save_token(session_id, "", cached, granted.access_token)

    async def store_organization_names(self, user_info_token: str, seconds: float) -> None:
        """Store the names of the person's organizations from userinfo, if it responds within ``seconds``."""
        try:
            async with asyncio.timeout(seconds):
                info = await (await self._provider.core()).fetch_user_info(user_info_token)
        except (LogtoRefusal, LogtoUnavailable, TimeoutError) as error:
            log.warning("the names of organizations could not be fetched", reason=str(error))
            return
        await self._directory.remember_organizations(organizations_of(info))

    async def close(self) -> None:
        """Let running attempts finish when the application stops."""
        await self._turns.close()

    async def _fetch(self, access: SessionAccess, organization_id: str, carrier: Carrier) -> None:
        """Fetch a token, and store it or Logto's refusal. ``access`` was read before Logto is asked."""
        session_id, fetched_at = access.principal.session_id, utc_now()
        audience = self._freshness.audience(carrier, organization_id)
        resource = self._freshness.api_resource if carrier is Carrier.API_TOKEN else None
        try:
            granted = await self._call(session_id, organization_id, resource)
        except LogtoRefusal as refusal:
            log.info("logto refused a token", error=refusal.error, status=refusal.status)
            cached = CachedToken(
                audience,
                fetched_at,
                expires_at=fetched_at + _REFUSAL_LIFETIME,
                refusal=_refusal_of(refusal),
                membership_version=access.membership_version,
            )
            await self._tokens.save_token(session_id, organization_id, cached, None)
            return
        claims = await self._verify(granted, carrier, organization_id)
        cached = CachedToken(
            audience,
            fetched_at,
            expires_at=fetched_at + timedelta(seconds=granted.expires_in),
            scopes=scopes_of(claims),
            role_names=organization_roles(granted.id_claims or {}).get(organization_id, frozenset()),
            membership_version=access.membership_version,
        )
        await self._tokens.save_token(session_id, organization_id, cached, granted.access_token)

    async def _fetch_name(self, session_id: uuid.UUID, organization_id: str, deadline: float) -> None:
        """Fetch the name of an organization that is not known yet from userinfo, if there is time."""
        access = await self._sessions.find_access_by_id(session_id, organization_id)
        if access is None or access.organization_name is not None:
            return
        token = await self._tokens.find_token(session_id, USERINFO_AUDIENCE)
        if token is not None and any(cached.refusal is None for cached in access.tokens.values()):
            await self.store_organization_names(token, deadline - time.monotonic())

    async def _call(
        self, session_id: uuid.UUID, organization_id: str | None, resource: str | None
    ) -> GrantedTokens:
        """Make one refresh call. Ends the session if its grant has ended, and raises other refusals."""
        refresh_token = await self._tokens.find_refresh_token(session_id)
        if refresh_token is None:
            raise SignInRequired
        client = await self._provider.client({"refreshToken": refresh_token})
        try:
            granted = await client.refresh(
                lambda token: self._tokens.save_refresh_token(session_id, token),
                organization_id=organization_id,
                resource=resource,
            )
        except LogtoRefusal as refusal:
            if refusal.error != "invalid_grant":
                raise
            await self._sessions.forget(session_id)
            raise SignInRequired(_("Your Logto session has ended.")) from None
        except TokenRejected as rejected:
            raise _unverified(rejected) from None
        if granted.id_token:
            await self._tokens.save_id_token(session_id, granted.id_token)
        return granted

    async def _verify(self, granted: GrantedTokens, carrier: Carrier, organization_id: str) -> dict[str, Any]:
        core = await self._provider.core()
        is_api, freshness = carrier is Carrier.API_TOKEN, self._freshness
        expected = freshness.api_resource if is_api else freshness.audience(carrier, organization_id)
        try:
            claims = await core.verifier.verify_access_token(granted.access_token, audience=expected)
        except TokenRejected as rejected:
            raise _unverified(rejected) from None
        if is_api and claims.get("organization_id") != organization_id:
            raise _unverified(TokenRejected(_("token of another organization")))
        return claims


def _unverified(rejected: TokenRejected) -> LogtoUnavailable:
    log.error("a token from logto was rejected", reason=str(rejected))
    return LogtoUnavailable(_("The response from Logto could not be verified."))


def _refusal_of(refusal: LogtoRefusal) -> Refusal:
    if refusal.error == "access_denied" and "MFA" in refusal.description:
        return Refusal.NEEDS_MFA
    if refusal.error == "access_denied":
        return Refusal.NOT_A_MEMBER
    if refusal.error in ("insufficient_scope", "invalid_target", "invalid_scope"):
        return Refusal.NEEDS_CONSENT
    log.error("logto refused our application", error=refusal.error, description=refusal.description)
    raise LogtoUnavailable(_("Logto is currently rejecting this application."))
