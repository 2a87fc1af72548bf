"""A server that drains before it stops. Linux only."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from uvicorn import Config, Server

from saas_app.http_server import begin_draining

DRAIN: Final = signal.SIGUSR1
"""What the parent of several workers sends to each of them when all are to stop."""


class DrainingServer(Server):
    """A server that goes on for ``drain_seconds`` after it was told to stop.

    The server of a single process drains on SIGTERM. That of a worker drains on :data:`DRAIN`, because
    SIGTERM also ends a worker whose replacement is serving. A second signal ends the drain.
    """

    def __init__(self, config: Config, drain_seconds: float) -> None:
        super().__init__(config)
        self._drain_seconds = drain_seconds
        self._drains_on = DRAIN if config.workers > 1 else signal.SIGTERM
        self._stop_at = math.inf  # by time.monotonic()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to drain, or stop."""
        if sig != self._drains_on or not self.started or self._stop_at < math.inf:
            super().handle_exit(sig, frame)
            return
        self._stop_at = time.monotonic() + self._drain_seconds
        begin_draining(self.lifespan.state)

    async def on_tick(self, counter: int) -> bool:
        """Return whether to stop now. Uvicorn asks ten times a second."""
        self.should_exit = self.should_exit or time.monotonic() >= self._stop_at
        return await super().on_tick(counter)

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Handle :data:`DRAIN` like the signals that Uvicorn handles."""
        with super().capture_signals():
            before = signal.signal(DRAIN, self.handle_exit)
            try:
                yield
            finally:
                signal.signal(DRAIN, before)
