"""One attempt at Logto for all who wait for the same thing: its result is shared, and so is its failure.

An attempt is a task of its own. Callers who lose patience or go away do not end it, so that a rotated refresh
token is never lost on the way. After a failure that took long, nobody tries again for a while.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import structlog

from saas_app.errors import LogtoUnavailable

log = structlog.get_logger(__name__)

Result = TypeVar("Result")

REST: Final = 0.25  # a failure that took four seconds is followed by a pause of one
_LONG: Final = 1.0  # seconds; a failure that comes sooner holds nobody up
_LONGEST_PAUSE: Final = 2.0  # seconds
_SECONDS_TO_FINISH: Final = 2.0  # what running attempts get when the application stops


def pause_after(took: float, rest: float = REST) -> float:
    """Return how many seconds not to try again after a failure that ``took`` so many; 0 if it was quick."""
    return min(_LONGEST_PAUSE, took * rest) if took >= _LONG else 0.0


@dataclass(frozen=True, slots=True)
class _Failure:
    detail: str
    until: float


class SharedAttempts:
    """Attempts by key. ``rest``: how long the pause after a failure is, as a share of the attempt's time."""

    def __init__(self, *, rest: float = REST) -> None:
        self._rest = rest
        self._running: dict[Hashable, asyncio.Task[Any]] = {}
        self._failures: dict[Hashable, _Failure] = {}

    async def join(
        self, key: Hashable, attempt: Callable[[], Awaitable[Result]], *, patience: float | None = None
    ) -> Result:
        """Wait for the running attempt of this key, or begin one; ``patience`` in seconds bounds the wait.

        Raises what the attempt raises, and :class:`LogtoUnavailable` when it takes long or has just failed.
        """
        task = self._running.get(key)
        if task is None:
            self.raise_if_paused(key)
            task = self._running[key] = asyncio.create_task(self._run(key, attempt))
            task.add_done_callback(_retrieve)
        done, _waiting = await asyncio.wait({task}, timeout=patience)
        if not done:
            raise LogtoUnavailable("Logto did not respond in time.")
        try:
            result: Result = task.result()
        except LogtoUnavailable as failure:
            raise LogtoUnavailable(failure.detail, retry_after=failure.retry_after or 1) from None
        except asyncio.CancelledError:
            raise LogtoUnavailable("Workroom is shutting down.") from None
        return result

    def raise_if_paused(self, key: Hashable) -> None:
        """Raise :class:`LogtoUnavailable` while the last failure of this key is too recent to try again."""
        failure = self._failures.get(key)
        if failure is None:
            return
        remaining = failure.until - time.monotonic()
        if remaining > 0:
            raise LogtoUnavailable(failure.detail, retry_after=max(1, math.ceil(remaining)))
        del self._failures[key]

    def pause(self, key: Hashable, failure: LogtoUnavailable, took: float) -> None:
        """Reject attempts of this key for a while, after one that failed and took ``took`` seconds."""
        now, seconds = time.monotonic(), pause_after(took, self._rest)
        self._failures = {kept: noted for kept, noted in self._failures.items() if noted.until > now}
        if seconds > 0:
            self._failures[key] = _Failure(failure.detail, now + seconds)

    async def close(self) -> None:
        """Let running attempts finish for a moment, then end them."""
        tasks = set(self._running.values())
        if not tasks:
            return
        _done, late = await asyncio.wait(tasks, timeout=_SECONDS_TO_FINISH)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _run(self, key: Hashable, attempt: Callable[[], Awaitable[Result]]) -> Result:
        began = time.monotonic()
        try:
            return await attempt()
        except LogtoUnavailable as failure:
            self.pause(key, failure, time.monotonic() - began)
            raise
        finally:
            del self._running[key]


def _retrieve(task: asyncio.Task[Any]) -> None:
    """Nobody may be left who waits for the outcome: a failure is then seen by whoever tries next."""
    if not task.cancelled():
        task.exception()
