"""The provider's SQLite file: its engine, columns that tables share, IDs, and the clock."""

from __future__ import annotations

import secrets
import string
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from local_logto.schema import create_or_complete

metadata = sa.MetaData()

_LOWER_ID = string.digits + string.ascii_lowercase
_SECRET = string.digits + string.ascii_letters


def new_id(length: int = 21) -> str:
    """Return a Logto ID: 21 characters of ``[0-9a-z]``. Users, organizations and connectors have 12."""
    return "".join(secrets.choice(_LOWER_ID) for _ in range(length))


def new_secret() -> str:
    """Return a client secret or signing key: 32 characters of ``[0-9A-Za-z]``."""
    return "".join(secrets.choice(_SECRET) for _ in range(32))


def now_ms() -> int:
    """Return epoch milliseconds, the unit of every time in the Management API."""
    return time.time_ns() // 1_000_000


def json_column(name: str, default: str = "{}") -> sa.Column[object]:
    """Return a required column of JSON, by default an empty object."""
    return sa.Column(name, sa.JSON, nullable=False, server_default=default)


def reference(name: str, target: str, *, primary_key: bool = False, nullable: bool = False) -> sa.Column[str]:
    """Return a foreign key column. Rows are deleted together with the row they refer to."""
    return sa.Column(
        name,
        sa.String,
        sa.ForeignKey(target, ondelete="CASCADE"),
        primary_key=primary_key,
        nullable=nullable,
    )


class Store:
    """The open database. All work runs in ``async with store.begin() as connection``."""

    def __init__(self, path: Path) -> None:
        self._engine: AsyncEngine = create_async_engine(
            f"sqlite+aiosqlite:///{path}",
            connect_args={"timeout": 10},
            hide_parameters=True,  # hashes and addresses must not appear in logged errors
        )
        event.listen(self._engine.sync_engine, "connect", _set_pragmas)

    async def open(self) -> None:
        """Create or complete the file. Raises ``OutdatedSchema`` if it can't be completed."""
        async with self._engine.begin() as connection:
            await connection.run_sync(create_or_complete, metadata)

    async def close(self) -> None:
        await self._engine.dispose()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """Open one transaction. It commits at the end of the block and rolls back if the block raises."""
        async with self._engine.begin() as connection:
            yield connection


def _lower(value: object) -> object:
    """Lower-case each letter by itself, as PostgreSQL does for Logto. SQLite's function knows ASCII only."""
    if not isinstance(value, str):
        return value
    return "".join(small if len(small := char.lower()) == 1 else char for char in value)


def _set_pragmas(connection: object, _record: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]
    connection.create_function("lower", 1, _lower, deterministic=True)  # type: ignore[attr-defined]
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()
