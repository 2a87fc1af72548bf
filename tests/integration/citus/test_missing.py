"""The commands for Citus on a PostgreSQL without it."""

from __future__ import annotations

import asyncio
import os

import pytest

from tests.commands import run
from tests.databases import Database

pytestmark = pytest.mark.skipif(
    not os.environ.get("TEST_DATABASE_URL") or bool(os.environ.get("TEST_CITUS_URL")),
    reason="TEST_DATABASE_URL names no PostgreSQL without Citus",
)


@pytest.mark.parametrize("arguments", [("distribute",), ("isolate", "org-1")])
async def test_a_postgresql_without_citus_is_left_as_it_is(
    database: Database, arguments: tuple[str, ...]
) -> None:
    result = await asyncio.to_thread(run, "database", *arguments, **database.environment)

    assert result.exit_code == 1
    assert "does not have the extension citus" in result.output
