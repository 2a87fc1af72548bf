"""What the nodes of a Citus cluster show to the application, and what they refuse."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa

from saas_app.db.base import new_uuid
from tests.databases import Database
from tests.integration.citus.cluster import (
    COUNT,
    address,
    needs_citus,
    node_of,
)

pytestmark = needs_citus


@pytest.fixture
async def application(own: Database) -> Any:
    """A connection of the application's role, in a transaction without a tenant."""
    connection = await asyncpg.connect(address(own.url))
    transaction = connection.transaction()
    await transaction.start()
    yield connection
    await transaction.rollback()
    await connection.close()


async def enter(connection: asyncpg.Connection, organization_id: str) -> None:
    await connection.execute(f"CALL workroom_enter('{organization_id}', '')")


async def read_projects(connection: asyncpg.Connection, organization_id: str) -> int:
    statement = "SELECT count(*) FROM projects WHERE organization_id = $1"
    return int(await connection.fetchval(statement, organization_id))


async def test_a_tenants_rows_reach_the_application_from_their_node(
    application: asyncpg.Connection, organization_id: str
) -> None:
    await enter(application, organization_id)

    assert await read_projects(application, organization_id) == 5


async def test_nodes_hide_all_rows_without_a_tenant(
    application: asyncpg.Connection, organization_id: str
) -> None:
    assert await read_projects(application, organization_id) == 0


async def test_nodes_hide_the_rows_of_other_tenants(
    application: asyncpg.Connection, organization_id: str
) -> None:
    await enter(application, "org-other")

    assert await read_projects(application, organization_id) == 0


async def test_nodes_refuse_rows_for_other_tenants(
    application: asyncpg.Connection, organization_id: str
) -> None:
    await enter(application, "org-other")

    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        await application.execute(
            "INSERT INTO api_clients (organization_id, id, client_id, name, created_by, created_at) "
            "VALUES ($1, $2, 'x', 'x', 'x', now())",
            organization_id,
            new_uuid(),
        )


async def test_a_statement_of_the_application_that_spans_organizations_is_refused(
    application: asyncpg.Connection,
) -> None:
    with pytest.raises(asyncpg.InternalServerError, match="multi-task query"):
        await application.fetchval("SELECT count(*) FROM projects")


async def test_a_worker_shows_the_application_no_row_of_a_shard(
    own: Database, connection: asyncpg.Connection, organization_id: str
) -> None:
    shard, node = await node_of(connection, organization_id)
    host, port = node.split(":")
    worker = await asyncpg.connect(address(own.url), host=host, port=int(port))
    try:
        seen = await worker.fetchval(COUNT.format(f"projects_{shard}"))
    finally:
        await worker.close()

    assert seen == 0


@pytest.mark.parametrize("table", ["audit_events", "audit_actors"])
async def test_the_application_may_not_delete_what_is_appended_on_any_shard(
    own: Database, connection: asyncpg.Connection, table: str
) -> None:
    role = sa.make_url(own.url).username
    rights = await connection.fetch(
        "SELECT result FROM run_command_on_shards($1::text::regclass, $2)",
        table,
        f"SELECT has_table_privilege('{role}', '%1$s', 'INSERT') "
        f"AND NOT has_table_privilege('{role}', '%1$s', 'DELETE')",
    )

    assert {row["result"] for row in rights} == {"t"}


async def test_every_shard_refuses_changes_of_events(
    connection: asyncpg.Connection, organization_id: str
) -> None:
    answers = await connection.fetch(
        "SELECT success, result FROM run_command_on_shards('audit_events', 'DELETE FROM %s')"
    )

    assert answers
    assert not any(row["success"] for row in answers)
    assert all("append-only" in row["result"] for row in answers)
