"""What ``/metrics`` shows after known requests."""

from __future__ import annotations

import asyncio
import itertools

import aiohttp
import pytest

from saas_app import signals
from saas_app.config import Rate, Settings
from saas_app.identity.membership_changes import note_change
from saas_app.rbac.permissions import Permission
from tests.conftest import OpenOffice, runtime_of
from tests.integration.faulty_logto import DOWN, Fault, Gate
from tests.integration.identity.logto_that_hangs import hanging_logto
from tests.integration.telemetry.conftest import Measured, OpenMeasured
from tests.remote import eventually

DECISIONS = "workroom_access_decisions_total"
REQUESTS = "workroom_request_seconds_count"
CALLS = "workroom_logto_call_seconds_count"
PROJECTS = "/o/<organization_id>/projects"


async def test_allowed_and_denied_requests_are_counted_by_permission(
    measured: Measured, open_office: OpenOffice
) -> None:
    office = await open_office(at=measured.app, viewer="Vera")

    await office.browser.get(f"{office.root}/projects")
    await office.browser.get(f"{office.root}/projects/new", 403)

    seen = await measured.scrape()
    assert seen.value(DECISIONS, permission=Permission.PROJECTS_READ, outcome="allowed") == 1
    assert seen.value(DECISIONS, permission=Permission.PROJECTS_WRITE, outcome="denied") == 1


async def test_a_stranger_is_counted_as_not_a_member(measured: Measured, open_office: OpenOffice) -> None:
    office = await open_office(at=measured.app, viewer="Vera")

    await office.browser.get("/o/another-one/projects", 404)

    assert (await measured.scrape()).value(DECISIONS, outcome="not a member") == 1


async def test_requests_are_counted_by_route_template(measured: Measured, open_office: OpenOffice) -> None:
    office = await open_office(at=measured.app, viewer="Vera")

    await office.browser.get(f"{office.root}/projects")
    await office.browser.get(f"{office.root}/projects")

    assert (await measured.scrape()).value(REQUESTS, route=PROJECTS, method="GET", status="2xx") == 2


async def test_unknown_paths_and_methods_are_one_label_each(measured: Measured) -> None:
    client = measured.app.test_client()

    for path in ("/no/such/page", "/another", "/o", "/o/x/y/z"):
        await client.open(path, method="BREW")
        await client.get(path)

    seen = await measured.scrape()
    assert seen.labels("route") == {"unknown", "/o"}
    assert seen.labels("method") == {"GET", "other"}


async def test_no_label_contains_an_id_or_a_token(measured: Measured, open_office: OpenOffice) -> None:
    office = await open_office(at=measured.app, admin="Ada")
    await office.browser.get(f"{office.root}/members")
    await office.browser.get(f"{office.root}/projects/{office.person.id}", 404)

    text = " ".join((await measured.scrape()).labels())

    secrets = (office.id, office.person.id, office.person.username, office.browser.session_cookie)
    assert [secret for secret in secrets if secret in text] == []


async def test_a_refresh_that_two_requests_share_is_counted_once(
    open_measured: OpenMeasured, open_office: OpenOffice, settings: Settings
) -> None:
    async with hanging_logto(settings.logto_endpoint) as gate:
        measured = await open_measured(logto_endpoint=gate.url)
        office = await open_office(at=measured.app, viewer="Vera")
        await office.browser.get(f"{office.root}/projects")
        await note_change(runtime_of(measured.app).work, office.id, office.person.id)
        before = await measured.scrape()

        async def is_shared() -> bool:
            return (await measured.scrape()).value("workroom_refreshes_shared_total") > 0

        await gate.hang("/oidc/token")

        pages = [asyncio.create_task(office.browser.get(f"{office.root}/projects")) for _ in range(2)]
        await gate.wait_until_asked("/oidc/token")
        await eventually(is_shared, "a request that waits")
        await gate.hang()
        await asyncio.gather(*pages)

    after = await measured.scrape()
    assert after.value("workroom_refreshes_shared_total", by="request") == 1
    changed = {"reason": "changed"}
    assert after.value("workroom_token_misses_total", **changed) == 2
    calls = {"kind": "API token", "result": "ok"}
    assert after.value(CALLS, **calls) - before.value(CALLS, **calls) == 1


