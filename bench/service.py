"""What a server costs beside its requests: many writers at a time, its start, and its memory."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from local_logto.testing.processes import free_port, running, wait_for

from bench.checkouts import Checkout
from bench.client import Client
from bench.cpu import cpu_seconds_with_ended_children, members_of, memory_of
from bench.rounds import CONNECTIONS, Numbers, Server, percentile
from bench.site import Site

WRITERS: Final = 16
_TASKS: Final = 320  # requests of all writers together, in a round
_READ: Final = ("list", "page")  # what fills a server's memory
_REPEATS: Final = 3
_PAUSE: Final = 0.5  # seconds between two looks at a server that starts
_QUIET: Final = 0.02  # CPU seconds in a pause, at most, if it has started


def resident_mb(pid: int) -> float:
    """Return the resident memory of a server with one process, in MB."""
    return round(memory_of(pid).resident, 1)


def measure_writers(client: Client, servers: Sequence[Server]) -> dict[str, Numbers]:
    """Create tasks over ``WRITERS`` connections at a time. Return the times of responses, by server."""
    times: dict[str, list[float]] = {server.name: [] for server in servers}
    for _ in range(_REPEATS):
        for server in servers:
            report = client.send(server.requests["task"], _TASKS, WRITERS, lambda: 0.0)
            times[server.name] += report.times
    return {
        name: {"p50_ms": round(percentile(found, 50), 1), "p99_ms": round(percentile(found, 99), 1)}
        for name, found in times.items()
    }


def measure_memory(client: Client, servers: Sequence[Server], count: int) -> dict[str, Numbers]:
    """Return each server's resident memory in MB: at the start, now, and after ``count`` more requests."""
    found = {}
    for server in servers:
        warm = resident_mb(server.pid)
        read = [server.requests[key] for key in _READ if key in server.requests]
        for request in read:
            client.send(request, count // len(read), CONNECTIONS, lambda: 0.0)
        later = resident_mb(server.pid)
        found[server.name] = {
            "started_mb": server.started_mb,
            "warm_mb": warm,
            "later_mb": later,
            "requests": count,
        }
    return found


def measure_start(sites: Sequence[tuple[Checkout, Site]]) -> dict[str, Numbers]:
    """Start each checkout's server again several times, in turn, beside the one that runs.

    Return the CPU seconds until one worker answers, and until two workers have started, and what two take
    together with their supervisor, in MB. Memory that they share is counted once.
    """
    alone: dict[str, list[float]] = {checkout.name: [] for checkout, _ in sites}
    pair: dict[str, list[tuple[float, float]]] = {checkout.name: [] for checkout, _ in sites}
    for _ in range(_REPEATS):
        for checkout, site in sites:
            alone[checkout.name].append(_start(checkout, site, workers=1)[0])
            pair[checkout.name].append(_start(checkout, site, workers=2))
    return {
        name: {
            "serve_cpu_s": round(statistics.median(alone[name]), 2),
            "two_workers_cpu_s": round(statistics.median(cpu for cpu, _ in pair[name]), 2),
            "two_workers_mb": round(statistics.median(memory for _, memory in pair[name]), 1),
        }
        for name in alone
    }


def _start(checkout: Checkout, site: Site, workers: int) -> tuple[float, float]:
    """Run ``saas-app serve`` until it has started. Return its CPU seconds, and its memory in MB."""
    port = free_port()
    command = [
        checkout.python, "-m", "saas_app", "serve", "--env-file", str(site.env_file),
        "--port", str(port), "--workers", str(workers),
    ]  # fmt: skip
    environment: Mapping[str, str] = {**os.environ, **checkout.environment, "CONNECTORS_FILE": ""}
    with tempfile.TemporaryDirectory() as name:
        log = Path(name) / "serve.log"
        with running(command, environment, log) as process:
            wait_for(f"http://localhost:{port}/healthz", 200, process, log)
            if workers > 1:  # the first answers while the others start
                _wait_until_quiet(process.pid)
            used = cpu_seconds_with_ended_children(process.pid)
            return used, sum(memory_of(member).proportional for member in members_of(process.pid))


def _wait_until_quiet(pid: int) -> None:
    """Return once a server uses hardly any CPU time any more."""
    before, now = 0.0, cpu_seconds_with_ended_children(pid)
    while now - before > _QUIET:
        time.sleep(_PAUSE)
        before, now = now, cpu_seconds_with_ended_children(pid)
