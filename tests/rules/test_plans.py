"""Every statement that a page or route runs reads only what it needs, however large an organization is.

The statements are found, not named: they are noted while an organization with many rows is walked through,
with every route, filter and second page. Then each is explained. On PostgreSQL, the organization has more
rows than any statement may read, and each statement is run with both plans that the server may choose: the
one for its values, and the one it keeps for all values.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from html import unescape
from itertools import combinations
from typing import Any, Final
from urllib.parse import urlencode

import asyncpg
import pytest
import sqlalchemy as sa
from quart import Quart
from sqlalchemy.ext.asyncio import create_async_engine

from saas_app.app import create_app
from saas_app.audit import queries as audit_queries
from saas_app.config import Settings
from tests.clients import Browser
from tests.databases import ON_CITUS, Database, migrated_database
from tests.factories import Factory
from tests.rules.calls import fill
from tests.rules.routes import TENANT_ROUTES
from tests.scale import (
    TENANT_TABLES,
    Size,
    Statement,
    explain_on_postgresql,
    is_confined,
    load,
    rows_of,
    rows_read,
    scans,
    touches_tenants,
    walk,
)

SIZE: Final = (
    Size(projects=60, tasks_per_project=2, events=120, actors=20, others=20)  # only the shards are counted
    if ON_CITUS
    else Size(projects=12_000, tasks_per_project=2, events=24_000, actors=300, others=5_000)
)
WINDOW: Final = 2_000
MOST: Final = 9_000
"""The rows that a statement may read. The totals read the most: 1,000 projects of each status, and tasks."""

_AUDIT: Final = {
    "actor": ("Lovelace 7", "importer", "zebra", "10.1.0.1"),
    "target": ("archive", "budget 77", "zebra", "zq"),
    "action": ("task.update", "project.delete", "access.deny"),
    "outcome": ("denied", "allowed"),
    "actor_id": ("importer", "nobody"),
    "target_id": ("nothing",),
    "since": ("2026-01-01",),
    "until": ("2026-01-02",),
}
_PROJECTS: Final = {
    "q": ("archive", "budget 77", "zebra", "a"),
    "status": ("archived", "all"),
    "sort": ("name", "-created", "-name", "created", "-updated"),
}
FILTERS: Final[dict[str, list[dict[str, str]]]] = {}


def _up_to_two(values: dict[str, tuple[str, ...]]) -> list[dict[str, str]]:
    """Return all filters by one of these values, and by the first two values of two parameters."""
    single = [{name: value} for name, some in values.items() for value in some]
    pairs = [
        {one: values[one][place], other: values[other][place]}
        for one, other in combinations(values, 2)
        for place in range(min(len(values[one]), len(values[other]), 2))
    ]
    return [{}, *single, *pairs]


def _for_api(filters: list[dict[str, str]], *unknown: str, **renamed: str) -> list[dict[str, str]]:
    return [
        {renamed.get(name, name): value for name, value in one.items()}
        for one in filters
        if not one.keys() & {*unknown}
    ]


FILTERS["audit.list_events"] = _up_to_two(_AUDIT)
FILTERS["audit.export_events"] = [{}, {"actor": "zebra"}, {"target": "zebra"}, {"action": "project.delete"}]
FILTERS["projects.list_projects"] = _up_to_two(_PROJECTS)
FILTERS["projects.tasks.show_project"] = _up_to_two(
    {"show": ("done", "all"), "sort": ("-status", "due", "-due"), "mine": ("yes",)}
)
FILTERS["projects_api.list_projects"] = _for_api(FILTERS["projects.list_projects"], q="search")
FILTERS["audit_api.list_audit_events"] = [
    {name: f"{value}T00:00:00Z" if name in ("since", "until") else value for name, value in one.items()}
    for one in _for_api(FILTERS["audit.list_events"], "actor", "target")
]


@dataclass(frozen=True, slots=True)
class Walked:
    """The statements on tenants' tables that a walk through an organization ran, without repetitions."""

    database: Database
    organization_id: str
    statements: list[Statement]

    @property
    def url(self) -> sa.URL:
        """The database, with a role that can drop an index."""
        return sa.make_url(self.database.admin_url)


