"""Forks the workers of Uvicorn's supervisor from a process that has imported the application.

Uvicorn starts an empty interpreter for each worker, and has no setting for anything else. A fork starts at
once and shares the memory of what was imported. Linux only: elsewhere, the system's libraries may not survive
a fork.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from multiprocessing.context import ForkProcess
from socket import socket
from typing import Any

from uvicorn.config import Config
from uvicorn.supervisors import multiprocess


class Worker(ForkProcess):
    """A worker that is a copy of its parent, but for the signal handlers."""

    def start(self) -> None:
        """Fork. A signal that arrives meanwhile waits until the worker has handlers of its own."""
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, multiprocess.SIGNALS)
        try:
            super().start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)

    def run(self) -> None:
        """Serve until a signal stops it. Before the server listens to signals, each ends the process."""
        for number in multiprocess.SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, multiprocess.SIGNALS)
        super().run()


def fork_workers() -> None:
    """Let Uvicorn's supervisor make :class:`Worker` processes from now on."""
    multiprocess.get_subprocess = _new_worker  # type: ignore[attr-defined, assignment]


def _new_worker(_config: Config, target: Callable[..., Any], sockets: list[socket]) -> Worker:
    return Worker(target=target, kwargs={"sockets": sockets})
