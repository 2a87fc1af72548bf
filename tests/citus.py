"""Databases of a Citus cluster, on each of its nodes. ``TEST_CITUS_URL`` names a database on its coordinator.

That database has the extension and knows its workers. Its user must be a superuser.
"""

from __future__ import annotations

import asyncio
import fcntl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import asyncpg
import sqlalchemy as sa

from saas_app.config import DatabaseLocation
from saas_app.operations.database.distribution import distribute as distribute_tables
from saas_app.operations.database.steps import run_steps

_SHARDS: Final = 4  # each test database has few rows
_NODES: Final = "SELECT nodename AS host, nodeport AS port FROM pg_dist_node ORDER BY groupid"


@contextmanager
def alone() -> Iterator[None]:
    """Let one test process at a time add nodes and change roles: a node that is added receives all roles."""
    with (Path(tempfile.gettempdir()) / "workroom-tests-citus.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


async def create(server: str, name: str) -> None:
    """Create a database with the extension on every node, and make the nodes known to its coordinator."""
    nodes = await _nodes(server)
    await asyncio.gather(*(_create_at(server, node, name) for node in nodes))
    coordinator, *workers = nodes
    connection = await _connect(server, coordinator, name)
    try:
        await connection.execute(f'ALTER DATABASE "{name}" SET citus.shard_count = {_SHARDS}')
        await connection.execute(f"ALTER DATABASE \"{name}\" SET citus.propagate_set_commands = 'local'")
        await connection.execute("SELECT citus_set_coordinator_host($1, $2)", *coordinator.values())
        for worker in workers:
            await connection.execute("SELECT citus_add_node($1, $2)", *worker.values())
    finally:
        await connection.close()


async def drop(server: str, name: str) -> None:
    """Drop a database on every node."""
    for node in await _nodes(server):
        await _run_alone(server, node, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


async def confine(admin_url: str, *roles: str) -> None:
    """Make the database refuse statements of roles that go to several shards, as in production."""
    connection = await asyncpg.connect(_address(admin_url))
    try:
        for role in roles:
            await connection.execute(f"ALTER ROLE {role} SET citus.multi_task_query_log_level = 'error'")
    finally:
        await connection.close()


def distribute(database_url: str) -> None:
    """Distribute the tables of a migrated database. Must not be called in a running event loop."""
    run_steps(DatabaseLocation(database_url), distribute_tables, lambda _step: None)


async def _create_at(server: str, node: dict[str, Any], name: str) -> None:
    await _run_alone(server, node, f'CREATE DATABASE "{name}"')
    connection = await _connect(server, node, name)
    try:
        await connection.execute("CREATE EXTENSION IF NOT EXISTS citus")
    finally:
        await connection.close()


async def _run_alone(server: str, node: dict[str, Any], statement: str) -> None:
    connection = await _connect(server, node)
    try:
        await connection.execute("SET citus.enable_create_database_propagation = off")
        await connection.execute(statement)
    finally:
        await connection.close()


async def _nodes(server: str) -> list[dict[str, Any]]:
    connection = await asyncpg.connect(_address(server))
    try:
        return [dict(row) for row in await connection.fetch(_NODES)]
    finally:
        await connection.close()


async def _connect(server: str, node: dict[str, Any], name: str | None = None) -> asyncpg.Connection:
    return await asyncpg.connect(_address(server), **node, **({"database": name} if name else {}))


def _address(url: str) -> str:
    return sa.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
