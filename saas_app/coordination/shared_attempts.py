"""One call to Logto for all requests that wait for the same thing: they share its result or its failure.

An attempt runs in its own task. If a caller stops waiting, the attempt continues, so that a rotated refresh
token is never lost. After a slow failure, further attempts fail at once for a while.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import structlog

from saas_app.db.kept_connection import release_kept
from saas_app.errors import LogtoUnavailable
from saas_app.text.translation import Sentence, _

log = structlog.get_logger(__name__)

Result = TypeVar("Result")

REST: Final = 0.25  # after a failure that took four seconds, the pause is one second
_LONG: Final = 1.0  # seconds; a faster failure causes no pause
_LONGEST_PAUSE: Final = 2.0  # seconds
_SECONDS_TO_FINISH: Final = 2.0  # for running attempts when the application stops


def pause_after(took: float, rest: float = REST) -> float:
    """Return how many seconds to pause after a failure that took ``took`` seconds: 0 for a quick one."""
    return min(_LONGEST_PAUSE, took * rest) if took >= _LONG else 0.0


@dataclass(frozen=True, slots=True)
class _Failure:
    detail: Sentence
    until: float


class SharedAttempts:
    """Attempts by key. ``rest`` is the pause after a failure, as a fraction of the attempt's duration."""

    def __init__(self, *, rest: float = REST) -> None:
        self._rest = rest
        self._running: dict[Hashable, asyncio.Task[Any]] = {}
        self._failures: dict[Hashable, _Failure] = {}

    async def join(
        self, key: Hashable, attempt: Callable[[], Awaitable[Result]], *, patience: float | None = None
    ) -> Result:
        """Wait for the running attempt of this key, or start one. ``patience`` is how many seconds to wait.

        Raises what the attempt raises, and :class:`LogtoUnavailable` if it takes longer, or during a pause.
        """
        task = self._running.get(key)
        if task is None:
            self.raise_if_paused(key)
            task = self._running[key] = asyncio.create_task(self._run(key, attempt))
            task.add_done_callback(_retrieve)
        await release_kept()  # requests that wait leave the database to others
        done, _waiting = await asyncio.wait({task}, timeout=patience)
        if not done:
            raise LogtoUnavailable(_("Logto did not respond in time."))
        try:
            result: Result = task.result()
        except LogtoUnavailable as failure:
            raise LogtoUnavailable(failure.detail, retry_after=failure.retry_after or 1) from None
        except asyncio.CancelledError:
            raise LogtoUnavailable(_("Workroom is shutting down.")) from None
        return result

    def is_running(self, key: Hashable) -> bool:
        """Return whether there is an attempt of this key to join."""
        return key in self._running

    def raise_if_paused(self, key: Hashable) -> None:
        """Raise :class:`LogtoUnavailable` during the pause after a failure of this key."""
        failure = self._failures.get(key)
        if failure is None:
            return
        remaining = failure.until - time.monotonic()
        if remaining > 0:
            raise LogtoUnavailable(failure.detail, retry_after=max(1, math.ceil(remaining)))
        del self._failures[key]

    def pause(self, key: Hashable, failure: LogtoUnavailable, took: float) -> None:
        """Start the pause after a failed attempt of this key that took ``took`` seconds."""
        now, seconds = time.monotonic(), pause_after(took, self._rest)
        self._failures = {kept: noted for kept, noted in self._failures.items() if noted.until > now}
        if seconds > 0:
            self._failures[key] = _Failure(failure.detail, now + seconds)

    async def close(self) -> None:
        """Give running attempts a moment to finish, then cancel them."""
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
    """Mark a failure as handled, because all callers may have stopped waiting."""
    if not task.cancelled():
        task.exception()
