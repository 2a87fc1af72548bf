"""Steps on a database: run one after the other, each reported when it has ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from saas_app.db.connecting import connecting_to
from saas_app.errors import ConfigurationError
from saas_app.operations.migrate import explained_database


@dataclass(frozen=True, slots=True)
class Step:
    """One step, and whether it changed anything."""

    what: str
    is_done: bool


Steps = Callable[[sa.Engine], Iterator[Step]]


def run_steps(database_url: str, steps: Steps, report: Callable[[Step], None]) -> None:
    """Run steps on a database. Must not be called in a running event loop.

    Raises :class:`ConfigurationError` if the database is not PostgreSQL, or cannot be reached.
    """
    if connecting_to(database_url).is_sqlite:
        raise ConfigurationError("The command needs PostgreSQL, and DATABASE_URL names a SQLite file.")
    with explained_database(database_url):
        asyncio.run(_run(database_url, steps, report))


async def _run(database_url: str, steps: Steps, report: Callable[[Step], None]) -> None:
    connecting = connecting_to(database_url)
    engine = create_async_engine(connecting.url, connect_args=connecting.connect_args)

    def run(connection: sa.Connection) -> None:
        for step in steps(connection.engine):
            report(step)

    try:
        async with engine.connect() as connection:
            await connection.run_sync(run)
    finally:
        await engine.dispose()
