"""Metrics of an application as ``saas-app serve`` runs it: several workers, and none of it by default."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.databases import Database
from tests.processes import Application, Provider, free_port, running_application
from tests.remote import eventually
from tests.scraping import scrape

pytestmark = [
    pytest.mark.one_database,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, and elsewhere no worker is a fork"),
]

REQUESTS = "workroom_request_seconds_count"
_LISTENING = "0A"  # a state in /proc/net/tcp


def _workers(application: Application) -> set[int]:
    children = Path(f"/proc/{application.pid}/task/{application.pid}/children").read_text()
    return {int(pid) for pid in children.split()}


def _listening(pid: int) -> set[int]:
    """Return the TCP ports at which a process listens."""
    files = [_target(file) for file in Path(f"/proc/{pid}/fd").iterdir()]
    sockets = {file.removeprefix("socket:[").rstrip("]") for file in files if file.startswith("socket:")}
    rows = [line.split() for name in ("tcp", "tcp6") for line in _table(name)]
    return {int(row[1].rpartition(":")[2], 16) for row in rows if row[3] == _LISTENING and row[9] in sockets}


def _target(file: Path) -> str:
    try:
        return str(file.readlink())
    except FileNotFoundError:  # closed meanwhile
        return ""


def _table(name: str) -> list[str]:
    file = Path(f"/proc/net/{name}")
    return file.read_text().splitlines()[1:] if file.exists() else []


async def _answer(application: Application, path: str) -> int:
    """Send a request on a connection of its own, and return its status."""
    async with aiohttp.request("GET", f"{application.url}{path}") as response:
        return response.status


@pytest.fixture
async def metrics_port() -> int:
    return free_port()


@pytest.fixture
async def served(
    provider: Provider, database: Database, tmp_path: Path, metrics_port: int
) -> AsyncIterator[Application]:
    """The application with two workers that both serve."""
    with running_application(
        provider, database, tmp_path, workers=2, METRICS_PORT=str(metrics_port)
    ) as application:
        await _two_live(metrics_port)
        yield application


async def _two_live(port: int) -> None:
    async def are_there() -> bool:
        return (await scrape(port)).value("workroom_workers") == 2

    await eventually(are_there, "two workers in the metrics")


async def test_a_scrape_shows_the_sum_over_all_workers(served: Application, metrics_port: int) -> None:
    before = (await scrape(metrics_port)).value(REQUESTS, route="unknown")

    statuses = {await _answer(served, "/no/such/page") for _ in range(40)}

    counts = {(await scrape(metrics_port)).value(REQUESTS, route="unknown") - before for _ in range(8)}
    assert (statuses, counts) == ({404}, {40.0})


async def test_levels_of_a_dead_worker_go_and_its_counts_stay(served: Application, metrics_port: int) -> None:
    for _ in range(20):
        await _answer(served, "/no/such/page")
    dead = min(_workers(served))
    os.kill(dead, signal.SIGKILL)

    async def is_replaced() -> bool:
        alive = _workers(served)
        return dead not in alive and [metrics_port in _listening(pid) for pid in alive] == [True, True]

    await eventually(is_replaced, "a new worker that serves metrics")

    seen = await scrape(metrics_port)
    assert seen.value("workroom_workers") == 2
    assert seen.value("workroom_pool_limit") == 2 * 20
    assert seen.value(REQUESTS, route="unknown") == 20


async def test_without_a_port_for_metrics_only_the_application_listens(
    provider: Provider, database: Database, tmp_path: Path
) -> None:
    with running_application(provider, database, tmp_path) as application:
        assert _listening(application.pid) == {int(application.url.rpartition(":")[2])}


def test_libraries_of_what_is_off_are_not_imported(tmp_path: Path) -> None:
    program = (
        "import sys, saas_app.app, saas_app.operations.server; "
        "print([name for name in sys.modules if name.startswith(('prometheus_client', 'opentelemetry'))])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
