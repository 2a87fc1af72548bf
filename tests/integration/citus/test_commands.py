"""The commands of an operator, in their order and once more, with the roles that production uses."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa

from tests.commands import run
from tests.databases import Database, empty_database, migrated_database, prepared_database
from tests.integration.citus.cluster import address, needs_citus, protection_of

pytestmark = needs_citus


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database with its roles, and nothing else."""
    with prepared_database(tmp_path_factory.mktemp("citus")) as database:
        yield database


@pytest.fixture(scope="module")
def distributed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A distributed database, which tests repair after they have changed it."""
    with migrated_database(tmp_path_factory.mktemp("citus")) as database:
        yield database


async def protection_at(database: Database, table: str) -> tuple[str, set[str]]:
    connection = await asyncpg.connect(address(database.admin_url))
    try:
        return await protection_of(connection, table)
    finally:
        await connection.close()


async def administer(database: Database, statement: str, *values: Any) -> Any:
    connection = await asyncpg.connect(address(database.admin_url))
    try:
        return await connection.fetchval(statement, *values)
    finally:
        await connection.close()


async def test_every_command_works_and_can_be_repeated(empty: Database) -> None:
    async def command(*arguments: str) -> str:
        done = await asyncio.to_thread(run, *arguments, **empty.environment)
        assert done.exit_code == 0, f"{arguments}: {done.output}"
        return done.output

    roles = ("database", "roles", "--admin-url", empty.admin_url)
    await command("migrate")
    await command("database", "distribute")
    await command(*roles)
    again = [await command("migrate"), await command("database", "distribute"), await command(*roles)]
    await administer(empty, "INSERT INTO organizations (id, name, seen_at) VALUES ('org-1', 'Acme', now())")
    node = await administer(empty, "SELECT nodename || ':' || nodeport FROM pg_dist_node WHERE groupid = 2")
    moved = [await command("database", "isolate", "org-1", "--node", node) for _ in range(2)]

    assert "The database is up to date" in again[0]
    assert "Everything is distributed already." in again[1]
    assert "Every role is up to date." in again[2]
    assert "a shard of its own" in moved[0]
    assert "It is there already." in moved[1]
    assert "Every role is up to date." in await command(*roles)


@pytest.mark.parametrize(
    "command", [("migrate",), ("database", "roles", "--admin-url", "{admin_url}")], ids=["migrate", "roles"]
)
async def test_a_policy_is_repaired_on_every_shard(distributed: Database, command: tuple[str, ...]) -> None:
    await administer(distributed, "DROP POLICY visible_rows ON tasks")

    done = await asyncio.to_thread(
        run,
        *(one.format(admin_url=distributed.admin_url) for one in command),
        **distributed.environment,
    )

    assert done.exit_code == 0, done.output
    own, of_shards = await protection_at(distributed, "tasks")
    assert "visible_rows" in own
    assert of_shards == {own}


async def test_rights_are_taken_back_on_every_shard(distributed: Database) -> None:
    app = sa.make_url(distributed.url).username
    await administer(distributed, f"GRANT DELETE ON audit_events TO PUBLIC, {app}")
    before, _ = await protection_at(distributed, "audit_events")

    await asyncio.to_thread(
        run, "database", "roles", "--admin-url", distributed.admin_url, **distributed.environment
    )

    own, of_shards = await protection_at(distributed, "audit_events")
    assert f"{app}=d/" in before
    assert f"{app}=" not in own
    assert of_shards == {own}


async def test_a_distributed_installation_with_one_role_is_taken_over(
    empty: Database, tmp_path: Path
) -> None:
    with empty_database(tmp_path) as url:
        name = sa.make_url(url).database
        database = Database(*(_moved(one, name) for one in astuple(empty)))
        for one in (("migrate",), ("database", "distribute")):
            await asyncio.to_thread(run, *one, DATABASE_URL=url)

        done = await asyncio.to_thread(run, "database", "roles", "--admin-url", url, **database.environment)

        assert "owns the tables; " in done.output
        own, of_shards = await protection_at(database, "tasks")
        assert str(sa.make_url(database.owner_url).username) in own
        assert of_shards == {own}


def _moved(url: str, name: str | None) -> str:
    return sa.make_url(url).set(database=name).render_as_string(hide_password=False)
