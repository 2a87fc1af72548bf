"""The database itself rejects every change and deletion of audit events."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from saas_app.audit.queries import find_events
from saas_app.audit.values import EventFilter
from saas_app.db.base import new_uuid
from saas_app.db.unit_of_work import UnitOfWork
from tests.databases import Database
from tests.integration.audit.conftest import add_events


@pytest.fixture
async def plain(database: Database) -> AsyncIterator[AsyncEngine]:
    """Connections without our checks, like those of a database shell."""
    engine = create_async_engine(database.admin_url)
    yield engine
    await engine.dispose()


@pytest.fixture
async def organization_id(work: UnitOfWork) -> str:
    organization_id = f"org-{new_uuid().hex}"
    await add_events(work, organization_id, 3)
    return organization_id


async def names(work: UnitOfWork, organization_id: str) -> list[str]:
    async with work.reading(organization_id) as db:
        return [row.target_name for row in (await find_events(db, EventFilter(), None, 10)).rows]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_events SET target_name = 'nothing happened' WHERE organization_id = :organization_id",
        "UPDATE audit_events SET outcome = 'allowed' WHERE organization_id = :organization_id",
        "DELETE FROM audit_events WHERE organization_id = :organization_id",
        "DELETE FROM audit_events",
        "UPDATE audit_actors SET name = 'nobody' WHERE organization_id = :organization_id",
        "DELETE FROM audit_actors WHERE organization_id = :organization_id",
    ],
)
async def test_events_and_actors_can_be_neither_changed_nor_deleted(
    plain: AsyncEngine, work: UnitOfWork, organization_id: str, statement: str
) -> None:
    wanted = sa.text(statement)
    values = {"organization_id": organization_id} if ":organization_id" in statement else {}
    with pytest.raises(DBAPIError, match="append-only"):
        await run(plain, wanted, values)
    assert await names(work, organization_id) == ["Project 2", "Project 1", "Project 0"]


@pytest.mark.parametrize("table", ["audit_events", "audit_actors"])
async def test_the_tables_cannot_be_emptied(
    plain: AsyncEngine, work: UnitOfWork, organization_id: str, table: str
) -> None:
    """PostgreSQL empties tables with TRUNCATE, SQLite with DELETE."""
    verb = "TRUNCATE" if plain.dialect.name == "postgresql" else "DELETE FROM"
    words = f"{verb} {table}"
    with pytest.raises(DBAPIError, match="append-only"):
        await run(plain, sa.text(words), {})
    assert len(await names(work, organization_id)) == 3


async def test_an_event_cannot_be_overwritten(
    plain: AsyncEngine, work: UnitOfWork, organization_id: str
) -> None:
    """This holds for the upserts of PostgreSQL and SQLite, and for SQLite's REPLACE."""
    columns = "organization_id, id, occurred_at, actor_type, actor_id, actor_name, action, target_type, "
    columns += "target_id, target_name, outcome, request_id, address"
    rows = f"SELECT {columns} FROM audit_events WHERE organization_id = :organization_id"  # noqa: S608
    conflict = "ON CONFLICT (organization_id, id) DO UPDATE SET target_name = 'nothing happened'"
    forms = [f"INSERT INTO audit_events ({columns}) {rows} {conflict}"]
    if plain.dialect.name == "sqlite":
        forms.append(f"INSERT OR REPLACE INTO audit_events ({columns}) {rows}")
        forms.append(f"INSERT OR IGNORE INTO audit_events ({columns}) {rows}")
    for form in forms:
        with pytest.raises(DBAPIError, match="append-only"):
            await run(plain, sa.text(form), {"organization_id": organization_id})
    assert await names(work, organization_id) == ["Project 2", "Project 1", "Project 0"]


async def test_an_actor_cannot_be_overwritten(plain: AsyncEngine, organization_id: str) -> None:
    columns = "organization_id, id, actor_id, name"
    where = "WHERE organization_id = :organization_id"
    rows = f"SELECT organization_id, id, actor_id, 'nobody' FROM audit_actors {where}"  # noqa: S608
    conflict = "ON CONFLICT (organization_id, id) DO UPDATE SET name = 'nobody'"
    forms = [f"INSERT INTO audit_actors ({columns}) {rows} {conflict}"]
    if plain.dialect.name == "sqlite":
        forms.append(f"INSERT OR REPLACE INTO audit_actors ({columns}) {rows}")
    for form in forms:
        with pytest.raises(DBAPIError, match="append-only"):
            await run(plain, sa.text(form), {"organization_id": organization_id})


async def test_events_can_be_added(work: UnitOfWork, organization_id: str) -> None:
    await add_events(work, organization_id, 1)
    assert len(await names(work, organization_id)) == 4


async def run(engine: AsyncEngine, statement: sa.TextClause, values: dict[str, str]) -> None:
    async with engine.begin() as connection:
        await connection.execute(statement, values)
