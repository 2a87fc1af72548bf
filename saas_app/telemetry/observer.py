"""What watches the application, and which of it the settings turn on."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol

import aiohttp
from quart import Quart, Request, Response
from sqlalchemy.ext.asyncio import AsyncEngine

from saas_app.config import Settings
from saas_app.db.unit_of_work import UnitOfWork


class Observer(Protocol):
    """Watches requests, calls to Logto and statements, through hooks of their libraries."""

    def observe_requests(self, app: Quart) -> None:
        """Watch the application's requests. Called before it serves."""

    def finish(self, request: Request, response: Response) -> None:
        """Note a response, as the last rule but the log line."""

    def trace_config(self) -> aiohttp.TraceConfig:
        """Return what watches the calls to Logto."""

    def running(self, engine: AsyncEngine, work: UnitOfWork) -> AbstractAsyncContextManager[None]:
        """Watch the database and report, while the application serves."""


def observers_of(settings: Settings) -> tuple[Observer, ...]:
    """Return what the settings turn on. Libraries of what is off are not imported."""
    observers: list[Observer] = []
    if settings.metrics_port is not None:
        from saas_app.telemetry.metrics import Metrics

        observers.append(Metrics(settings.metrics_host, settings.metrics_port))
    if settings.otlp_endpoint:
        from saas_app.telemetry.tracing import Tracing

        observers.append(Tracing(settings.otlp_endpoint))
    return tuple(observers)
