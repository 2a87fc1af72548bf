"""Statements that an administrator of PostgreSQL runs, beside the application."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa

from saas_app.config import DatabaseSettings
from tests.databases import Database, in_thread, postgresql_server

on_postgres = pytest.mark.skipif(not postgresql_server(), reason="SQLite has no roles")


def settings_of(database: Database) -> DatabaseSettings:
    return DatabaseSettings(
        database_url=database.url,
        database_owner_url=database.owner_url,
        database_jobs_url=database.jobs_url,
    )


def administer(database: Database, statement: str) -> None:
    """Run a statement as a superuser."""
    execute(database.admin_url, statement)


def execute(url: str, statement: str) -> None:
    """Run statements as the role of an address."""
    in_thread(asyncio.run, _with_connection(url, "execute", statement))


def fetch(url: str, statement: str) -> list[Any]:
    """Return the first column of a query, as the role of an address sees it."""
    return [row[0] for row in in_thread(asyncio.run, _with_connection(url, "fetch", statement))]


async def _with_connection(url: str, method: str, statement: str) -> Any:
    address = sa.make_url(url).set(drivername="postgresql")
    connection = await asyncpg.connect(address.render_as_string(hide_password=False))
    try:
        return await getattr(connection, method)(statement)
    finally:
        await connection.close()