@pytest.fixture(scope="module")
def own_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database for this module, because nothing can delete its events."""
    with migrated_database(tmp_path_factory.mktemp("plans")) as database:
        yield database


@pytest.fixture(scope="module")
async def walked(own_database: Database, settings: Settings, make: Factory) -> Walked:
    """Walk through a large organization: on PostgreSQL, with many rows."""
    url = sa.make_url(own_database.admin_url)
    admin = await make.person()
    organization_id = await make.organization("Large", admin=admin)
    app = create_app(
        settings.model_copy(
            update={"database_url": own_database.url, "database_jobs_url": own_database.jobs_url}
        )
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audit_queries, "WINDOW", WINDOW)
        async with app.test_app(), Browser(app, settings.redirect_uri) as browser:
            await browser.sign_in(admin)
            if url.get_backend_name() == "postgresql":
                connection = await _connect(url)
                await load(connection, organization_id, SIZE)
                await connection.close()
            noted = await _walk_through(app, browser, organization_id)
    distinct = {
        (one.sql, *(value for value in one.parameters if isinstance(value, str))): one
        for one in noted
        if touches_tenants(one)
    }
    assert len({sql for sql, *_ in distinct}) > 40
    return Walked(own_database, organization_id, list(distinct.values()))


async def _connect(url: sa.URL) -> asyncpg.Connection:
    return await asyncpg.connect(url.set(drivername="postgresql").render_as_string(hide_password=False))


async def _walk_through(app: Quart, browser: Browser, organization_id: str) -> list[Statement]:
    root = f"/o/{organization_id}/projects"
    await browser.post(f"{root}/new", {"name": "Newest website", "description": ""})
    page = await browser.text(f"{root}?q=newest")
    found = re.search(rf"{root}/([0-9a-f-]{{36}})", page)
    assert found is not None
    values = {"organization_id": organization_id, "project_id": found[1]}
    await browser.post(f"{root}/{found[1]}/tasks", {"title": "A task"})
    (task_id,) = set(re.findall(r"/tasks/([0-9a-f-]{36})/edit", await browser.text(f"{root}/{found[1]}")))
    values["task_id"] = task_id
    routes = [route for route in TENANT_ROUTES if route.method == "GET" and "leave" not in route.rule]
    requests = [
        f"{fill(route, values)}?{urlencode(query)}"
        for route in routes
        for query in FILTERS.get(route.endpoint, [{}])
    ]

    further: list[str] = []

    async def get(request: str) -> None:
        response = await browser.app.get(request)
        text = await response.get_data(as_text=True)
        assert response.status_code < 500, f"{request}: {response.status_code}"
        path = request.partition("?")[0]
        link = re.search(r'rel="next" href="(\?[^"]+)"', text)
        header = re.search(r'<(?:https?://[^/>]+)?([^>]+)>; *rel="next"', response.headers.get("Link", ""))
        if header:
            further.append(header[1])
        elif link:
            further.append(path + unescape(link[1]))

    async def post(request: str) -> None:
        path, _, form = request.partition("?")
        await browser.post(path, dict(pair.split("=") for pair in form.split("&")), expect=None)

    changes = [
        f"{root}/{found[1]}/tasks?title=Another",
        f"{root}/{found[1]}/edit?name=Website&description=None&version=1",
        f"{root}/{found[1]}/archive?x=1",
        f"{root}/{found[1]}/unarchive?x=1",
        f"{root}/{found[1]}/tasks/{task_id}/edit?title=Done&status=done&version=1",
        f"{root}/new?name=Fresh&description=None",
    ]
    noted = await walk(requests, get)
    noted += await walk([*further], get)
    return noted + await walk(changes, post)


async def _problems(walked: Walked, without: str | None = None) -> AsyncGenerator[str]:
    """Explain the statements, and yield those that read too much. ``without`` an index, if it is given."""
    connection = await _connect(walked.url)
    transaction = connection.transaction()
    await transaction.start()
    try:
        if without:
            await connection.execute(f"DROP INDEX {without}")
        await _become_confined(connection, walked)
        for one in walked.statements:
            for generic in (False, True):
                plan = await explain_on_postgresql(connection, one, generic=generic)
                if problem := _problem_of(plan):
                    yield f"{one.request}: {'kept plan' if generic else 'plan'} {problem}\n{one.sql}"
    finally:
        await transaction.rollback()
        await connection.close()


async def _become_confined(connection: asyncpg.Connection, walked: Walked) -> None:
    """Take a role that sees one organization, like the application, and every session."""
    await connection.execute(f"SET LOCAL ROLE {sa.make_url(walked.database.jobs_url).username}")
    await connection.execute(f"CALL workroom_enter('{walked.organization_id}', '')")


def _problem_of(plan: dict[str, Any]) -> str | None:
    described = "; ".join(map(_described, scans(plan)))
    if any(rows_of(scan) for scan in scans(plan) if not is_confined(scan)):
        return f"reads other organizations: {described}"
    rows = rows_read(plan)
    return f"reads {rows} rows: {described}" if rows > MOST else None


def _described(scan: dict[str, Any]) -> str:
    names = ("Node Type", "Relation Name", "Index Name", "Index Cond", "Filter", "Actual Rows")
    return ", ".join(str(scan[name]) for name in names if name in scan)


def _only_postgresql(walked: Walked) -> None:
    if ON_CITUS:
        pytest.skip("the plans are those of shards; tests/rules/test_citus_plans.py counts them")
    if walked.url.get_backend_name() != "postgresql":
        pytest.skip("SQLite keeps no statistics that a plan could depend on")


async def test_no_statement_reads_rows_of_other_organizations_or_grows_with_its_own(walked: Walked) -> None:
    if walked.url.get_backend_name() == "sqlite":
        assert await _unconfined_on_sqlite(walked) == []
        return
    _only_postgresql(walked)
    problems = [problem async for problem in _problems(walked)]
    assert problems == [], "\n\n".join(problems[:20])


async def _unconfined_on_sqlite(walked: Walked) -> list[str]:
    reading = re.compile(rf"(?:SCAN|SEARCH) (?:{'|'.join(TENANT_TABLES)})(?:_\d+)?(?: |$)")
    engine = create_async_engine(walked.url)
    found = []
    async with engine.connect() as connection:
        for one in {one.sql: one for one in walked.statements}.values():
            rows = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {one.sql}", one.parameters)
            lines = [str(row[-1]) for row in rows]
            found += [
                f"{one.request}: {line}\n{one.sql}"
                for line in lines
                if reading.match(line) and "organization_id=?" not in line
            ]
    await engine.dispose()
    return found


@pytest.mark.parametrize(
    "index",
    [
        "ix_audit_events_search",
        "ix_audit_events_denied",
        "ix_audit_events_actor_action",
        "ix_audit_events_organization_id_actor_id_id",
        "ix_audit_events_organization_id_action_id",
        "ix_audit_events_organization_id_target_id_id",
        "ix_project_names_search",
        "ix_projects_organization_id_status_updated_at_id",
        "ix_projects_organization_id_updated_at_id",
        "ix_tasks_organization_id_completed_at",
        "ix_tasks_organization_id_project_id_status_id",
    ],
)
async def test_a_missing_index_is_noticed(walked: Walked, index: str) -> None:
    """Each of these indexes is needed: without it, some statement reads too much."""
    _only_postgresql(walked)
    async with aclosing(_problems(walked, without=index)) as problems:
        assert await anext(problems, None) is not None
