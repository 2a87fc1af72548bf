"""Workers: forks of a process that has imported the application. Linux only.

Uvicorn starts an empty interpreter for each worker, and has no setting for anything else. A fork starts at
once and shares the memory of what was imported. Elsewhere, the system's libraries may not survive a fork.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from multiprocessing.context import ForkProcess
from socket import socket
from typing import Any

from uvicorn.config import STARTUP_FAILURE, Config
from uvicorn.supervisors import multiprocess

from saas_app.operations.draining import DRAIN, DrainingServer


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


class Supervisor(multiprocess.Multiprocess):
    """The parent of the workers: it replaces those that die. On SIGTERM all drain, then it stops."""

    def __init__(self, config: Config, sockets: list[socket], drain_seconds: float) -> None:
        super().__init__(config, sockets)
        self._ends_workers_by = signal.SIGTERM
        multiprocess.get_subprocess = _new_worker  # type: ignore[attr-defined, assignment]
        server = partial(DrainingServer, drain_seconds=drain_seconds)
        multiprocess.Server = server  # type: ignore[attr-defined, assignment]

    def handle_term(self) -> None:
        """Stop, after the workers have drained."""
        self._ends_workers_by = DRAIN
        super().handle_term()

    def terminate_all(self) -> None:
        """Tell the workers to stop, and leave the listener to them: it closes when the last of them does."""
        for worker in self.processes:
            if worker.pid is not None and worker.exitcode is None:
                os.kill(worker.pid, self._ends_workers_by)
        for listener in self.sockets:
            listener.close()


def serve(config: Config, drain_seconds: float) -> None:
    """Run one server in this process, or several workers, until a signal stops them.

    On SIGTERM they drain first, for ``drain_seconds``. Exits if the application cannot start.
    """
    with suppress(KeyboardInterrupt):
        if config.workers > 1:
            Supervisor(config, [config.bind_socket()], drain_seconds).run()
            return
        server = DrainingServer(config, drain_seconds)
        server.run()
        if not server.started:
            sys.exit(STARTUP_FAILURE)


def _new_worker(_config: Config, target: Callable[..., Any], sockets: list[socket]) -> Worker:
    return Worker(target=target, kwargs={"sockets": sockets})
