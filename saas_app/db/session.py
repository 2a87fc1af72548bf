"""Sessions that stay usable when a request is canceled, and that convert temporary failures."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncSession

from saas_app.db.failures import explained, is_disconnected, is_locked
from saas_app.db.shielding import shielded
from saas_app.db.writers import Writers

log = structlog.get_logger(__name__)

_PAUSE: Final = 0.05  # seconds before a read is tried again
_FAILURES: Final = (DBAPIError, PoolTimeout, OSError)

Call = Callable[[], Awaitable[Any]]


class ShieldedSession(AsyncSession):
    """A session whose calls end before a cancellation takes effect, so that it can always be closed.

    Raises :class:`saas_app.errors.DatabaseBusy` and :class:`saas_app.errors.DatabaseUnavailable` for
    temporary failures.
    """

    async def execute(self, statement: Any, *arguments: Any, **named: Any) -> Any:
        changes = bool(getattr(statement, "is_dml", False))
        return await self._run(partial(super().execute, statement, *arguments, **named), changes=changes)

    async def scalar(self, statement: Any, *arguments: Any, **named: Any) -> Any:
        changes = bool(getattr(statement, "is_dml", False))
        return await self._run(partial(super().scalar, statement, *arguments, **named), changes=changes)

    async def get(self, *arguments: Any, **named: Any) -> Any:
        return await self._run(partial(super().get, *arguments, **named))

    async def get_one(self, *arguments: Any, **named: Any) -> Any:
        return await self._run(partial(super().get_one, *arguments, **named))

    async def flush(self, *arguments: Any, **named: Any) -> None:
        await self._run(partial(super().flush, *arguments, **named), changes=True)

    async def _run(self, call: Call, *, changes: bool = False) -> Any:
        return await shielded(self._explained(call))

    async def _explained(self, call: Call) -> Any:
        """Make the call, and convert temporary failures to our own errors."""
        try:
            return await call()
        except _FAILURES as failure:
            if (error := explained(failure)) is None:
                raise
            log.warning("the database could not answer", why=error.detail, cause=_on_one_line(failure))
            raise error from failure


class ReadingSession(ShieldedSession):
    """A session that only reads, each statement by itself. It tries again if there is no connection."""

    patience: float

    async def _run(self, call: Call, *, changes: bool = False) -> Any:
        return await shielded(self._explained(partial(self._retried, call)))

    async def _retried(self, call: Call) -> Any:
        clock, was_disconnected = asyncio.get_running_loop(), False
        deadline = clock.time() + self.patience
        while True:
            try:
                return await call()
            except DBAPIError as failure:
                if is_locked(failure):
                    if clock.time() + _PAUSE > deadline:
                        raise
                elif is_disconnected(failure) and not was_disconnected:
                    was_disconnected = True
                else:
                    raise
            await super().rollback()
            await asyncio.sleep(_PAUSE)


class WritingSession(ShieldedSession):
    """A session of one transaction, which begins with its first change, when it is this writer's turn."""

    writers: Writers
    patience: float
    _has_seat = False
    _has_turn = False

    async def commit(self) -> None:
        changes = bool(self.new or self.dirty or self.deleted)
        await self._run(super().commit, changes=changes)
        self._leave()

    async def rollback(self) -> None:
        await shielded(super().rollback())
        self._leave()

    async def close(self) -> None:
        try:
            await super().close()
        finally:
            self._leave()

    async def _run(self, call: Call, *, changes: bool = False) -> Any:
        await self._enter(changes=changes)
        return await shielded(self._explained(call))

    async def _enter(self, *, changes: bool) -> None:
        if self._has_seat and (self._has_turn or not changes):
            return
        deadline = asyncio.get_running_loop().time() + self.patience
        if not self._has_seat:
            await self.writers.acquire_slot(deadline)
            self._has_seat = True
        if changes and self.writers.one_at_a_time:
            await self.writers.begin_alone(self, deadline)
            self._has_turn = True

    def _leave(self) -> None:
        if self._has_turn:
            self._has_turn = False
            self.writers.end_turn()
        if self._has_seat:
            self._has_seat = False
            self.writers.release_slot()


def _on_one_line(failure: Exception) -> str:
    """Return the cause on one line. A stack trace would add nothing, and under load there are many."""
    return " ".join(f"{type(failure).__name__}: {failure}".split())[:300]
