"""The connection that a request keeps between two statements that read.

A request reads who is calling, and then its view reads. These are several sessions, but they use one
connection, one after the other. On PostgreSQL they share a transaction if the later ones see no other rows.
A request that waits for something else, such as Logto, returns the connection first and keeps no other. So
no request holds a connection while it waits.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final, NamedTuple, Self

import sqlalchemy as sa
from sqlalchemy.util import greenlet_spawn

from saas_app.db.shielding import shielded
from saas_app.db.transactions import Transactions


class Kept(NamedTuple):
    """A connection, and the transactions with which its current one was begun."""

    connection: sa.Connection
    transactions: Transactions


class KeptConnection:
    """The place where a request keeps a connection: an ``async with`` block. It is empty in a statement."""

    def __init__(self) -> None:
        self._kept: Kept | None = None
        self._running = 0  # statements of the request
        self._has_ended = False

    async def __aenter__(self) -> Self:
        self._token = _current.set(self)
        return self

    async def __aexit__(self, *_error: object) -> None:
        _current.reset(self._token)
        await self.end()  # tasks that the request began may outlive it

    async def take(self, engine: sa.Engine) -> Kept | None:
        """Take the connection out for a statement, if there is one. Call :meth:`put` after the statement."""
        if self._kept is not None and self._kept.connection.engine is not engine:
            await self.end()
        self._running += 1
        kept, self._kept = self._kept, None
        return kept

    def put(self, kept: Kept | None) -> bool:
        """Keep the connection of a statement, if it is still usable. Returns False if it is not kept.

        While another statement of the request runs, none is kept, because that one may wait for a connection.
        """
        self._running -= 1
        if kept is None or self._running or self._has_ended:
            return False
        self._kept = kept
        return True

    async def end(self) -> None:
        """Return the connection to the pool, which ends its transaction, and keep no other."""
        self._has_ended = True
        kept, self._kept = self._kept, None
        if kept is not None:
            await shielded(greenlet_spawn(kept.connection.close))


_current: Final[ContextVar[KeptConnection | None]] = ContextVar("kept_connection", default=None)


def kept_connection() -> KeptConnection | None:
    """Return where the request in whose context this runs keeps a connection, or None."""
    return _current.get()


async def release_kept() -> None:
    """Keep no connection for the rest of the request, because it waits for something."""
    kept = _current.get()
    if kept is not None:
        await kept.end()
