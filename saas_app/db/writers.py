"""Turns to write. The number of waiting writers is limited, so that connections remain for readers.

SQLite has one writer. Writers wait here, where a wait can be canceled and holds no lock, rather than inside
SQLite: a transaction begins with ``BEGIN IMMEDIATE``, which takes the lock or fails at once.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any, Final

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from saas_app.db.engine import MAX_OVERFLOW, POOL_SIZE
from saas_app.db.failures import is_locked
from saas_app.db.shielding import shielded
from saas_app.errors import DatabaseBusy
from saas_app.text.translation import _

log = structlog.get_logger(__name__)

PATIENCE: Final = 5.0
"""Seconds a write waits for its turn; after that, the response is 503 with ``Retry-After``."""

_SLOTS: Final = (POOL_SIZE + MAX_OVERFLOW) * 3 // 5
_FIRST_PAUSE, _LONGEST_PAUSE = 0.01, 0.1  # seconds between two tries to take SQLite's lock


class Writers:
    """The writers of one engine in this process."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._slots = asyncio.Semaphore(_SLOTS)
        self._turn = asyncio.Lock()
        self.waiting = 0
        """How many writers wait for a slot or for their turn."""
        self.one_at_a_time = engine.dialect.name == "sqlite"

    async def acquire_slot(self, deadline: float) -> None:
        """Wait until this writer may hold a connection. Raises :class:`DatabaseBusy`."""
        await self._before(deadline, self._slots.acquire)

    def release_slot(self) -> None:
        """Let the next writer hold the connection that :meth:`acquire_slot` gave this one."""
        self._slots.release()

    async def begin_alone(self, connection: sa.Connection, deadline: float) -> None:
        """Begin the connection's transaction as SQLite's only writer. Raises :class:`DatabaseBusy`."""
        await self._before(deadline, self._turn.acquire)
        try:
            await _begin_immediately(connection, deadline)
        except BaseException:
            self._turn.release()
            raise

    def end_turn(self) -> None:
        """Let the next writer begin, because the transaction has ended."""
        self._turn.release()

    async def _before(self, deadline: float, acquire: Callable[[], Awaitable[bool]]) -> None:
        self.waiting += 1
        try:
            async with asyncio.timeout_at(deadline):
                await acquire()
        except TimeoutError:
            raise DatabaseBusy(_("Too many changes are waiting for the database.")) from None
        finally:
            self.waiting -= 1


async def _begin_immediately(connection: sa.Connection, deadline: float) -> None:
    """Take SQLite's lock, and try again while another process holds it."""
    clock, pause = asyncio.get_running_loop(), _FIRST_PAUSE
    while True:
        try:
            await shielded(_begin(connection))
        except sqlite3.OperationalError as refusal:
            if not is_locked(refusal):
                raise
            if clock.time() + pause > deadline:
                log.warning("another program keeps the database locked")
                raise DatabaseBusy(_("Another program is writing to the database.")) from None
        else:
            return
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)


async def _begin(connection: sa.Connection) -> None:
    """Begin on the driver's connection. SQLAlchemy would log and wrap the failure expected here."""
    driver: Any = connection.connection.driver_connection
    if not driver.in_transaction:
        await driver.cursor().execute("BEGIN IMMEDIATE")
