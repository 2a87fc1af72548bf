"""The migration by which Workroom comes between Logto and providers resets the connections from before."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa
from alembic import command
from sqlalchemy.ext.asyncio import create_async_engine

from saas_app.models import SsoConnection
from tests.databases import Database, alembic_config, in_thread, migrate, migrated_database

_BEFORE = "fb6d604720cc"
_SET = datetime(2026, 11, 30, tzinfo=UTC)
_WAS_ON: dict[str, Any] = {
    "name": "Corp", "issuer": "https://id.example", "client_id": "c", "scopes": "openid email",
    "domains": ["corp.example"], "joins": True, "group_claim": "groups", "group_roles": [["staff", "viewer"]],
    "created_at": _SET, "created_by": "ada", "tested_at": _SET, "tested_by": "ada", "on_at": _SET,
    "required_at": _SET, "recovery_id": "ada",
}  # fmt: skip

T = TypeVar("T")


async def _run(url: str, work: Callable[[sa.Connection], T]) -> T:
    engine = create_async_engine(url)
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(work)
    finally:
        await engine.dispose()


def run(database: Database, work: Callable[[sa.Connection], T]) -> T:
    """Run statements as the owner of the tables."""
    return in_thread(asyncio.run, _run(database.owner_url, work))


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database from before, whose policies hide rows, with connections of two organizations."""
    with migrated_database(tmp_path_factory.mktemp("before")) as database:
        in_thread(command.downgrade, alembic_config(database.owner_url), _BEFORE)
        rows = [{"organization_id": f"o-{n}", "connector_id": f"c-{n}", **_WAS_ON} for n in (1, 2)]
        run(database, lambda connection: connection.execute(sa.insert(SsoConnection), rows))
        yield database


def connections(connection: sa.Connection) -> list[dict[str, Any]]:
    found = connection.execute(sa.select(SsoConnection.__table__).order_by(SsoConnection.organization_id))
    return [dict(row) for row in found.mappings()]


def test_the_connections_of_all_organizations_have_to_be_set_up_again(before: Database) -> None:
    migrate(before.owner_url)

    kept = ("name", "client_id", "scopes", "domains", "joins", "group_claim", "group_roles", "created_by")
    found = run(before, connections)
    assert [row["organization_id"] for row in found] == ["o-1", "o-2"]
    for row in found:
        assert {name: row[name] for name in kept} == {name: _WAS_ON[name] for name in kept}
        assert row["issuer"] == ""
        assert {row[name] for name in ("tested_at", "tested_by", "on_at", "required_at", "recovery_id")} == {
            None
        }


def test_the_tables_go_with_their_rows_and_the_connections_stay(before: Database) -> None:
    migrate(before.owner_url)

    in_thread(command.downgrade, alembic_config(before.owner_url), _BEFORE)

    kept = sa.select(SsoConnection.connector_id).order_by(SsoConnection.organization_id)
    assert run(before, lambda connection: connection.scalars(kept).all()) == ["c-1", "c-2"]
    tables = run(before, lambda connection: sa.inspect(connection).get_table_names())
    assert not {"sso_people", "sso_secrets"} & set(tables)
