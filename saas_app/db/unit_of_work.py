"""The unit of work: the only place that opens a session, and the only place that commits."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncEngine

from saas_app.db.keys import Key
from saas_app.db.session import ReadingSession, SnapshotSession, WritingSession
from saas_app.db.writers import PATIENCE, Writers


class UnitOfWork:
    """Opens sessions on one engine: for reading or writing, inside an organization or outside any."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._writers = Writers(engine)

    @property
    def writers_waiting(self) -> int:
        """How many transactions wait for their turn to write."""
        return self._writers.waiting

    @asynccontextmanager
    async def reading(
        self, organization_id: str | None = None, *, key: Key | None = None
    ) -> AsyncIterator[ReadingSession]:
        """Open a session that only reads. ``key`` says which rows outside the organization it may see."""
        session = ReadingSession(self._engine, organization_id, key, PATIENCE)
        try:
            yield session
        finally:
            await session.close()

    @asynccontextmanager
    async def snapshot(self, organization_id: str) -> AsyncIterator[ReadingSession]:
        """Open a session that reads one state of the database, however long it takes."""
        session = SnapshotSession(self._engine, organization_id, None, PATIENCE)
        try:
            yield session
        finally:
            await session.close()

    @asynccontextmanager
    async def writing(
        self, organization_id: str | None = None, *, key: Key | None = None, patience: float = PATIENCE
    ) -> AsyncIterator[WritingSession]:
        """Open a transaction: committed at the end of the block, rolled back if it raises or is canceled.

        Raises :class:`saas_app.errors.DatabaseBusy` if its turn to write does not come within ``patience``
        seconds.
        """
        session = WritingSession(self._engine, organization_id, key, self._writers, patience)
        try:
            yield session
            await session.commit()
        finally:
            await session.close()
