"""Fetching a session's tokens from Logto: one attempt at a time, on every worker, for all who wait.

In this process an attempt is shared. Across workers a claim in the session's row keeps the others waiting:
they read what it brought or learn that it failed. The claim is extended while the attempt runs, so that a
worker that was killed holds nobody up for long.
"""

from __future__ import annotations

import asyncio
import time
import uuid
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final

import structlog

from saas_app.coordination.shared_attempts import SharedAttempts, pause_after
from saas_app.db.base import new_uuid, utc_now
from saas_app.errors import LogtoUnavailable, SignInRequired
from saas_app.identity.claims import ORGANIZATION_AUDIENCE, organization_roles, scopes_of
from saas_app.identity.directory import Directory, organizations_of
from saas_app.identity.logto_client import GrantedTokens, LogtoProvider, LogtoRefusal
from saas_app.identity.session_access import NOT_A_MEMBER
from saas_app.identity.sessions import CachedToken, Claim, SessionAccess, SessionStore
from saas_app.identity.token_verifier import TokenRejected
from saas_app.rbac.permissions import Carrier

log = structlog.get_logger(__name__)

USERINFO_AUDIENCE: Final = "userinfo"
EXPIRY_MARGIN: Final = timedelta(seconds=60)
NEEDS_MFA: Final = "mfa"
NEEDS_CONSENT: Final = "consent"

_CLAIM_SECONDS: Final = 3.0  # how long a worker that died keeps the others waiting
_CLAIM_INTERVAL: Final = 1.0  # seconds between two extensions of a claim
_POLL_INTERVAL: Final = 0.05  # seconds between two looks at what another worker is fetching

IsDone = Callable[[SessionAccess], bool]
IsFresh = Callable[[SessionAccess, str], bool]
"""Whether a session's token for an audience answers."""


