"""The unit of work: the only place that opens a session, and the only place that commits."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from saas_app.db.tenant_scope import ORGANIZATION_OPTION, bind_session


class UnitOfWork:
    """Opens sessions on one engine: for reading or writing, inside an organization or outside any."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @asynccontextmanager
    async def reading(self, organization_id: str | None = None) -> AsyncIterator[AsyncSession]:
        """A session that only reads, without a transaction around its statements."""
        async with self._session(organization_id, isolation_level="AUTOCOMMIT") as session:
            yield session

    @asynccontextmanager
    async def writing(self, organization_id: str | None = None) -> AsyncIterator[AsyncSession]:
        """One transaction: committed at the end of the block, rolled back when it raises."""
        async with self._session(organization_id) as session:
            yield session
            await session.commit()

    @asynccontextmanager
    async def _session(
        self, organization_id: str | None, isolation_level: str | None = None
    ) -> AsyncIterator[AsyncSession]:
        options: dict[str, str] = {}
        if isolation_level:
            options["isolation_level"] = isolation_level
        if organization_id is not None:
            options[ORGANIZATION_OPTION] = organization_id
        bound = self._engine.execution_options(**options)  # connects at the first statement
        async with AsyncSession(bound, expire_on_commit=False, autoflush=False) as session:
            if organization_id is not None:
                bind_session(session.sync_session, organization_id)
            yield session
