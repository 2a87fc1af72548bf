"""A circuit breaker: while Logto is down, calls are answered at once instead of waiting for it.

Pure of HTTP. What counts as a failure is decided by who uses it (:mod:`.transport`).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import structlog

from saas_app.errors import LogtoUnavailable

log = structlog.get_logger(__name__)


class Circuit:
    """Opens after ``threshold`` failures in a row, for ``pause`` seconds; then one call at a time probes.

    Belongs to one event loop. ``clock`` gives seconds that never go back.
    """

    def __init__(self, *, threshold: int, pause: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._threshold = threshold
        self._pause = pause
        self._clock = clock
        self._failures = 0
        self._opened_at: float | None = None
        self._is_probing = False

    @property
    def is_open(self) -> bool:
        """Whether Logto is being left alone, or probed."""
        return self._opened_at is not None

    def enter(self) -> None:
        """Ask to make a call. Raises :class:`LogtoUnavailable`, with when to come back, while it is open."""
        if self._opened_at is None:
            return
        remaining = self._opened_at + self._pause - self._clock()
        if remaining > 0 or self._is_probing:
            raise LogtoUnavailable(
                "Logto failed to respond several times in a row.", retry_after=max(1, math.ceil(remaining))
            )
        self._is_probing = True

    def succeeded(self) -> None:
        """Logto answered, be it with a refusal."""
        if self._opened_at is not None:
            log.info("logto answers again")
        self._failures, self._opened_at, self._is_probing = 0, None, False

    def failed(self) -> None:
        """Logto failed or did not answer."""
        self._failures += 1
        if self._is_probing or (self._opened_at is None and self._failures >= self._threshold):
            log.error("logto is not asked for a while", failures=self._failures, seconds=self._pause)
            self._opened_at = self._clock()
        self._is_probing = False

    def abandoned(self) -> None:
        """A call ended without telling anything of Logto, as when who asked went away."""
        self._is_probing = False
