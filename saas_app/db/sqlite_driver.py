"""aiosqlite with one hop to the connection's thread per statement.

aiosqlite makes a hop for each step: it opens a cursor, executes, fetches and closes. Each hop wakes a thread
and the event loop, which costs more than most statements do. Here the thread takes all steps at once.

A connection is in SQLite's autocommit mode. A transaction begins with a ``BEGIN`` of our own, see
:mod:`saas_app.db.writers`.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Final, Self

import aiosqlite

_CHUNK: Final = 64  # rows that aiosqlite's own iteration fetches at once; unused here


async def connect(path: str) -> SqliteConnection:
    """Open a database file. For the argument ``async_creator`` of SQLAlchemy's engine."""
    connection = SqliteConnection(partial(sqlite3.connect, path, isolation_level=None), _CHUNK)
    connection._thread.daemon = True
    await connection
    return connection


class SqliteConnection(aiosqlite.Connection):
    """A connection whose cursors need one hop per statement. It ends only transactions that are open."""

    _is_unsettled = False

    def cursor(self) -> SqliteCursor:  # type: ignore[override]
        """Return a cursor, without a hop."""
        return SqliteCursor(self)

    async def commit(self) -> None:
        """Commit the transaction, if one is open."""
        if self.in_transaction:
            await super().commit()

    async def rollback(self) -> None:
        """Roll the transaction back, if one is open or may be opened by a call that was canceled."""
        if self._is_unsettled or self.in_transaction:
            await super().rollback()
            self._is_unsettled = False

    async def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Run a function in the connection's thread, and return its result."""
        return await self._execute(function, *arguments)

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        try:
            return await super()._execute(fn, *args, **kwargs)  # type: ignore[no-untyped-call]
        except asyncio.CancelledError:
            self._is_unsettled = True  # the thread may be running it still
            raise


class SqliteCursor:
    """A cursor that has fetched all rows of its statement when :meth:`execute` returns."""

    description: Any = None
    rowcount = -1
    lastrowid: int | None = None
    arraysize = 1

    def __init__(self, connection: SqliteConnection) -> None:
        self._connection = connection
        self._rows: list[Any] = []

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, sql: str, parameters: Iterable[Any] = ()) -> Self:
        """Execute a statement and fetch its rows."""
        await self._connection.run(self._run, sqlite3.Cursor.execute, sql, parameters)
        return self

    async def executemany(self, sql: str, parameters: Iterable[Sequence[Any]]) -> Self:
        """Execute a statement once for each of these parameters."""
        await self._connection.run(self._run, sqlite3.Cursor.executemany, sql, parameters)
        return self

    async def fetchall(self) -> list[Any]:
        """Return the rows that :meth:`execute` fetched."""
        return self._rows

    async def close(self) -> None:
        """Do nothing, because the thread has closed the real cursor already."""

    def _run(self, execute: Callable[..., Any], sql: str, parameters: Iterable[Any]) -> None:
        """Take all steps, in the connection's thread."""
        cursor = self._connection._conn.cursor()
        try:
            execute(cursor, sql, parameters)
            self.description = cursor.description
            self._rows = cursor.fetchall() if cursor.description else []
            self.rowcount, self.lastrowid = cursor.rowcount, cursor.lastrowid
        finally:
            cursor.close()
