"""Turns to refresh a session's tokens: one attempt at a time, across workers, for all requests that wait.

Within a process, requests share an attempt. Across workers, a lease makes the others wait
(:mod:`saas_app.coordination.leases`): they read the new tokens or fail too. A worker that was killed delays
the others by seconds only.
"""

from __future__ import annotations

import asyncio
import time
import uuid
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from contextlib import asynccontextmanager
from typing import TypeVar

from saas_app import signals
from saas_app.coordination.shared_attempts import SharedAttempts, pause_after
from saas_app.errors import Busy, LogtoUnavailable, SignInRequired
from saas_app.identity.refresh_claims import RefreshClaims
from saas_app.identity.sessions import SessionAccess, SessionStore
from saas_app.text.translation import _

IsDone = Callable[[SessionAccess], bool]
"""Whether the session already has the token that an attempt would fetch."""

Result = TypeVar("Result")


class RefreshTurns:
    """Assigns turns to refresh. ``timeout`` is how many seconds an attempt may take."""

    def __init__(self, sessions: SessionStore, claims: RefreshClaims, *, timeout: float) -> None:
        self._sessions = sessions
        self._claims = claims
        self._timeout = timeout
        self._attempts = SharedAttempts()
        self._locks: weakref.WeakValueDictionary[uuid.UUID, asyncio.Lock] = weakref.WeakValueDictionary()

    async def share(
        self, key: Hashable, attempt: Callable[[], Awaitable[Result]], *, patience: float
    ) -> Result:
        """Join the running attempt with this key in this process, or start one.

        ``patience`` is how many seconds to wait. Raises what the attempt raises, and
        :class:`LogtoUnavailable` if it takes longer.
        """
        if self._attempts.is_running(key):
            signals.refresh_shared.send(by="request")
        return await self._attempts.join(key, attempt, patience=patience)

    async def take(
        self,
        session_id: uuid.UUID,
        organization_id: str | None,
        is_done: IsDone,
        fetch: Callable[[SessionAccess], Awaitable[Result]],
    ) -> Result:
        """Run ``fetch`` while nobody else refreshes this session. If it fails, all waiting requests fail."""
        async with self._locks.setdefault(session_id, asyncio.Lock()):
            self._attempts.raise_if_paused(session_id)
            began = time.monotonic()
            try:
                async with self._claim(session_id, organization_id, is_done) as access:
                    return await fetch(access)
            except LogtoUnavailable as failure:
                self._attempts.pause(session_id, failure, time.monotonic() - began)
                raise

    async def look(self, session_id: uuid.UUID, organization_id: str | None) -> SessionAccess:
        """Read the session again. Raises :class:`SignInRequired` if it has ended meanwhile."""
        access = await self._sessions.find_access_by_id(session_id, organization_id)
        if access is None:
            raise SignInRequired
        return access

    async def close(self) -> None:
        """Let running attempts finish when the application stops."""
        await self._attempts.close()

    @asynccontextmanager
    async def _claim(
        self, session_id: uuid.UUID, organization_id: str | None, is_done: IsDone
    ) -> AsyncIterator[SessionAccess]:
        """Hold the session's lease and yield the session, without the lease if another worker was faster."""

        async def is_fetched() -> bool:
            return is_done(await self.look(session_id, organization_id))

        try:
            async with self._claims.hold(session_id, seconds=self._timeout, is_done=is_fetched):
                access = await self.look(session_id, organization_id)
                if not is_done(access) and await self._claims.is_paused(session_id):
                    raise LogtoUnavailable(_("Logto did not respond."))
                if is_done(access):
                    signals.refresh_shared.send(by="worker")
                async with self._pausing(session_id):
                    yield access
        except Busy:
            raise LogtoUnavailable(_("Logto did not respond.")) from None

    @asynccontextmanager
    async def _pausing(self, session_id: uuid.UUID) -> AsyncIterator[None]:
        """Pause refreshing on all workers after a slow failure."""
        began = time.monotonic()
        try:
            yield
        except LogtoUnavailable:
            pause = pause_after(time.monotonic() - began)
            if pause > 0:
                await self._claims.pause(session_id, pause)
            raise
