"""A circuit breaker: while Logto is down, calls fail at once instead of waiting for it.

Independent of HTTP: :mod:`.transport` decides what counts as a failure.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import structlog

from saas_app.errors import LogtoUnavailable
from saas_app.text.translation import _

log = structlog.get_logger(__name__)


class Circuit:
    """Opens for ``pause`` seconds after ``threshold`` failures in a row. Then one call at a time is a probe.

    Belongs to one event loop. ``clock`` returns seconds and never goes back.
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
        """Whether Logto counts as down. It may be probed at the moment."""
        return self._opened_at is not None

    def enter(self) -> None:
        """Ask to make a call. While open, raises :class:`LogtoUnavailable` with a ``retry_after``."""
        if self._opened_at is None:
            return
        remaining = self._opened_at + self._pause - self._clock()
        if remaining > 0 or self._is_probing:
            raise LogtoUnavailable(
                _("Logto failed to respond several times in a row."), retry_after=max(1, math.ceil(remaining))
            )
        self._is_probing = True

    def succeeded(self) -> None:
        """Record that Logto responded. A refusal counts as a response."""
        if self._opened_at is not None:
            log.info("logto responds again")
        self._failures, self._opened_at, self._is_probing = 0, None, False

    def failed(self) -> None:
        """Record that Logto failed or did not respond."""
        self._failures += 1
        if self._is_probing or (self._opened_at is None and self._failures >= self._threshold):
            log.error("logto is down; calls are paused", failures=self._failures, seconds=self._pause)
            self._opened_at = self._clock()
        self._is_probing = False

    def abandoned(self) -> None:
        """Record that a call ended early, for example because its caller was canceled."""
        self._is_probing = False
