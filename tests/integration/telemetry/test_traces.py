"""A trace that a proxy began is continued: in our spans, in calls to Logto and in log lines."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
import structlog
from quart import Quart

from saas_app.config import Settings
from tests.conftest import OpenApp, OpenOffice
from tests.integration.faulty_logto import Gate
from tests.integration.telemetry.conftest import Collector
from tests.offices import Office
from tests.remote import eventually

pytestmark = pytest.mark.one_database

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
HEADERS = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}


@pytest.fixture
async def traced_app(collector: Collector, gate: Gate, settings: Settings, open_app: OpenApp) -> Quart:
    """A worker with traces that reaches the Management API through ``gate``."""
    assert settings.management is not None
    management = settings.management.model_copy(update={"endpoint": gate.url})
    return await open_app(management=management, otlp_endpoint=collector.url)


@pytest.fixture
async def acme(traced_app: Quart, open_office: OpenOffice, gate: Gate) -> Office:
    """An organization with an admin, at ``traced_app``. ``gate`` forgets the calls of the sign-in."""
    office = await open_office(at=traced_app, admin="Ada")
    gate.traces.clear()
    return office


@pytest.fixture
def lines(traced_app: Quart) -> Iterator[list[dict[str, Any]]]:
    """The events that are logged, with what all processors but the renderer add to them."""
    kept: list[dict[str, Any]] = []

    def keep(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        kept.append(dict(event))
        return event

    processors = structlog.get_config()["processors"]
    processors.insert(-1, keep)
    yield kept
    processors.remove(keep)


async def test_a_trace_is_continued_to_logto(acme: Office, gate: Gate) -> None:
    await acme.browser.get(f"{acme.root}/members", headers=HEADERS)

    assert gate.traces
    assert {trace.split("-")[1] for trace in gate.traces} == {TRACE}
    assert HEADERS["traceparent"] not in gate.traces  # each call has a span of its own


async def test_log_lines_carry_the_trace_beside_the_request_id(
    acme: Office, lines: list[dict[str, Any]]
) -> None:
    answer = await acme.browser.get(f"{acme.root}/projects", headers=HEADERS)

    (line,) = [line for line in lines if line["event"] == "request"]
    assert line["trace_id"] == TRACE
    assert len(line["span_id"]) == 16
    assert line["request_id"] == answer.headers["X-Request-Id"]


async def test_a_request_without_a_trace_begins_one(acme: Office, lines: list[dict[str, Any]]) -> None:
    await acme.browser.get(f"{acme.root}/projects")
    await acme.browser.get(f"{acme.root}/projects")

    ids = [line["trace_id"] for line in lines if line["event"] == "request"]
    assert len(set(ids)) == 2


async def test_spans_are_exported_with_names_by_route_and_without_queries(
    acme: Office, traced_app: Quart, collector: Collector
) -> None:
    await acme.browser.get(f"{acme.root}/members?q=findme", headers=HEADERS)

    async def is_exported() -> bool:
        return any(span.name == "GET /o/<organization_id>/members" for span in collector.spans)

    await eventually(is_exported, "the request's span")
    mine = [span for span in collector.spans if span.trace_id.hex() == TRACE]
    assert {"SELECT", "GET"} <= {span.name for span in mine}
    assert "findme" not in str(mine)


async def test_without_the_setting_there_is_no_trace(
    gate: Gate, faulty_app: Quart, open_office: OpenOffice
) -> None:
    office = await open_office(at=faulty_app, admin="Ada")

    await office.browser.get(f"{office.root}/members", headers=HEADERS)

    assert set(gate.traces) == {""}
