"""Traces for OpenTelemetry: a span for each request, each call to Logto and each SQL statement.

A trace that a proxy began (``traceparent``, W3C Trace Context) is continued, and passed on to Logto. Log
lines of a request carry the trace's id. aiohttp's instrumentation is OpenTelemetry's own. Quart has none, and
that of SQLAlchemy does not support 2.1, so these two are here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from typing import Any, Final

import aiohttp
import structlog
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.aiohttp_client import create_trace_config
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from quart import Quart, Request, Response
from sqlalchemy.ext.asyncio import AsyncEngine

from saas_app.db.unit_of_work import UnitOfWork
from saas_app.telemetry.statements import watch_statements

_PROPAGATOR: Final = TraceContextTextMapPropagator()
_EXPORT_TIMEOUT: Final = 3.0  # seconds; a stopping worker waits that long for a collector that hangs

Event = MutableMapping[str, Any]
Asgi = Callable[..., Awaitable[None]]


class Tracing:
    """The traces of this process, sent to an OTLP collector."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        own = Resource({"service.name": "workroom"})
        self._provider = TracerProvider(resource=own.merge(OTELResourceDetector().detect()))
        self._tracer = self._provider.get_tracer("saas_app")

    def observe_requests(self, app: Quart) -> None:
        """Begin and end a span around each request."""
        app.asgi_app = TracedRequests(app.asgi_app, self._tracer)  # type: ignore[method-assign]

    def finish(self, request: Request, response: Response) -> None:
        """Name the request's span by its route template."""
        span, route = trace.get_current_span(), request.url_rule.rule if request.url_rule else "unknown"
        span.update_name(f"{request.method} {route}")
        span.set_attribute("http.route", route)
        span.set_attribute("http.response.status_code", response.status_code)
        if response.status_code >= 500:
            span.set_status(Status(StatusCode.ERROR))

    def trace_config(self) -> aiohttp.TraceConfig:
        """Return what adds a span and ``traceparent`` to each call to Logto. Queries are left out."""
        return create_trace_config(
            tracer_provider=self._provider, url_filter=lambda url: str(url.with_query(None))
        )

    @asynccontextmanager
    async def running(self, engine: AsyncEngine, _work: UnitOfWork) -> AsyncIterator[None]:
        """Send spans, watch statements, and add ids to log lines, while the application serves."""
        exporter = OTLPSpanExporter(f"{self._endpoint}/v1/traces", timeout=_EXPORT_TIMEOUT)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        watch_statements(engine, self._begin_statement, _end_statement)
        processors = structlog.get_config()["processors"]
        processors.insert(0, add_trace_ids)  # in place, because loggers keep this list
        try:
            yield
        finally:
            processors.remove(add_trace_ids)
            await asyncio.to_thread(self._provider.shutdown)

    def _begin_statement(self, sql: str) -> Span:
        name = sql.split(maxsplit=1)[0].upper()
        return self._tracer.start_span(name, kind=SpanKind.CLIENT, attributes={"db.query.text": sql})


class TracedRequests:
    """An ASGI application whose requests run in a span, which continues the trace that a proxy began."""

    def __init__(self, app: Asgi, tracer: Tracer) -> None:
        self._app = app
        self._tracer = tracer

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Run a request in its span. Anything else is passed on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        with self._tracer.start_as_current_span(
            scope["method"],
            context=_PROPAGATOR.extract(headers),
            kind=SpanKind.SERVER,
            attributes={"http.request.method": scope["method"], "url.path": scope["path"]},
        ):
            await self._app(scope, receive, send)


def add_trace_ids(_logger: Any, _method: str, event: Event) -> Event:
    """Add the ids of the trace and the span in which the event happens, if there is one."""
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = trace.format_trace_id(context.trace_id)
        event["span_id"] = trace.format_span_id(context.span_id)
    return event


def _end_statement(span: Span, _kind: str, succeeded: bool) -> None:
    if not succeeded:
        span.set_status(Status(StatusCode.ERROR))
    span.end()
