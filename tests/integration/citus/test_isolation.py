"""An organization on a node of its own."""

from __future__ import annotations

import asyncpg
import pytest

from tests.integration.citus.cluster import (
    counts,
    database_command,
    needs_citus,
    node_of,
)

pytestmark = needs_citus


async def test_an_organization_moves_to_a_shard_and_a_node_of_its_own(
    own_url: str, connection: asyncpg.Connection, organization_id: str
) -> None:
    before = await counts(connection)
    _, node = await node_of(connection, organization_id)
    nodes = await connection.fetch("SELECT nodename || ':' || nodeport FROM pg_dist_node WHERE groupid > 0")
    other = next(row[0] for row in nodes if row[0] != node)

    moved = await database_command(own_url, "isolate", organization_id, "--node", other)
    again = await database_command(own_url, "isolate", organization_id, "--node", other)

    assert moved.exit_code == 0, moved.output
    assert f"moved from {node} to {other}" in moved.output
    assert "It is there already." in again.output
    shard, now_on = await node_of(connection, organization_id)
    alone = await connection.fetchval(
        "SELECT shardminvalue = shardmaxvalue FROM pg_dist_shard WHERE shardid = $1", shard
    )
    assert (now_on, alone) == (other, True)
    assert await counts(connection) == before


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("org-nobody",), "There is no organization org-nobody"),
        (("org-nobody", "--node", "elsewhere:5432"), "elsewhere:5432 is no worker"),
    ],
)
async def test_isolating_names_what_is_unknown(own_url: str, arguments: tuple[str, ...], says: str) -> None:
    result = await database_command(own_url, "isolate", *arguments)

    assert result.exit_code == 1
    assert says in result.output
