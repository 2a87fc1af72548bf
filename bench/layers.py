"""Shows in which layers a warm request spends its CPU time, and the price of limits, log line and headers.

Run it with ``python -m bench.layers list page``, on SQLite, or on PostgreSQL if ``TEST_DATABASE_URL`` names a
server.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from local_logto.testing.processes import free_port, running, wait_for

from bench.client import Client, Request, running_client
from bench.cpu import cpu_seconds
from bench.furnished import furnish
from bench.rounds import CONNECTIONS
from bench.site import running_site
from bench.subjects import SUBJECTS
from bench.table import as_table

_WARM_UP: Final = 100  # requests
_REQUESTS: Final = 1500
_PATIENCE: Final = 10.0  # seconds for the file with the samples


def sample(client: Client, pid: int, request: Request, file: Path) -> tuple[float, Mapping[str, Any]]:
    """Send a request many times. Return the CPU milliseconds of one, and the samples."""
    client.send(request, _WARM_UP, CONNECTIONS, lambda: 0.0)
    os.kill(pid, signal.SIGUSR1)
    report = client.send(request, _REQUESTS, CONNECTIONS, partial(cpu_seconds, pid))
    os.kill(pid, signal.SIGUSR2)
    deadline = time.monotonic() + _PATIENCE
    while not file.exists():
        if time.monotonic() > deadline:
            raise TimeoutError("the server wrote no samples")
        time.sleep(0.05)
    found: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    file.unlink()
    return report.used * 1000 / _REQUESTS, found


def table(title: str, milliseconds: float, samples: Mapping[str, Any]) -> str:
    """Return a table of the layers, the largest first, and below it the concerns."""
    total = sum(samples["layers"].values())
    rows = [
        [name, f"{count / total:.0%}", f"{count / total * milliseconds:.2f}"]
        for part in ("layers", "concerns")
        for name, count in sorted(samples[part].items(), key=lambda item: -item[1])
    ]
    every = len(samples["layers"])
    rows[every:] = [[f"*{name}, with all it calls*", *numbers] for name, *numbers in rows[every:]]
    return as_table([f"{title}: {milliseconds:.2f} ms", "share", "CPU ms"], rows)


def measure(keys: Sequence[str]) -> None:
    """Print a table for each subject."""
    with (
        running_site(server=os.environ.get("TEST_DATABASE_URL")) as site,
        tempfile.TemporaryDirectory() as name,
        running_client() as client,
    ):
        requests, port, directory = asyncio.run(furnish(site)), free_port(), Path(name)
        file, log = directory / "samples.json", directory / "server.log"
        command = [sys.executable, "-m", "bench.sampled_server", str(file), "serve"]
        address = ["--env-file", str(site.env_file), "--port", str(port)]
        with running([*command, *address], {**os.environ, **site.settings}, log) as server:
            wait_for(f"http://localhost:{port}/healthz", 200, server, log)
            for subject in (subject for subject in SUBJECTS if subject.key in keys):
                request = requests[subject.key].at(f"http://localhost:{port}")
                print(table(subject.title, *sample(client, server.pid, request, file)), "\n")  # noqa: T201


if __name__ == "__main__":
    measure(sys.argv[1:] or ["list", "page"])
