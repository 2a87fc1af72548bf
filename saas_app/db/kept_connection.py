"""The connection that a request keeps between two statements that read.

A request reads who is calling, and then its view reads. These are two sessions, but the second continues on
the connection of the first; on PostgreSQL, both are one transaction. A request releases the connection before
it opens a session that cannot continue on it, and before it calls Logto. So it holds no connection while it
waits for another one, or for Logto, however slow that is.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final, Self

import sqlalchemy as sa
from sqlalchemy.util import greenlet_spawn

from saas_app.db.shielding import shielded
from saas_app.db.transactions import Transactions


class KeptConnection:
    """The place where a request keeps a connection: an ``async with`` block. It is empty in a statement."""

    def __init__(self) -> None:
        self._connection: sa.Connection | None = None
        self._transactions: Transactions | None = None
        self._has_ended = False

    async def __aenter__(self) -> Self:
        self._token = _kept.set(self)
        return self

    async def __aexit__(self, *_error: object) -> None:
        _kept.reset(self._token)
        self._has_ended = True  # tasks that the request began may outlive it
        await self.release()

    def take(self, engine: sa.Engine, transactions: Transactions) -> sa.Connection | None:
        """Take the connection out, if a session with these transactions may continue on it."""
        connection = self._connection
        if connection is None or connection.engine is not engine:
            return None
        if self._transactions is None or not self._transactions.include(transactions):
            return None
        self._connection = None
        return connection

    def put(self, connection: sa.Connection, transactions: Transactions) -> bool:
        """Keep a connection. Returns False if there is one already, or if the request has ended."""
        if self._has_ended or self._connection is not None:
            return False
        self._connection, self._transactions = connection, transactions
        return True

    async def release(self) -> None:
        """Return the connection to the pool, which ends its transaction."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await shielded(greenlet_spawn(connection.close))


_kept: Final[ContextVar[KeptConnection | None]] = ContextVar("kept_connection", default=None)


def kept_connection() -> KeptConnection | None:
    """Return where the request in whose context this runs keeps a connection, or None."""
    return _kept.get()


async def release_kept() -> None:
    """Return the kept connection to the pool, if there is one, because the request waits for something."""
    kept = _kept.get()
    if kept is not None:
        await kept.release()


def keep_none() -> None:
    """Keep no connection in this task, because it does not belong to the request that began it."""
    _kept.set(None)
