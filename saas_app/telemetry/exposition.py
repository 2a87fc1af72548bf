"""Serves ``/metrics`` on an address of its own, for this process or for all workers together.

Several workers write their numbers to files in one folder (prometheus_client's multiprocess mode). Each of
them listens at the address, and the one that the system chooses answers with the sum over all. So there is
no process that could fail alone, and no thread in the process that forks.
"""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from aiohttp import web
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from saas_app.telemetry.shared_folder import find_folder

_LEVELS_OF: Final = re.compile(r"gauge_live[a-z]*_(\d+)\.db")


class SumOfWorkers(Collector):
    """The metrics of all workers: counts of those that have ended too, levels only of those that live."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = MultiProcessCollector(None, str(folder))  # type: ignore[no-untyped-call]

    def collect(self) -> Iterable[Metric]:
        """Return the sums."""
        for file in self._folder.iterdir():
            found = _LEVELS_OF.fullmatch(file.name)
            if found and not _lives(int(found[1])):
                with suppress(FileNotFoundError):  # another worker was faster
                    mark_process_dead(int(found[1]), str(self._folder))  # type: ignore[no-untyped-call]
        sums: Iterable[Metric] = self._files.collect()  # type: ignore[no-untyped-call]
        return sums


def exposed(own: CollectorRegistry) -> CollectorRegistry:
    """Return what to serve: the metrics of all workers if there are several, else those of this process."""
    folder = find_folder()
    if folder is None:
        return own
    registry = CollectorRegistry(auto_describe=False)
    registry.register(SumOfWorkers(folder))
    return registry


@asynccontextmanager
async def serving(registry: CollectorRegistry, host: str, port: int) -> AsyncIterator[None]:
    """Serve the metrics during the block. Nothing else is served there, and nobody is asked who they are.

    They are in Prometheus' text format, whatever the request accepts: every scraper reads it.
    """

    async def expose(_request: web.Request) -> web.Response:
        headers = {"Content-Type": CONTENT_TYPE_PLAIN_0_0_4}
        response = web.Response(body=generate_latest(registry), headers=headers)
        response.enable_compression()
        return response

    application = web.Application()
    application.router.add_get("/metrics", expose)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, reuse_port=find_folder() is not None).start()
        yield
    finally:
        await runner.cleanup()


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
