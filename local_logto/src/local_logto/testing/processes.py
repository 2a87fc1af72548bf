"""Programs under test: started on a free port, awaited, and stopped."""

from __future__ import annotations

import contextlib
import http.client
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

START_DEADLINE: Final = 90.0  # seconds until a program must answer
_STOP_DEADLINE: Final = 15.0


def free_port() -> int:
    """Return a TCP port of this machine on which nothing listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def running(
    command: list[str], environment: Mapping[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program until the block ends. Its output goes to ``log``."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(timeout=_STOP_DEADLINE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_for(url: str, status: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return once ``url`` answers with ``status``.

    Raises :class:`TimeoutError` with the end of the program's output if the program ends, or doesn't answer
    within ``START_DEADLINE``.
    """
    parts = urlsplit(url)
    deadline = time.monotonic() + START_DEADLINE
    while time.monotonic() < deadline and process.poll() is None:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
        try:
            connection.request("GET", parts.path or "/")
            if connection.getresponse().status == status:
                return
        except OSError:
            pass  # not listening yet
        finally:
            connection.close()
        time.sleep(0.05)
    raise TimeoutError(f"{url} did not answer {status}; the program said:\n{log.read_text()[-2000:]}")
