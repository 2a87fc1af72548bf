"""Receives what happens in the application, and counts it for Prometheus."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from typing import Any, Final, cast

import aiohttp
from blinker import Signal
from prometheus_client import CollectorRegistry
from quart import Quart, Request, Response, g
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import QueuePool

from saas_app import signals
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.telemetry.exposition import exposed, serving
from saas_app.telemetry.instruments import Instruments
from saas_app.telemetry.logto_calls import reporting
from saas_app.telemetry.statements import watch_statements

_INTERVAL: Final = 1.0  # seconds between two looks at the pool and the writers
_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})


class Metrics:
    """The metrics of this process, served at ``/metrics`` on an address of their own."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._registry = CollectorRegistry()
        self._instruments = Instruments(self._registry)

    def observe_requests(self, app: Quart) -> None:
        """Do nothing: :meth:`finish` sees every response."""

    def finish(self, request: Request, response: Response) -> None:
        """Count a response by its route template, so that unknown paths are one route."""
        route = request.url_rule.rule if request.url_rule else "unknown"
        method = request.method if request.method in _METHODS else "other"
        status = f"{response.status_code // 100}xx"
        took = time.perf_counter() - g.started
        self._instruments.requests.labels(route, method, status).observe(took)

    def trace_config(self) -> aiohttp.TraceConfig:
        """Return what counts the calls to Logto."""
        return reporting(
            lambda kind, result, took: self._instruments.logto_calls.labels(kind, result).observe(took)
        )

    @asynccontextmanager
    async def running(self, engine: AsyncEngine, work: UnitOfWork) -> AsyncIterator[None]:
        """Count and serve while the application serves."""
        watch_statements(engine, lambda _sql: time.perf_counter(), self._note_statement)
        self._instruments.begin_serving()
        sampling = asyncio.create_task(self._sample(engine, work))
        with ExitStack() as receiving:
            for signal, receive in self._receivers():
                receiving.enter_context(signal.connected_to(receive))
            try:
                async with serving(exposed(self._registry), self._host, self._port):
                    yield
            finally:
                sampling.cancel()
                await asyncio.gather(sampling, return_exceptions=True)

    def _receivers(self) -> tuple[tuple[Signal, Callable[..., None]], ...]:
        counters = self._instruments
        return (
            (signals.access_decided, _counting(counters.decisions)),
            (signals.token_missed, _counting(counters.token_misses)),
            (signals.refresh_shared, _counting(counters.refreshes_shared)),
            (signals.limit_reached, _counting(counters.limits_reached)),
            (signals.removal_ended, _counting(counters.removal_runs)),
            (signals.role_ended, self._note_role_end),
        )

    def _note_role_end(self, _sender: object, result: str, late: float) -> None:
        self._instruments.role_ends.labels(result).observe(late)

    def _note_statement(self, began: float, kind: str, _succeeded: bool) -> None:
        self._instruments.statements.labels(kind).observe(time.perf_counter() - began)

    async def _sample(self, engine: AsyncEngine, work: UnitOfWork) -> None:
        """Read what has a level rather than a count."""
        pool = cast("QueuePool", engine.pool)
        while True:
            self._instruments.pool_in_use.set(pool.checkedout())
            self._instruments.pool_overflow.set(max(0, pool.overflow()))
            self._instruments.writers_waiting.set(work.writers_waiting)
            await asyncio.sleep(_INTERVAL)


def _counting(counter: Any) -> Callable[..., None]:
    """Return a receiver that counts a signal by the labels that it carries."""

    def receive(_sender: object, **labels: str) -> None:
        counter.labels(**labels).inc()

    return receive
