"""The unit of work: the only place that opens a session, and the only place that commits."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from saas_app.db.session import ReadingSession, ShieldedSession, WritingSession
from saas_app.db.tenant_scope import ORGANIZATION_OPTION, bind_session
from saas_app.db.writers import PATIENCE, Writers


class UnitOfWork:
    """Opens sessions on one engine: for reading or writing, inside an organization or outside any."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._writers = Writers(engine)

    @asynccontextmanager
    async def reading(self, organization_id: str | None = None) -> AsyncIterator[AsyncSession]:
        """Open a session that only reads, without a transaction around its statements."""
        session = ReadingSession(self._bound(organization_id, "AUTOCOMMIT"), autoflush=False)
        session.patience = PATIENCE
        async with self._opened(session, organization_id):
            yield session

    @asynccontextmanager
    async def writing(
        self, organization_id: str | None = None, *, patience: float = PATIENCE
    ) -> AsyncIterator[AsyncSession]:
        """Open a transaction: committed at the end of the block, rolled back if it raises or is canceled.

        Raises :class:`saas_app.errors.DatabaseBusy` if its turn to write does not come within ``patience``
        seconds.
        """
        session = WritingSession(self._bound(organization_id), expire_on_commit=False, autoflush=False)
        session.writers, session.patience = self._writers, patience
        async with self._opened(session, organization_id):
            yield session
            await session.commit()

    def _bound(self, organization_id: str | None, isolation_level: str | None = None) -> AsyncEngine:
        options: dict[str, str] = {}
        if isolation_level:
            options["isolation_level"] = isolation_level
        if organization_id is not None:
            options[ORGANIZATION_OPTION] = organization_id
        return self._engine.execution_options(**options)  # connects at the first statement

    @asynccontextmanager
    async def _opened(self, session: ShieldedSession, organization_id: str | None) -> AsyncIterator[None]:
        async with session:
            if organization_id is not None:
                bind_session(session.sync_session, organization_id)
            yield