async def test_an_outage_of_logto_is_counted(
    gate: Gate, open_measured: OpenMeasured, open_office: OpenOffice, settings: Settings
) -> None:
    assert settings.management is not None
    management = settings.management.model_copy(update={"endpoint": gate.url})
    measured = await open_measured(management=management)
    office = await open_office(at=measured.app, admin="Ada")
    await office.browser.get(f"{office.root}/members")
    gate.fail(Fault("GET", "^/api/", **DOWN))

    await office.browser.get(f"{office.root}/members", 503)

    seen = await measured.scrape()
    assert seen.value(CALLS, kind="management", result="ok") > 0
    assert seen.value(CALLS, kind="management", result="unavailable") > 0


async def test_a_call_that_hangs_is_counted_as_a_timeout(
    open_measured: OpenMeasured, open_office: OpenOffice, settings: Settings
) -> None:
    async with hanging_logto(settings.logto_endpoint) as gate:
        measured = await open_measured(logto_endpoint=gate.url, logto_timeout=0.5)
        office = await open_office(at=measured.app, viewer="Vera")
        await gate.hang("/oidc/token")

        await office.browser.get(f"{office.root}/projects", 503)

        assert (await measured.scrape()).value(CALLS, result="timeout") == 1


async def test_a_request_beyond_a_limit_is_counted_by_the_name_of_the_limit(
    open_measured: OpenMeasured,
) -> None:
    measured = await open_measured(rate_limit_address=Rate(1, 60))
    client = measured.app.test_client()

    answers = [await client.get("/api/v1/me", headers={"Authorization": "Bearer x"}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [401, 429]
    assert (await measured.scrape()).value("workroom_limits_reached_total", limit="address") == 1


async def test_statements_the_pool_and_jobs_are_shown(measured: Measured, open_office: OpenOffice) -> None:
    await open_office(at=measured.app, viewer="Vera")

    seen = await measured.scrape()
    assert seen.value("workroom_sql_seconds_count", kind="read") > 0
    assert seen.value("workroom_sql_seconds_count", kind="write") > 0
    assert seen.value("workroom_pool_limit") == 20
    assert seen.value("workroom_removal_runs_total", result="ok") == 1
    assert seen.value("workroom_workers") == 1


async def test_roles_that_end_are_counted_by_what_became_of_them(measured: Measured) -> None:
    for result in ("taken away", "failed", "failed"):
        signals.role_ended.send(result=result, late=3.0)

    seen = await measured.scrape()
    assert seen.value("workroom_role_end_seconds_count", result="taken away") == 1
    assert seen.value("workroom_role_end_seconds_sum", result="failed") == 6


@pytest.mark.one_database
async def test_metrics_are_not_served_by_the_application(measured: Measured) -> None:
    assert (await measured.app.test_client().get("/metrics")).status_code == 404


@pytest.mark.one_database
async def test_nothing_but_metrics_is_served_at_their_port(measured: Measured) -> None:
    async with aiohttp.request("GET", f"http://127.0.0.1:{measured.port}/healthz") as response:
        assert response.status == 404


_MEDIA = ("application/openmetrics-text", "text/plain", "*/*", "", "\u00e9\u20ac", ";;=,,")
_VERSIONS = (
    *("", ";version=1.0.0", "; version=9.9", ";version=", ";version=x.y", ";version=1.0.0.beta"),
    *(";version=-1", ";version=1;version=a", f";version={'9' * 5000}"),
)
_PARAMETERS = ("", ";q=abc", ";q=-1;escaping=nothing", ";escaping=dots, text/plain;version=0.0.4", "," * 3000)


@pytest.mark.parametrize("media", _MEDIA)
async def test_metrics_are_served_whatever_the_request_accepts(measured: Measured, media: str) -> None:
    statuses = {}
    for version, parameters in itertools.product(_VERSIONS, _PARAMETERS):
        accept = f"{media}{version}{parameters}"
        statuses[accept] = await _status_of(measured.port, accept)

    assert {accept: status for accept, status in statuses.items() if status != 200} == {}


async def _status_of(port: int, accept: str) -> int:
    """Send a header as it is, which a client library would check, and return the status."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAccept: {accept}\r\n\r\n"
    writer.write(head.encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return int(answer.split(b" ", 2)[1])
