"""Whose turn it is to refresh a session's tokens: one attempt at a time, on every worker, for all who wait.

In this process an attempt is shared. Across workers a lease keeps the others waiting
(:mod:`saas_app.coordination.leases`): they read what it brought or learn that it failed. A worker that was
killed holds nobody up for long.
"""

from __future__ import annotations

import asyncio
import time
import uuid
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from contextlib import asynccontextmanager
from typing import TypeVar

from saas_app.coordination.shared_attempts import SharedAttempts, pause_after
from saas_app.errors import Busy, LogtoUnavailable, SignInRequired
from saas_app.identity.refresh_claims import RefreshClaims
from saas_app.identity.sessions import SessionAccess, SessionStore

IsDone = Callable[[SessionAccess], bool]
"""Whether the session already holds what an attempt is to fetch."""

Result = TypeVar("Result")


class RefreshTurns:
    """Gives out turns to refresh. ``timeout`` is how many seconds an attempt may take."""

    def __init__(self, sessions: SessionStore, claims: RefreshClaims, *, timeout: float) -> None:
        self._sessions = sessions
        self._claims = claims
        self._timeout = timeout
        self._attempts = SharedAttempts()
        self._locks: weakref.WeakValueDictionary[uuid.UUID, asyncio.Lock] = weakref.WeakValueDictionary()

    async def share(
        self, key: Hashable, attempt: Callable[[], Awaitable[Result]], *, patience: float
    ) -> Result:
        """Join the attempt with this key that is under way in this process, or begin it.

        ``patience`` is how many seconds to wait. Raises what the attempt raises, and
        :class:`LogtoUnavailable` when it takes longer.
        """
        return await self._attempts.join(key, attempt, patience=patience)

    async def take(
        self,
        session_id: uuid.UUID,
        organization_id: str | None,
        is_done: IsDone,
        fetch: Callable[[SessionAccess], Awaitable[Result]],
    ) -> Result:
        """Run ``fetch`` while nobody else refreshes this session. Its failure is that of all who wait."""
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
        """Read the session again. Raises :class:`SignInRequired` when it has ended meanwhile."""
        access = await self._sessions.find_access_by_id(session_id, organization_id)
        if access is None:
            raise SignInRequired  # nobody will ever refresh its tokens
        return access

    async def close(self) -> None:
        """Let running attempts finish when the application stops."""
        await self._attempts.close()

    @asynccontextmanager
    async def _claim(
        self, session_id: uuid.UUID, organization_id: str | None, is_done: IsDone
    ) -> AsyncIterator[SessionAccess]:
        """Hold the session's lease and yield the session; nothing is held when another worker was faster."""

        async def is_fetched() -> bool:
            return is_done(await self.look(session_id, organization_id))

        try:
            async with self._claims.hold(session_id, seconds=self._timeout, is_done=is_fetched):
                access = await self.look(session_id, organization_id)
                if not is_done(access) and await self._claims.is_paused(session_id):
                    raise LogtoUnavailable("Logto did not respond.")
                async with self._pausing(session_id):
                    yield access
        except Busy:
            raise LogtoUnavailable("Logto did not respond.") from None

    @asynccontextmanager
    async def _pausing(self, session_id: uuid.UUID) -> AsyncIterator[None]:
        """After a failure that took long, keep all workers from trying again for a while."""
        began = time.monotonic()
        try:
            yield
        except LogtoUnavailable:
            pause = pause_after(time.monotonic() - began)
            if pause > 0:
                await self._claims.pause(session_id, pause)
            raise
