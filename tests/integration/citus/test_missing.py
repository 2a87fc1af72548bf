"""The commands for Citus on a PostgreSQL without it."""

from __future__ import annotations

import asyncio

import pytest

from tests.commands import run
from tests.databases import ON_CITUS, Database, postgresql_server

pytestmark = pytest.mark.skipif(
    not postgresql_server() or ON_CITUS,
    reason="TEST_DATABASE_URL names no PostgreSQL without Citus",
)


@pytest.mark.parametrize("arguments", [("distribute",), ("isolate", "org-1")])
async def test_a_postgresql_without_citus_is_left_as_it_is(
    database: Database, arguments: tuple[str, ...]
) -> None:
    result = await asyncio.to_thread(run, "database", *arguments, **database.environment)

    assert result.exit_code == 1
    assert "does not have the extension citus" in result.output
