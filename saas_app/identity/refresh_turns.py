"""Whose turn it is to refresh a session's tokens: one attempt at a time, on every worker, for all who wait.

In this process an attempt is shared. Across workers a claim in the session's row keeps the others waiting:
they read what it brought or learn that it failed. The claim is extended while the attempt runs, so that a
worker that was killed holds nobody up for long.
"""

from __future__ import annotations

import asyncio
import time
import uuid
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from contextlib import asynccontextmanager
from typing import Final, TypeVar

from saas_app.coordination.shared_attempts import SharedAttempts, pause_after
from saas_app.db.base import new_uuid
from saas_app.errors import LogtoUnavailable, SignInRequired
from saas_app.identity.refresh_claims import Claim, RefreshClaims
from saas_app.identity.sessions import SessionAccess, SessionStore

_CLAIM_SECONDS: Final = 3.0  # how long a worker that died keeps the others waiting
_CLAIM_INTERVAL: Final = 1.0  # seconds between two extensions of a claim
_POLL_INTERVAL: Final = 0.05  # seconds between two looks at what another worker is fetching

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
            raise SignInRequired  # nobody will ever get its claim
        return access

    async def close(self) -> None:
        """Let running attempts finish when the application stops."""
        await self._attempts.close()

    @asynccontextmanager
    async def _claim(
        self, session_id: uuid.UUID, organization_id: str | None, is_done: IsDone
    ) -> AsyncIterator[SessionAccess]:
        """Hold the session's claim and yield the session; no claim is held when another worker was faster."""
        owner, began, pause = new_uuid(), time.monotonic(), 0.0
        while (claim := await self._claims.claim(session_id, owner, _CLAIM_SECONDS)) != Claim.OURS:
            access = await self.look(session_id, organization_id)
            if is_done(access):
                yield access
                return
            if claim is Claim.PAUSED or time.monotonic() - began > self._timeout:
                raise LogtoUnavailable("Logto did not respond.")
            await asyncio.sleep(_POLL_INTERVAL)
        try:
            async with self._extending(session_id, owner):
                yield await self.look(session_id, organization_id)
        except LogtoUnavailable:
            pause = pause_after(time.monotonic() - began)
            raise
        finally:
            await self._claims.release(session_id, owner, pause=pause)

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
                    await self._claims.claim(session_id, owner, _CLAIM_SECONDS)

        task = asyncio.create_task(extend())
        try:
            yield
        finally:
            ended.set()
            await task
