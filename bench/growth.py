"""Measures the time in the database of pages of a small organization and of a large one, on PostgreSQL.

``python -m bench.growth`` loads 100,000 organizations, one of them with 100,000 projects and 1,000,000
entries in its audit log, which takes some minutes. It prints a table for docs/performance.md.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any, Final

import asyncpg
import click
import sqlalchemy as sa
from cryptography.fernet import Fernet
from pydantic import SecretStr

from saas_app.app import create_app
from saas_app.config import Settings
from saas_app.logto import connect
from saas_app.operations.provisioning import Deployment, apply, plan, survey
from tests.clients import Browser, Person
from tests.databases import empty_database_at, migrate
from tests.factories import Factory
from tests.processes import Provider, running_provider
from tests.scale import Size, Statement, explain_on_postgresql, indexes, load, touches_tenants, walk
from tests.settings import management_settings

_SIZE: Final = Size(projects=100_000, tasks_per_project=4, events=1_000_000, actors=5_000, others=100_000)
_POSTGRESQL: Final = "postgresql+asyncpg://postgres@127.0.0.1/postgres"
_APP_URL: Final = "http://localhost:3000"
_RUNS: Final = 5
_SLOW_TO_FILL: Final = ("ix_audit_events_search", "ix_project_names_search")

REQUESTS: Final[dict[str, str]] = {
    "overview": "/",
    "projects": "/projects",
    "projects, newest first": "/projects?sort=created",
    "projects, by name": "/projects?sort=name",
    "projects, search, common": "/projects?q=website",
    "projects, search, rare": "/projects?q=budget+777",
    "projects, search, no match": "/projects?q=zebra",
    "projects, search, two letters": "/projects?q=zq",
    "projects, export, first part": "/projects/export.csv",
    "audit log": "/audit",
    "who, common": "/audit?actor=importer",
    "who, rare": "/audit?actor=Lovelace+77",
    "who, no match": "/audit?actor=zebra",
    "who, network address": "/audit?actor=10.3.0.203",
    "to whom, common": "/audit?target=website",
    "to whom, rare": "/audit?target=budget+777",
    "to whom, no match": "/audit?target=zebra",
    "to whom, two letters": "/audit?target=zq",
    "who and to whom": "/audit?actor=importer&target=zebra",
    "action, no match": "/audit?action=project.delete",
    "outcome": "/audit?outcome=denied",
    "action and outcome": "/audit?action=task.create&outcome=denied",
    "actor and action": "/audit?actor_id=importer&action=task.update",
    "export, no match": "/audit/export.csv?target=zebra",
}


@click.command()
@click.option("--postgresql", envvar="TEST_DATABASE_URL", default=_POSTGRESQL, show_default=True)
def main(postgresql: str) -> None:
    """Load a large organization among many, and print what its pages cost in the database."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        with (
            running_provider(directory / "provider") as provider,
            empty_database_at(postgresql, directory) as url,
        ):
            migrate(url)
            click.echo(asyncio.run(_measure(url, provider)))


async def _measure(url: str, provider: Provider) -> str:
    settings = await _provisioned(url, provider)
    connection = await asyncpg.connect(
        sa.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    )
    async with connect(management_settings(provider)) as management:
        make = Factory(management)
        admin = await make.person("Ada")
        small, large = [await make.organization(name, admin=admin) for name in ("Small", "Large")]
    await _load(connection, small, large)
    noted = [await _walk(settings, admin, organization_id) for organization_id in (small, large)]
    await connection.execute("SET max_parallel_workers_per_gather = 0")
    rows = [
        _line(label, [await _cost(connection, statements[label]) for statements in noted])
        for label in REQUESTS
    ]
    await connection.close()
    head = (
        "| request | statements | small, ms | large, ms | indexes of the large one |\n|---|---|---|---|---|"
    )
    return "\n".join([head, *rows])


async def _provisioned(url: str, provider: Provider) -> Settings:
    deployment = Deployment(app_url=_APP_URL, api_resource="https://api.workroom.example")
    async with connect(management_settings(provider)) as management:
        found = await survey(management, deployment)
        application = await apply(management, deployment, found, plan(deployment, found))
    return Settings(
        app_url=_APP_URL,
        database_url=url,
        encryption_keys=(SecretStr(Fernet.generate_key().decode()),),
        logto_endpoint=provider.endpoint,
        logto_app_id=application.app_id,
        logto_app_secret=SecretStr(application.app_secret),
        webhook_signing_key=SecretStr(application.webhook_signing_key),
        api_resource=deployment.api_resource,
        management=management_settings(provider),
    )


async def _load(connection: asyncpg.Connection, small: str, large: str) -> None:
    """Load the rows without the indexes that are slow to fill row by row, then build these."""
    query = "SELECT indexdef FROM pg_indexes WHERE indexname = $1"
    definitions = [await connection.fetchval(query, name) for name in _SLOW_TO_FILL]
    await connection.execute(f"DROP INDEX {', '.join(_SLOW_TO_FILL)}")
    await load(connection, large, _SIZE, small=small)
    for definition in definitions:
        await connection.execute(definition)
    await connection.execute("VACUUM ANALYZE")


async def _walk(settings: Settings, admin: Person, organization_id: str) -> dict[str, list[Statement]]:
    """Return the statements of each request that read tables of organizations."""
    app = create_app(settings)
    found = {}
    async with app.test_app(), Browser(app, settings.redirect_uri) as browser:
        await browser.sign_in(admin)

        async def get(path: str) -> None:
            response = await browser.app.get(f"/o/{organization_id}{path}")
            assert response.status_code == 200, path
            await response.get_data()

        for label, path in REQUESTS.items():
            await get(path)
            noted = [one for one in await walk([path], get) if touches_tenants(one)]
            found[label] = noted[:5] if "part" in label else noted
    return found


async def _cost(connection: asyncpg.Connection, statements: list[Statement]) -> dict[str, Any]:
    """Return the milliseconds of all statements, with the slower of both plans, and the names of indexes."""
    total, names = 0.0, set()
    for one in statements:
        plans = []
        for generic in (False, True):
            runs = [await explain_on_postgresql(connection, one, generic=generic) for _ in range(_RUNS)]
            plans.append(min(runs, key=lambda run: run["Execution Time"]))
        slower = max(plans, key=lambda run: run["Execution Time"])
        total += slower["Execution Time"]
        names |= indexes(slower)
    return {"statements": len(statements), "ms": total, "indexes": names}


def _line(label: str, costs: list[dict[str, Any]]) -> str:
    small, large = costs
    shown = ", ".join(
        f"`{name}`" for name in sorted(large["indexes"]) if not name.endswith(("organizations", "users"))
    )
    return f"| {label} | {large['statements']} | {small['ms']:.1f} | {large['ms']:.1f} | {shown} |"


if __name__ == "__main__":
    main()
