"""Measures a warm ``GET /o/<id>/projects`` and the API's list: SQL statements, milliseconds, requests/s.

Run it with ``python -m bench.warm_page``. It starts the provider and the application.
"""

from __future__ import annotations

import asyncio
import statistics
import time

import aiohttp
from sqlalchemy import event
from sqlalchemy.engine import Engine

from bench.site import running_site
from saas_app.app import create_app
from saas_app.config import ManagementSettings, load_settings
from saas_app.identity.logto_client import LogtoCore
from saas_app.logto import ManagementClient
from tests.clients import Browser, sign_in_over_http
from tests.factories import Factory
from tests.tokens import machine_token

CONNECTIONS = 32
SECONDS = 5.0
PROJECTS = 20


async def signed_in(app_url: str, factory: Factory) -> tuple[aiohttp.ClientSession, str]:
    """Return a signed-in HTTP session with the application, and an organization with projects."""
    person = await factory.person("Bench")
    organization_id = await factory.organization("Bench", editor=person)
    http, _callback = await sign_in_over_http(app_url, person)
    page, ours = f"{app_url}/o/{organization_id}/projects", {"Origin": app_url}
    for number in range(PROJECTS):
        form = {"name": f"Project {number}", "description": ""}
        async with http.post(f"{page}/new", data=form, headers=ours, allow_redirects=False) as made:
            assert made.status == 303, made.status
    return http, organization_id


async def as_machine(factory: Factory, organization_id: str) -> aiohttp.ClientSession:
    """Return an HTTP session with the token of a machine in the organization."""
    machine = await factory.machine(organization_id)
    token = await machine_token(load_settings(), machine, organization_id)
    return aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"})


async def load(http: aiohttp.ClientSession, page: str) -> list[float]:
    """Send requests from ``CONNECTIONS`` clients for ``SECONDS``. Return the milliseconds of each."""
    end = time.perf_counter() + SECONDS
    times: list[float] = []

    async def client() -> None:
        while (started := time.perf_counter()) < end:
            async with http.get(page) as response:
                await response.read()
                assert response.status == 200, response.status
            times.append((time.perf_counter() - started) * 1000)

    await asyncio.gather(*(client() for _ in range(CONNECTIONS)))
    return times


async def count(factory: Factory) -> tuple[int, int]:
    """Count the SQL statements and calls to Logto of one warm page, in an application in this process."""
    settings = load_settings()
    statements: list[str] = []
    calls: list[str] = []
    fetch = LogtoCore.fetch_token

    async def counting(self: LogtoCore, form: dict[str, str]) -> object:
        calls.append(form["grant_type"])
        return await fetch(self, form)

    event.listen(Engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    LogtoCore.fetch_token = counting  # type: ignore[method-assign, assignment]
    app = create_app(settings)
    person = await factory.person("Count")
    organization_id = await factory.organization("Count", editor=person)
    async with app.test_app(), Browser(app, settings.redirect_uri) as browser:
        await browser.sign_in(person)
        await browser.post(f"/o/{organization_id}/projects/new", {"name": "One", "description": ""})
        await browser.get(f"/o/{organization_id}/projects")
        statements.clear()
        calls.clear()
        await browser.get(f"/o/{organization_id}/projects")
    LogtoCore.fetch_token = fetch  # type: ignore[method-assign]
    return len(statements), len(calls)


async def measure(app_url: str, management: ManagementSettings) -> None:
    """Print the numbers."""
    async with aiohttp.ClientSession() as session:
        factory = Factory(ManagementClient(management, session))
        statements, calls = await count(factory)
        http, organization_id = await signed_in(app_url, factory)
        async with http:
            page = sorted(await load(http, f"{app_url}/o/{organization_id}/projects"))
        async with await as_machine(factory, organization_id) as program:
            api = f"{app_url}/api/v1/organizations/{organization_id}/projects?limit={PROJECTS}"
            listed = sorted(await load(program, api))
    print(f"warm GET /o/<id>/projects: {statements} SQL statements, {calls} calls to Logto")  # noqa: T201
    print(f"{CONNECTIONS} connections, {PROJECTS} rows, one worker")  # noqa: T201
    for what, times in (("page", page), ("API, bearer token", listed)):
        print(  # noqa: T201
            f"{what}: {len(times) / SECONDS:.0f} requests/s, median {statistics.median(times):.0f} ms, "
            f"99th percentile {times[int(len(times) * 0.99)]:.0f} ms"
        )


def main() -> None:
    """Start everything, measure, stop everything."""
    limits = ("CLIENT", "USER", "ORGANIZATION", "ADDRESS")
    with running_site(**{f"RATE_LIMIT_{what}": "1000000/minute" for what in limits}) as site:
        asyncio.run(measure(site.url, site.management))


if __name__ == "__main__":
    main()
