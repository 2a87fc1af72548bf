"""Runs the twins of Workroom, as Workroom runs: in Uvicorn with uvloop and httptools."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path

from local_logto.testing.processes import free_port, running, wait_for

from bench.checkouts import ROOT
from bench.rounds import Server
from bench.service import resident_mb
from bench.subjects import requests_to_twin

_OPTIONS = (
    "--loop", "uvloop", "--http", "httptools", "--ws", "none", "--no-access-log", "--log-level", "warning",
    "--no-server-header",
)  # fmt: skip


def installed(names: Sequence[str]) -> list[str]:
    """Return the twins whose framework is installed. ``make bench`` installs all of them."""
    return [name for name in names if find_spec(name) is not None]


@contextmanager
def running_twins(names: Sequence[str], database_url: str, directory: Path) -> Iterator[list[Server]]:
    """Fill the empty database, and run the twins until the block ends."""
    environment = {**os.environ, "TWIN_DATABASE_URL": database_url, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-m", "bench.twins.database"], env=environment, check=True)
    with ExitStack() as stack:
        servers = []
        for name in names:
            port, log = free_port(), directory / f"{name}.log"
            serve = [sys.executable, "-m", "uvicorn", f"bench.twins.{name}_twin:app", "--port", str(port)]
            process = stack.enter_context(running([*serve, *_OPTIONS], environment, log))
            url = f"http://127.0.0.1:{port}"
            wait_for(f"{url}/no-such-page", 404, process, log)
            requests = requests_to_twin(name, url)
            servers.append(Server(name, process.pid, requests, resident_mb(process.pid)))
        yield servers
