"""A migrated database for every test process: SQLite, or PostgreSQL if ``TEST_DATABASE_URL`` names one.

Its user must be allowed to create databases. If ``TEST_CITUS_URL`` names a database on the coordinator of a
Citus cluster, each database is distributed over its workers; see :mod:`tests.citus`.
"""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.ext.asyncio import create_async_engine

from tests import citus

ROOT = Path(__file__).resolve().parent.parent


def alembic_config(database_url: str) -> Config:
    """Return Alembic's configuration of the project for one database."""
    config = Config(ROOT / "alembic.ini")
    config.attributes["database_url"] = database_url
    return config


@contextmanager
def empty_database(directory: Path) -> Iterator[str]:
    """Create an empty database and return its URL. A PostgreSQL database is dropped at the end."""
    if cluster := os.environ.get("TEST_CITUS_URL"):
        with _empty_database_on_citus(cluster) as url:
            yield url
        return
    with empty_database_at(os.environ.get("TEST_DATABASE_URL"), directory) as url:
        yield url


@contextmanager
def _empty_database_on_citus(cluster: str) -> Iterator[str]:
    name = f"workroom_test_{uuid.uuid4().hex}"
    run_in_thread(citus.create(cluster, name))
    try:
        yield sa.make_url(cluster).set(database=name).render_as_string(hide_password=False)
    finally:
        run_in_thread(citus.drop(cluster, name))


@contextmanager
def empty_database_at(server: str | None, directory: Path) -> Iterator[str]:
    """Create an empty database at a PostgreSQL server, or a SQLite file in the directory without one."""
    if not server:
        yield f"sqlite+aiosqlite:///{directory}/workroom-{uuid.uuid4().hex}.db"
        return
    name = f"workroom_test_{uuid.uuid4().hex}"
    run_in_thread(_administer(server, f'CREATE DATABASE "{name}"'))
    try:
        yield sa.make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        run_in_thread(_administer(server, f'DROP DATABASE "{name}" WITH (FORCE)'))


@contextmanager
def migrated_database(directory: Path) -> Iterator[str]:
    """Create a database, apply every migration and return its URL. On Citus, its tables are distributed."""
    with empty_database(directory) as url:
        migrate(url)
        if os.environ.get("TEST_CITUS_URL"):
            with ThreadPoolExecutor(1) as thread:
                thread.submit(citus.distribute, url).result()
        yield url


def migrate(database_url: str, revision: str = "head") -> None:
    """Apply migrations, in a thread because Alembic's environment runs its own event loop."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(command.upgrade, alembic_config(database_url), revision).result()


def run_in_thread(work: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine to its end, with or without a running loop."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()


async def _administer(server: str, statement: str) -> None:
    engine = create_async_engine(server, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(sa.text(statement))
    await engine.dispose()
