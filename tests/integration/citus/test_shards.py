"""Attacks on the nodes of a Citus cluster: raw SQL on the application's role, on the shards themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

import asyncpg
import pytest
import sqlalchemy as sa

from saas_app.db.base import APPENDED, Base, granted_on, is_tenant_owned, visible_rows
from saas_app.operations.database.placements import Placement, placement_of
from tests.databases import Database
from tests.integration.citus.cluster import (
    COUNT,
    address,
    database_command,
    needs_citus,
    node_of,
    protection_of,
)
from tests.integration.database.any_rows import insert_two_tenants

pytestmark = needs_citus

PROTECTED: Final = [
    table for table in Base.metadata.sorted_tables if visible_rows(table) and granted_on(table)
]
SPREAD: Final = [table for table in PROTECTED if placement_of(table) is not Placement.COORDINATOR]
OWNED: Final = [table for table in SPREAD if is_tenant_owned(table)]
_SHARDS: Final = (
    "SELECT nodename AS host, nodeport AS port, shard_name(logicalrelid, shardid) AS name "
    "FROM pg_dist_shard JOIN pg_dist_shard_placement USING (shardid) WHERE logicalrelid = $1::text::regclass"
)
_OWNERS: Final = "SELECT organization_id FROM {}"
_DELETE: Final = "DELETE FROM {} WHERE organization_id = $1"
_COUNT_OTHERS: Final = "SELECT count(*) FROM projects WHERE organization_id = '{other}'"


def named(table: sa.Table) -> str:
    return table.name


@pytest.fixture(scope="module")
async def two_tenants(own: Database) -> tuple[str, str]:
    """Two organizations with a row in every table that has rows of organizations."""
    return await insert_two_tenants(own.admin_url, SPREAD)


class Nodes:
    """Connections of the application's role to the nodes themselves, which may change shards there."""

    def __init__(self, url: str, coordinator: asyncpg.Connection) -> None:
        self._url = address(url)
        self._coordinator = coordinator
        self._open: dict[int, asyncpg.Connection] = {}

    async def shards_of(self, table: sa.Table) -> list[tuple[asyncpg.Connection, str]]:
        """Return each shard of a table with a connection to its node."""
        found = await self._coordinator.fetch(_SHARDS, table.name)
        return [(await self._at(shard["host"], shard["port"]), shard["name"]) for shard in found]

    async def close(self) -> None:
        for connection in self._open.values():
            await connection.close()

    async def _at(self, host: str, port: int) -> asyncpg.Connection:
        if port not in self._open:
            made = self._open[port] = await asyncpg.connect(self._url, host=host, port=port)
            await made.execute("SET citus.enable_manual_changes_to_shards = on")
        return self._open[port]


@pytest.fixture
async def nodes(own: Database, connection: asyncpg.Connection) -> AsyncIterator[Nodes]:
    made = Nodes(own.url, connection)
    yield made
    await made.close()


@pytest.mark.parametrize("table", SPREAD, ids=named)
async def test_no_shard_shows_a_row_without_an_organization(
    nodes: Nodes, two_tenants: tuple[str, str], table: sa.Table
) -> None:
    count = COUNT + (" WHERE organization_id <> '*'" if table.name == "membership_changes" else "")

    seen = [await node.fetchval(count.format(shard)) for node, shard in await nodes.shards_of(table)]

    assert seen
    assert sum(seen) == 0


@pytest.mark.parametrize("table", OWNED, ids=named)
async def test_no_shard_shows_or_loses_a_row_of_another_organization(
    nodes: Nodes, two_tenants: tuple[str, str], table: sa.Table
) -> None:
    own, other = two_tenants
    seen, deleted = set(), set()
    for node, shard in await nodes.shards_of(table):
        async with node.transaction():
            await node.execute(f"SET LOCAL workroom.organization_id = '{own}'")
            seen |= {row["organization_id"] for row in await node.fetch(_OWNERS.format(shard))}
            if granted_on(table) != APPENDED:
                deleted.add(await node.execute(_DELETE.format(shard), other))

    assert seen == {own}
    assert deleted <= {"DELETE 0"}


@pytest.mark.parametrize("table", SPREAD, ids=named)
async def test_each_shard_has_the_policies_and_rights_of_its_table(
    connection: asyncpg.Connection, table: sa.Table
) -> None:
    own, of_shards = await protection_of(connection, table.name)

    assert of_shards == {own}


async def test_a_shard_of_its_own_hides_its_organization_too(
    own_url: str, connection: asyncpg.Connection, two_tenants: tuple[str, str], nodes: Nodes
) -> None:
    own, _ = two_tenants
    _, node = await node_of(connection, own)
    workers = await connection.fetch("SELECT nodename || ':' || nodeport FROM pg_dist_node WHERE groupid > 0")
    other_node = next(row[0] for row in workers if row[0] != node)

    moved = await database_command(own_url, "isolate", own, "--node", other_node)

    assert moved.exit_code == 0, moved.output
    for table in OWNED:
        own_protection, of_shards = await protection_of(connection, table.name)
        assert of_shards == {own_protection}
        for shard_node, shard in await nodes.shards_of(table):
            assert await shard_node.fetchval(COUNT.format(shard)) == 0


@pytest.mark.parametrize(
    ("command", "sent"),
    [
        ("SELECT result FROM run_command_on_shards('projects', $1)", "SELECT count(*) FROM %s"),
        ("SELECT result FROM run_command_on_workers($1)", _COUNT_OTHERS),
        ("SELECT result FROM run_command_on_all_nodes($1)", _COUNT_OTHERS),
    ],
    ids=["shards", "workers", "nodes"],
)
async def test_commands_that_citus_sends_to_nodes_show_no_rows(
    own: Database, two_tenants: tuple[str, str], command: str, sent: str
) -> None:
    application: Any = await asyncpg.connect(address(own.url))
    try:
        found = await application.fetch(command, sent.replace("{other}", two_tenants[1]))
    finally:
        await application.close()

    assert {row["result"] for row in found} == {"0"}
