"""Applies migrations to a database, and reads which one it is at.

A program that starts usually finds a database at the newest migration. Alembic is imported only if it is not.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from saas_app.config import MIGRATIONS
from saas_app.db.connecting import Connecting, connecting_to
from saas_app.db.private_files import prepare_private_database
from saas_app.errors import ConfigurationError

T = TypeVar("T")

_REVISION = re.compile(r"^revision = ['\"](\w+)['\"]", re.MULTILINE)
_DOWN_REVISION = re.compile(r"^down_revision = ['\"](\w+)['\"]", re.MULTILINE)
_VERSION = sa.table("alembic_version", sa.column("version_num", sa.String))


@dataclass(frozen=True, slots=True)
class MigrationState:
    """The migration that a database is at, or None before the first, and the newest one."""

    current: str | None
    newest: str | None

    @property
    def is_newest(self) -> bool:
        """Whether all migrations have been applied."""
        return self.current == self.newest


def read_state(database_url: str) -> MigrationState:
    """Read the state of a database. Raises :class:`ConfigurationError` if it cannot be read."""
    with explained_database(database_url):
        return _find_state(database_url)


def migrate(database_url: str) -> MigrationState:
    """Apply pending migrations, and the policies that an interrupted run left out. Returns the state before.

    Must not be called in a running event loop. Raises :class:`ConfigurationError` if the database cannot be
    reached or written.
    """
    from saas_app.operations.database.protection import find_unprotected  # imports this module

    before = _prepare(database_url)
    if not before.is_newest or find_unprotected(database_url):
        _upgrade(database_url)
    return before


def migrate_apart(database_url: str) -> None:
    """Apply pending migrations for a server, whose memory is then free of Alembic.

    On Linux, a fork applies them. Must not be called in a running event loop, nor beside other threads.
    Raises :class:`ConfigurationError` if the database cannot be reached or written.
    """
    if _prepare(database_url).is_newest:
        return
    if sys.platform != "linux":
        _upgrade(database_url)
        return
    from concurrent.futures import ProcessPoolExecutor  # rarely needed

    with ProcessPoolExecutor(1, mp_context=get_context("fork")) as fork:
        fork.submit(_upgrade, database_url).result()


def _prepare(database_url: str) -> MigrationState:
    with explained_database(database_url):
        _make_folder(database_url)
        return _find_state(database_url)


def newest_migration() -> str | None:
    """Return the migration that no other one follows, from the headers of the files."""
    texts = [path.read_text(encoding="utf-8") for path in (MIGRATIONS / "versions").glob("*.py")]
    migrations = {match[1] for text in texts for match in _REVISION.finditer(text)}
    followed = {match[1] for text in texts for match in _DOWN_REVISION.finditer(text)}
    heads = migrations - followed
    if len(heads) > 1:
        raise ConfigurationError(f"{MIGRATIONS} has several newest migrations: {', '.join(sorted(heads))}.")
    return next(iter(heads), None)


def _find_state(database_url: str) -> MigrationState:
    newest = newest_migration()
    connecting = connecting_to(database_url)
    path = connecting.url.database or ""
    if connecting.is_sqlite and not Path(path).exists():
        return MigrationState(None, newest)  # connecting would create an empty file
    return MigrationState(ask(database_url, _find_revision), newest)


def ask(database_url: str, question: Callable[[sa.Connection], T]) -> T:
    """Call a function with a connection of its own, and return its result.

    Must not be called in a running event loop. Raises :class:`ConfigurationError` if the database fails.
    """
    with explained_database(database_url):
        return asyncio.run(_answer(connecting_to(database_url), question))


async def _answer(connecting: Connecting, question: Callable[[sa.Connection], T]) -> T:
    engine = create_async_engine(connecting.url, connect_args=connecting.connect_args, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(question)
    finally:
        await engine.dispose()


def find_state(connection: sa.Connection) -> MigrationState:
    """Read the state of the database of a connection."""
    return MigrationState(_find_revision(connection), newest_migration())


def _find_revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table(_VERSION.name):
        return None
    return connection.scalar(sa.select(_VERSION.c.version_num))


def _upgrade(database_url: str) -> None:
    from alembic import command  # rarely needed, and slow to import
    from alembic.config import Config

    configuration = Config()
    configuration.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    configuration.set_main_option("path_separator", "os")
    configuration.attributes["database_url"] = database_url
    with explained_database(database_url):
        command.upgrade(configuration, "head")


def _make_folder(database_url: str) -> None:
    connecting = connecting_to(database_url)
    if connecting.is_sqlite and connecting.url.database:
        prepare_private_database(Path(connecting.url.database))


@contextmanager
def explained_database(database_url: str) -> Iterator[None]:
    """Convert failures of a database to :class:`ConfigurationError` with its address and the cause."""
    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        raise _unusable(database_url, error) from None


def _unusable(database_url: str, error: Exception) -> ConfigurationError:
    shown = connecting_to(database_url).url.render_as_string(hide_password=True)
    cause = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
    return ConfigurationError(f"Cannot use the database {shown}: {cause}. Check DATABASE_URL.")
