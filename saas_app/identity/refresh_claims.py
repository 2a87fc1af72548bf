"""Claims to refresh a session's tokens: one worker holds a claim, and no worker does after a slow failure."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta

import sqlalchemy as sa

from saas_app.coordination.leases import lease
from saas_app.db import keys
from saas_app.db.clock import database_now
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.models import SessionRow


class RefreshClaims:
    """Claims to refresh sessions, as leases, and pauses after slow failures."""

    def __init__(self, work: UnitOfWork) -> None:
        self._work = work

    def hold(
        self, session_id: uuid.UUID, *, seconds: float, is_done: Callable[[], Awaitable[bool]]
    ) -> AbstractAsyncContextManager[bool]:
        """Hold the claim to refresh this session's tokens, across workers. See :func:`lease`."""
        return lease(self._work, f"refresh:{session_id}", seconds=seconds, is_done=is_done)

    async def is_paused(self, session_id: uuid.UUID) -> bool:
        """Return whether refreshing is paused, because an attempt has just failed."""
        async with self._work.reading(key=keys.of_session(session_id)) as db:
            paused = sa.select(SessionRow.refresh_paused_until > database_now(db))
            return bool(await db.scalar(paused.where(SessionRow.id == session_id)))

    async def pause(self, session_id: uuid.UUID, seconds: float) -> None:
        """Keep every worker from refreshing this session's tokens for a while."""
        async with self._work.writing(key=keys.of_session(session_id)) as db:
            until = database_now(db) + timedelta(seconds=seconds)
            await db.execute(
                sa.update(SessionRow).where(SessionRow.id == session_id).values(refresh_paused_until=until)
            )
