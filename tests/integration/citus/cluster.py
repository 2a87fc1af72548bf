"""Questions to a database that is distributed with Citus."""

from __future__ import annotations

import asyncio
from typing import Final

import asyncpg
import pytest
import sqlalchemy as sa
from click.testing import Result

from tests.commands import run
from tests.databases import ON_CITUS

needs_citus: Final = pytest.mark.skipif(not ON_CITUS, reason="TEST_CITUS_URL names no Citus cluster")
COUNTED: Final = ("projects", "project_names", "tasks", "audit_events", "audit_actors", "users")
COUNT: Final = "SELECT count(*) FROM {}"
PLACED: Final = (
    "SELECT logicalrelid::text AS name, partmethod::text AS method, colocationid AS colocation "
    "FROM pg_dist_partition"
)

_PROTECTION: Final = (
    "SELECT json_build_array(relrowsecurity, relowner::regrole, relacl::text[], (SELECT json_agg("
    "json_build_array(polname, polcmd, polroles::regrole[], pg_get_expr(polqual, oid), "
    "pg_get_expr(polwithcheck, oid)) ORDER BY polname) FROM pg_policy WHERE polrelid = pg_class.oid))::text "
    "FROM pg_class WHERE oid = '{}'::regclass"
)


def address(url: str) -> str:
    return sa.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


async def database_command(url: str, *arguments: str) -> Result:
    """Run ``saas-app database``, in a thread because it runs an event loop of its own."""
    return await asyncio.to_thread(run, "database", *arguments, DATABASE_URL=url)


async def counts(connection: asyncpg.Connection) -> dict[str, int]:
    return {name: await connection.fetchval(COUNT.format(name)) for name in COUNTED}


async def node_of(connection: asyncpg.Connection, organization_id: str) -> tuple[int, str]:
    """Return the organization's shard of projects, and its node."""
    row = await connection.fetchrow(
        "SELECT shardid, nodename || ':' || nodeport AS node FROM pg_dist_shard_placement "
        "WHERE shardid = get_shard_id_for_distribution_column('projects', $1::text)",
        organization_id,
    )
    return row["shardid"], row["node"]


async def protection_of(connection: asyncpg.Connection, table: str) -> tuple[str, set[str]]:
    """Return owner, policies and rights of a table: its own, and what differs between its shards."""
    rows = await connection.fetch(
        "SELECT success, result FROM run_command_on_placements($1::text::regclass, $2)",
        table,
        _PROTECTION.replace("{}", "%s"),
    )
    assert all(row["success"] for row in rows), rows
    return await connection.fetchval(_PROTECTION.format(table)), {row["result"] for row in rows}
