"""Workers with metrics or traces."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from quart import Quart

from tests.conftest import OpenApp
from tests.processes import free_port
from tests.scraping import Scrape, scrape


@dataclass(frozen=True, slots=True)
class Measured:
    """A worker with metrics."""

    app: Quart
    port: int

    async def scrape(self) -> Scrape:
        """Read its metrics."""
        return await scrape(self.port)


OpenMeasured = Callable[..., Awaitable[Measured]]


@pytest.fixture
def open_measured(open_app: OpenApp) -> OpenMeasured:
    """``await open_measured(logto_timeout=1.0)``: a worker with metrics, and with other settings."""

    async def open_one(**changes: Any) -> Measured:
        port = free_port()
        return Measured(await open_app(metrics_port=port, **changes), port)

    return open_one


@pytest.fixture
async def measured(open_measured: OpenMeasured) -> Measured:
    """A worker with metrics."""
    return await open_measured()


@dataclass
class Collector:
    """An OTLP collector that keeps the spans it receives."""

    url: str = ""
    spans: list[Any] = field(default_factory=list)

    async def receive(self, request: web.Request) -> web.Response:
        """Keep the spans of one export."""
        sent = ExportTraceServiceRequest.FromString(await request.read())
        self.spans += [
            span for resource in sent.resource_spans for scope in resource.scope_spans for span in scope.spans
        ]
        return web.Response(body=b"", content_type="application/x-protobuf")


@asynccontextmanager
async def running_collector() -> AsyncIterator[Collector]:
    """Run a collector on a free port."""
    collector, server = Collector(), web.Application()
    server.router.add_post("/v1/traces", collector.receive)
    runner = web.AppRunner(server)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    collector.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield collector
    await runner.cleanup()


@pytest.fixture
async def collector(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Collector]:
    """A collector for traces, to which workers send them ten times a second."""
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
    async with running_collector() as running:
        yield running
