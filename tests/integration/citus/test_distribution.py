"""A database that is distributed with Citus: where rows are, and how it gets there."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

import asyncpg
import sqlalchemy as sa

from saas_app.db.base import Base
from saas_app.operations.database.placements import Placement, placement_of, tables_in_order
from tests.databases import Database, empty_database, migrate
from tests.integration.citus.cluster import (
    PLACED,
    address,
    counts,
    database_command,
    needs_citus,
)
from tests.scale import Size, load

pytestmark = needs_citus

SIZE: Final = Size(projects=40, tasks_per_project=2, events=120, actors=5, others=20)


async def test_each_table_is_where_it_is_declared_to_be(connection: asyncpg.Connection) -> None:
    methods = {row["name"]: row["method"] for row in await connection.fetch(PLACED)}
    expected = {Placement.BY_ORGANIZATION: "h", Placement.EVERYWHERE: "n", Placement.COORDINATOR: None}

    for table in Base.metadata.sorted_tables:
        assert methods.get(table.name) == expected[placement_of(table)], table.name


async def test_an_organizations_rows_of_all_tables_are_on_one_node(connection: asyncpg.Connection) -> None:
    groups = {row["colocation"] for row in await connection.fetch(PLACED) if row["method"] == "h"}

    assert len(groups) == 1


async def test_distributing_again_changes_nothing(own_url: str) -> None:
    again = await database_command(own_url, "distribute")

    assert again.exit_code == 0, again.output
    assert "Everything is distributed already." in again.output
    assert "done" not in again.output


async def test_an_interrupted_run_is_continued(own_url: str, connection: asyncpg.Connection) -> None:
    await connection.execute("SELECT undistribute_table('idempotency_keys')")

    result = await database_command(own_url, "distribute")

    done = [line for line in result.output.splitlines() if line.startswith("done")]

    assert done == ["done  idempotency_keys: distributed by organization_id"]


async def test_rows_from_before_are_on_the_nodes_and_nowhere_else(tmp_path: Path) -> None:
    with empty_database(tmp_path) as url:
        await asyncio.to_thread(migrate, url)
        connection = await asyncpg.connect(address(url))
        await load(connection, "large", SIZE)
        before = await counts(connection)

        result = await database_command(url, "distribute")

        after = await counts(connection)
        left = [
            table.name
            for table, placement in tables_in_order()
            if placement is not Placement.COORDINATOR
            and await connection.fetchval(f"SELECT pg_relation_size('{table.name}')")
        ]
        await connection.close()
    assert result.exit_code == 0, result.output
    assert after == before
    assert min(after.values()) > 0
    assert left == []


async def test_triggers_write_beside_the_rows_that_fire_them(
    connection: asyncpg.Connection, organization_id: str
) -> None:
    names = await connection.fetchval(
        "SELECT count(*) FROM project_names WHERE organization_id = $1", organization_id
    )
    actors = await connection.fetchval(
        "SELECT count(*) FROM audit_actors WHERE organization_id = $1", organization_id
    )

    assert (names, actors) == (5, 1)


async def test_a_role_that_owns_nothing_is_told_so(own: Database) -> None:
    result = await database_command(own.url, "distribute")

    assert result.exit_code == 1
    assert "Run the command as the owner of the tables" in result.output


async def test_a_worker_is_not_mistaken_for_the_coordinator(
    own_url: str, connection: asyncpg.Connection
) -> None:
    worker = await connection.fetchrow("SELECT nodename, nodeport FROM pg_dist_node WHERE groupid > 0")
    url = sa.make_url(own_url).set(host=worker["nodename"], port=worker["nodeport"])

    result = await database_command(url.render_as_string(hide_password=False), "isolate", "any")

    assert result.exit_code == 1
    assert "Name the coordinator" in result.output


async def test_pending_migrations_come_first(tmp_path: Path) -> None:
    with empty_database(tmp_path) as url:
        result = await database_command(url, "distribute")

    assert result.exit_code == 1
    assert "Run 'saas-app migrate' first" in result.output
