"""Another program that takes the lock that writers need, or checks whether the lock is free."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

WRITTEN = ("projects", "leases", "audit_events")
_PATIENCE = 3.0  # seconds. A lock that is left behind stays much longer


@asynccontextmanager
async def locked_by_another_program(database_url: str) -> AsyncIterator[None]:
    """Keep others from writing during the block. Reading still works."""
    url = sa.make_url(database_url)
    if url.get_backend_name() == "sqlite":
        with closing(sqlite3.connect(url.database or "", timeout=5, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")
        return
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        await connection.execute(sa.text(f"LOCK TABLE {', '.join(WRITTEN)} IN EXCLUSIVE MODE"))
        yield
    await engine.dispose()


async def wait_until_free(database_url: str) -> None:
    """Return once the transactions that are open now have ended. Fail if one stays open."""
    url = sa.make_url(database_url)
    deadline = time.monotonic() + _PATIENCE
    left = await _find_open(url)
    while left:
        assert time.monotonic() < deadline, f"transactions of somebody who left are still open: {left}"
        await asyncio.sleep(0.02)
        left &= await _find_open(url)


async def _find_open(url: sa.URL) -> set[str]:
    """Return the transactions that others have open, by their process and their beginning."""
    if url.get_backend_name() == "sqlite":
        return set() if _is_file_free(url.database or "") else {"a writer"}
    engine = create_async_engine(url)
    try:
        async with engine.connect() as connection:
            found = await connection.execute(
                sa.text(
                    "SELECT concat_ws(' ', pid, xact_start, usename) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'"
                )
            )
            return set(found.scalars())
    finally:
        await engine.dispose()


def _is_file_free(path: str) -> bool:
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as other:
        try:
            other.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        other.execute("ROLLBACK")
    return True
