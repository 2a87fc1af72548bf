"""A migrated database for every test process: SQLite, or PostgreSQL if ``TEST_DATABASE_URL`` names one.

Its user must be a superuser, who creates the database and its roles. The application under test connects with
a role of its own, from which the database hides the rows of other organizations, as in production. If
``TEST_CITUS_URL`` names a database on the coordinator of a Citus cluster, each database is distributed over
its workers; see :mod:`tests.citus`.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import uuid
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.ext.asyncio import create_async_engine

from saas_app.config import DatabaseLocation, DatabaseSettings
from saas_app.operations.database.roles import create_roles
from saas_app.operations.database.steps import run_steps
from tests import citus

ROOT = Path(__file__).resolve().parent.parent
ON_CITUS: Final = bool(os.environ.get("TEST_CITUS_URL"))

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Database:
    """The addresses of a database by role: the application, the owner of the tables, jobs, a superuser.

    On SQLite they are one and the same.
    """

    url: str
    owner_url: str
    jobs_url: str
    admin_url: str

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which an application uses the database."""
        names = ("DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_JOBS_URL")
        return dict(zip(names, (self.url, self.owner_url, self.jobs_url), strict=True))


def alembic_config(database_url: str) -> Config:
    """Return Alembic's configuration of the project for one database."""
    config = Config(ROOT / "alembic.ini")
    config.attributes["database_url"] = database_url
    return config


def postgresql_server() -> str | None:
    """Return the database of a PostgreSQL server or of a Citus coordinator, or None on SQLite."""
    return os.environ.get("TEST_CITUS_URL") or os.environ.get("TEST_DATABASE_URL")


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
    with citus.alone():
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
def migrated_database(directory: Path) -> Iterator[Database]:
    """Create a database with its roles and every migration."""
    with prepared_database(directory) as database:
        migrate(database.owner_url)
        if ON_CITUS:
            in_thread(citus.distribute, database.owner_url)
        yield database


@contextmanager
def prepared_database(directory: Path) -> Iterator[Database]:
    """Create an empty database with its roles."""
    with empty_database(directory) as url, with_roles(url) as database:
        yield database


@contextmanager
def with_roles(url: str) -> Iterator[Database]:
    """Create a role for each address of a PostgreSQL database, and delete them at the end."""
    if url.startswith("sqlite"):
        yield Database(url, url, url, url)
        return
    mark = uuid.uuid4().hex[:16]
    names = [f"workroom_test_{purpose}_{mark}" for purpose in ("app", "owner", "jobs")]
    made = (sa.make_url(url).set(username=name, password=secrets.token_hex(8)) for name in names)
    database = Database(*(one.render_as_string(hide_password=False) for one in made), url)
    settings = DatabaseSettings(
        database_url=database.url, database_owner_url=database.owner_url, database_jobs_url=database.jobs_url
    )
    with citus.alone() if ON_CITUS else nullcontext():
        in_thread(run_steps, DatabaseLocation(url), create_roles(settings), lambda _step: None)
        if ON_CITUS:
            app, _owner, jobs = names
            run_in_thread(citus.confine(url, app, jobs))
    try:
        yield database
    finally:
        with citus.alone() if ON_CITUS else nullcontext():
            for name in names:
                run_in_thread(_administer(url, f"DROP OWNED BY {name} CASCADE"))
                run_in_thread(_administer(url, f"DROP ROLE {name}"))


def migrate(database_url: str, revision: str = "head") -> None:
    """Apply migrations, in a thread because Alembic's environment runs its own event loop."""
    in_thread(command.upgrade, alembic_config(database_url), revision)


def run_in_thread(work: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine to its end, with or without a running loop."""
    in_thread(asyncio.run, work)


def in_thread(function: Callable[..., T], *arguments: Any) -> T:
    """Call a function that runs an event loop of its own, with or without a running loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(function, *arguments).result()


async def _administer(server: str, statement: str) -> None:
    engine = create_async_engine(server, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(sa.text(statement))
    await engine.dispose()