class TokenRefresher:
    """Fetches the tokens of sessions from Logto and stores them.

    ``api_resource`` is the audience of API tokens; ``timeout`` is how many seconds a call to Logto may take.
    """

    def __init__(
        self,
        sessions: SessionStore,
        directory: Directory,
        provider: LogtoProvider,
        *,
        api_resource: str,
        timeout: float,
    ) -> None:
        self.sessions = sessions
        self.directory = directory
        self.provider = provider
        self.timeout = timeout
        self._api_resource = api_resource
        self._attempts = SharedAttempts()
        self._locks: weakref.WeakValueDictionary[uuid.UUID, asyncio.Lock] = weakref.WeakValueDictionary()

    def audience(self, carrier: Carrier, organization_id: str) -> str:
        """Return the name under which one kind of token for an organization is stored."""
        if carrier is Carrier.ORGANIZATION_TOKEN:
            return f"{ORGANIZATION_AUDIENCE}{organization_id}"
        return f"{self._api_resource}#{organization_id}"

    async def refresh(
        self,
        session_id: uuid.UUID,
        organization_id: str,
        carrier: Carrier,
        is_fresh: IsFresh,
        *,
        patience: float,
    ) -> SessionAccess:
        """Return the session with a token that was just fetched, by this worker or by another one.

        ``is_fresh`` decides whether a stored token can be used. ``patience`` is how many seconds to wait.
        Raises :class:`SignInRequired` when the session or its grant is gone, and :class:`LogtoUnavailable`.
        """
        audience = self.audience(carrier, organization_id)

        def is_done(access: SessionAccess) -> bool:
            return is_fresh(access, audience)

        async def fetch(access: SessionAccess) -> None:
            if not is_done(access):
                await self._fetch(access, organization_id, carrier)

        async def attempt() -> None:
            deadline = time.monotonic() + self.timeout
            await self._in_turn(session_id, organization_id, is_done, fetch)
            await self._learn_name(session_id, organization_id, deadline)

        await self._attempts.join((session_id, audience), attempt, patience=patience)
        access = await self._look(session_id, organization_id)
        if audience not in access.tokens:
            raise SignInRequired
        return access

    async def refresh_user_info_token(self, session_id: uuid.UUID, *, patience: float) -> str:
        """Fetch and store a new opaque token for userinfo, and return it.

        ``patience`` is how many seconds to wait. Raises :class:`SignInRequired` when the session or its grant
        is gone, :class:`LogtoRefusal`, and :class:`LogtoUnavailable`.
        """

        async def fetch(_access: SessionAccess) -> str:
            granted = await self._call(session_id, None, None)
            await self.keep_user_info_token(session_id, granted)
            return granted.access_token

        return await self._attempts.join(
            (session_id, USERINFO_AUDIENCE),
            lambda: self._in_turn(session_id, None, lambda _access: False, fetch),
            patience=patience,
        )

    async def keep_user_info_token(self, session_id: uuid.UUID, granted: GrantedTokens) -> None:
        """Store the opaque token of a sign-in, which only userinfo accepts."""
        now = utc_now()
        expires_at = now + timedelta(seconds=granted.expires_in) - EXPIRY_MARGIN
        cached = CachedToken(USERINFO_AUDIENCE, now, expires_at, scopes=granted.scopes)
        await self.sessions.save_token(session_id, "", cached, granted.access_token)

    async def close(self) -> None:
        """Let running attempts finish when the application stops."""
        await self._attempts.close()

    async def _in_turn(
        self,
        session_id: uuid.UUID,
        organization_id: str | None,
        is_done: IsDone,
        fetch: Callable[[SessionAccess], Awaitable[Any]],
    ) -> Any:
        """Fetch while nobody else refreshes this session. A failure is that of all who wait for a turn."""
        async with self._locks.setdefault(session_id, asyncio.Lock()):
            self._attempts.raise_if_paused(session_id)
            began = time.monotonic()
            try:
                async with self._claim(session_id, organization_id, is_done) as access:
                    return await fetch(access)
            except LogtoUnavailable as failure:
                self._attempts.pause(session_id, failure, time.monotonic() - began)
                raise

    @asynccontextmanager
    async def _claim(
        self, session_id: uuid.UUID, organization_id: str | None, is_done: IsDone
    ) -> AsyncIterator[SessionAccess]:
        """Hold the session's claim and yield the session; no claim is held when another worker was faster."""
        owner, began, pause = new_uuid(), time.monotonic(), 0.0
        while (claim := await self.sessions.claim_refresh(session_id, owner, _CLAIM_SECONDS)) != Claim.OURS:
            access = await self._look(session_id, organization_id)
            if is_done(access):
                yield access
                return
            if claim is Claim.PAUSED or time.monotonic() - began > self.timeout:
                raise LogtoUnavailable("Logto did not answer.")
            await asyncio.sleep(_POLL_INTERVAL)
        try:
            async with self._extending(session_id, owner):
                yield await self._look(session_id, organization_id)
        except LogtoUnavailable:
            pause = pause_after(time.monotonic() - began)
            raise
        finally:
            await self.sessions.release_refresh(session_id, owner, pause=pause)

    @asynccontextmanager
    async def _extending(self, session_id: uuid.UUID, owner: uuid.UUID) -> AsyncIterator[None]:
        """Extend the claim for as long as the block takes."""
        ended = asyncio.Event()

        async def extend() -> None:
            while not ended.is_set():
                try:
                    async with asyncio.timeout(_CLAIM_INTERVAL):
                        await ended.wait()
                except TimeoutError:
                    await self.sessions.claim_refresh(session_id, owner, _CLAIM_SECONDS)

        task = asyncio.create_task(extend())
        try:
            yield
        finally:
            ended.set()
            await task

    async def _look(self, session_id: uuid.UUID, organization_id: str | None) -> SessionAccess:
        access = await self.sessions.find_access_by_id(session_id, organization_id)
        if access is None:
            raise SignInRequired  # the session ended meanwhile: nobody will ever get its claim
        return access

    async def _fetch(self, access: SessionAccess, organization_id: str, carrier: Carrier) -> None:
        """Store what Logto grants or refuses, as of the changes that were known before it was asked."""
        session_id, fetched_at = access.principal.session_id, utc_now()
        audience = self.audience(carrier, organization_id)
        resource = self._api_resource if carrier is Carrier.API_TOKEN else None
        try:
            granted = await self._call(session_id, organization_id, resource)
        except LogtoRefusal as refusal:
            log.info("logto refused a token", error=refusal.error, status=refusal.status)
            cached = CachedToken(
                audience,
                fetched_at,
                expires_at=fetched_at + timedelta(hours=1),
                refusal=_refusal_of(refusal),
                membership_version=access.membership_version,
            )
            await self.sessions.save_token(session_id, organization_id, cached, None)
            return
        claims = await self._verify(granted, carrier, organization_id)
        cached = CachedToken(
            audience,
            fetched_at,
            expires_at=fetched_at + timedelta(seconds=granted.expires_in),
            scopes=scopes_of(claims),
            role_names=organization_roles(granted.id_claims or {}, organization_id),
            membership_version=access.membership_version,
        )
        await self.sessions.save_token(session_id, organization_id, cached, granted.access_token)

    async def _learn_name(self, session_id: uuid.UUID, organization_id: str, deadline: float) -> None:
        """Ask userinfo, while there is time, for the name of an organization that was joined lately."""
        access = await self.sessions.find_access_by_id(session_id, organization_id)
        if access is None or access.organization_name is not None:
            return
        token = await self.sessions.find_token(session_id, USERINFO_AUDIENCE)
        if token is None or not any(cached.refusal is None for cached in access.tokens.values()):
            return
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                info = await (await self.provider.core()).fetch_user_info(token)
        except (LogtoRefusal, LogtoUnavailable, TimeoutError) as error:
            log.info("the organization's name could not be read", reason=str(error))
            return
        await self.directory.remember_organizations(organizations_of(info))

    async def _call(
        self, session_id: uuid.UUID, organization_id: str | None, resource: str | None
    ) -> GrantedTokens:
        """One refresh call. Ends the session when the grant is gone; other refusals are raised."""
        refresh_token = await self.sessions.find_refresh_token(session_id)
        if refresh_token is None:
            raise SignInRequired
        client = await self.provider.client({"refreshToken": refresh_token})
        try:
            granted = await client.refresh(
                lambda token: self.sessions.save_refresh_token(session_id, token),
                organization_id=organization_id,
                resource=resource,
            )
        except LogtoRefusal as refusal:
            if refusal.error != "invalid_grant":
                raise
            await self.sessions.forget(session_id)
            raise SignInRequired("Your session at Logto has ended.") from None
        except TokenRejected as rejected:
            raise _unverified(rejected) from None
        if granted.id_token:
            await self.sessions.save_id_token(session_id, granted.id_token)
        return granted

    async def _verify(self, granted: GrantedTokens, carrier: Carrier, organization_id: str) -> dict[str, Any]:
        core = await self.provider.core()
        is_api = carrier is Carrier.API_TOKEN
        expected = self._api_resource if is_api else self.audience(carrier, organization_id)
        try:
            claims = await core.verifier.verify_access_token(granted.access_token, audience=expected)
        except TokenRejected as rejected:
            raise _unverified(rejected) from None
        if is_api and claims.get("organization_id") != organization_id:
            raise _unverified(TokenRejected("token of another organization"))
        return claims


def _unverified(rejected: TokenRejected) -> LogtoUnavailable:
    log.error("a token from logto was rejected", reason=str(rejected))
    return LogtoUnavailable("Logto's answer could not be verified.")


def _refusal_of(refusal: LogtoRefusal) -> str:
    if refusal.error == "access_denied" and "MFA" in refusal.description:
        return NEEDS_MFA
    if refusal.error == "access_denied":
        return NOT_A_MEMBER
    if refusal.error in ("insufficient_scope", "invalid_target", "invalid_scope"):
        return NEEDS_CONSENT
    log.error("logto refused our application", error=refusal.error, description=refusal.description)
    raise LogtoUnavailable("Logto does not accept this application at the moment.")
