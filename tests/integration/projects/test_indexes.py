"""Queries use indexes that begin with the organization, on either database."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from saas_app.db.base import new_uuid, utc_now
from saas_app.errors import NotFound
from saas_app.projects.queries.project_list import list_projects
from saas_app.projects.queries.tasks import list_tasks
from saas_app.projects.service import export_rows, get_project, summarize
from saas_app.projects.values import (
    ProjectFilter,
    ProjectSort,
    StatusFilter,
    TaskFilter,
    TaskSort,
    TaskStatus,
    WantedTasks,
)
from tests.databases import Database
from tests.integration.projects.conftest import Organization

Reading = Callable[[Organization], Awaitable[Any]]


@pytest.fixture
async def plain(database: Database) -> AsyncIterator[AsyncConnection]:
    """A connection for textual SQL on which the planner avoids sequential scans."""
    engine = create_async_engine(database.admin_url)
    async with engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            await connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        yield connection
    await engine.dispose()


async def export(organization: Organization) -> None:
    async with organization.work.reading(organization.tenant.organization_id) as db:
        assert [batch async for batch in export_rows(db)]


async def detail(organization: Organization) -> None:
    with pytest.raises(NotFound):
        await organization.read(get_project, new_uuid())


def listing(wanted: ProjectFilter, *, later: bool) -> Reading:
    first = "a" if wanted.sort.column == "name" else utc_now()
    after = (first, new_uuid()) if later else None
    return lambda organization: organization.query(list_projects, wanted, after=after, limit=21)


def task_listing(sort: TaskSort) -> Reading:
    wanted = WantedTasks(TaskFilter.ALL, sort)
    after = (TaskStatus.TODO, None, new_uuid())
    return lambda organization: organization.query(list_tasks, new_uuid(), wanted, after=after, limit=51)


READINGS: dict[str, Reading] = {
    **{
        f"list {sort} {status} {search!r} {'later' if later else 'first'}": listing(
            ProjectFilter(search, status, sort), later=later
        )
        for sort in ProjectSort
        for status in (StatusFilter.ACTIVE, StatusFilter.ALL)
        for search in ("", "apollo")
        for later in (False, True)
    },
    "project": detail,
    **{f"tasks {sort}": task_listing(sort) for sort in TaskSort},
    "export": export,
    "summary": lambda acme: acme.query(summarize),
}


@pytest.mark.parametrize("reading", READINGS.values(), ids=READINGS.keys())
async def test_no_query_scans_a_table(
    acme: Organization, count_statements: Callable[[], Any], plain: AsyncConnection, reading: Reading
) -> None:
    await acme.add_projects("Apollo")
    for plan in await plans(acme, count_statements, plain, reading):
        assert "organization_id" in plan
        assert not re.search(r"Seq Scan on (projects|tasks)|SCAN (projects|tasks)", plan), plan


async def plans(
    acme: Organization, count_statements: Callable[[], Any], plain: AsyncConnection, reading: Reading
) -> list[str]:
    """Return the query plans of the statements of ``reading``."""
    with count_statements() as statements:
        await reading(acme)
    explain = "EXPLAIN QUERY PLAN" if plain.dialect.name == "sqlite" else "EXPLAIN"
    found = []
    for statement, parameters in statements:
        rows = await plain.exec_driver_sql(f"{explain} {statement}", parameters)
        found.append("\n".join(str(row[-1]) for row in rows))
    assert found
    return found
