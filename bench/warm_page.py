"""Counts the SQL statements and the calls to Logto of a warm ``GET /o/<id>/projects``.

Run it with ``python -m bench.warm_page``. It starts the provider and the application.
"""

from __future__ import annotations

import asyncio
import os

from sqlalchemy import event
from sqlalchemy.engine import Engine

from bench.site import running_site
from saas_app.app import create_app
from saas_app.config import ManagementSettings, load_settings
from saas_app.identity.logto_client import LogtoCore
from saas_app.logto import connect
from tests.clients import Browser
from tests.factories import Factory


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


async def measure(management: ManagementSettings) -> None:
    """Print the numbers."""
    async with connect(management) as client:
        statements, calls = await count(Factory(client))
    print(f"warm GET /o/<id>/projects: {statements} SQL statements, {calls} calls to Logto")  # noqa: T201


def main() -> None:
    """Start everything, count, stop everything."""
    with running_site() as site:
        os.environ.update(site.environment)
        asyncio.run(measure(site.management))


if __name__ == "__main__":
    main()
