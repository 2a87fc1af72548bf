"""Workers are forks of the process that imported the application. It replaces and stops them."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import AsyncIterator, Collection
from pathlib import Path

import aiohttp
import pytest

from tests.databases import Database
from tests.processes import Application, Provider, running_application
from tests.remote import eventually

pytestmark = [
    pytest.mark.one_database,
    pytest.mark.skipif(sys.platform != "linux", reason="elsewhere, no worker is a fork"),
]


@pytest.fixture
async def served(provider: Provider, database: Database, tmp_path: Path) -> AsyncIterator[Application]:
    """The application with two workers. Its start has ended, so signals are handled."""
    with running_application(provider, database, tmp_path, workers=2) as application:
        await _two_workers(application)
        yield application


async def _two_workers(application: Application, *, without: Collection[int] = ()) -> None:
    async def are_there() -> bool:
        return len(_workers(application) - set(without)) == 2

    await eventually(are_there, "two workers")


def _workers(application: Application) -> set[int]:
    return {int(pid) for pid in _of(application.pid, f"task/{application.pid}/children").split()}


def _of(pid: int, file: str) -> str:
    return Path(f"/proc/{pid}/{file}").read_text()


async def _identify(application: Application) -> str:
    """Send a request on a connection of its own, and return the id that its worker gave it."""
    async with aiohttp.request("GET", f"{application.url}/healthz") as response:
        assert response.status == 200
        return response.headers["X-Request-Id"]


async def test_workers_are_forks(served: Application) -> None:
    workers = _workers(served)
    assert len(workers) == 2
    assert {_of(worker, "cmdline") for worker in workers} == {_of(served.pid, "cmdline")}


async def test_workers_do_not_share_random_numbers(served: Application) -> None:
    ids = [await _identify(served) for _ in range(200)]
    assert len({request_id[14:] for request_id in ids}) == len(ids)  # the rest is the time


async def test_a_worker_that_dies_is_replaced(served: Application) -> None:
    before = _workers(served)
    dead = min(before)
    os.kill(dead, signal.SIGKILL)

    await _two_workers(served, without={dead})
    assert before - {dead} <= _workers(served)
    await _identify(served)


async def test_sighup_replaces_all_workers(served: Application) -> None:
    before = _workers(served)
    os.kill(served.pid, signal.SIGHUP)

    await _two_workers(served, without=before)
    await _identify(served)


async def test_workers_end_with_their_parent(provider: Provider, database: Database, tmp_path: Path) -> None:
    with running_application(provider, database, tmp_path, workers=2) as application:
        await _two_workers(application)
        workers = _workers(application)

    for worker in workers:
        with pytest.raises(ProcessLookupError):
            os.kill(worker, 0)
