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

from saas_app.config import MIGRATIONS, DatabaseLocation
from saas_app.db.connecting import Connecting, connecting_to
from saas_app.db.private_files import prepare_private_database
from saas_app.errors import ConfigurationError
from saas_app.text.translation import _

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


@dataclass(frozen=True, slots=True)
class Migrated:
    """What was done to a database: its state before, and the tables whose policies or grants were set."""

    before: MigrationState
    secured: tuple[str, ...]


def read_state(location: DatabaseLocation) -> MigrationState:
    """Read the state of a database. Raises :class:`ConfigurationError` if it cannot be read."""
    with explained_database(location):
        return _find_state(location)


def migrate(location: DatabaseLocation) -> Migrated:
    """Apply pending migrations, and policies and grants that are not as declared.

    Must not be called in a running event loop. Raises :class:`ConfigurationError` if the database cannot be
    reached or written.
    """
    from saas_app.operations.database.protection import find_insecure  # imports this module

    before = _prepare(location)
    if before.is_newest and not find_insecure(location):
        return Migrated(before, ())
    return Migrated(before, _upgrade(location))


def migrate_apart(location: DatabaseLocation) -> None:
    """Apply pending migrations for a server, whose memory is then free of Alembic.

    On Linux, a fork applies them. Must not be called in a running event loop, nor beside other threads.
    Raises :class:`ConfigurationError` if the database cannot be reached or written.
    """
    if _prepare(location).is_newest:
        return
    if sys.platform != "linux":
        _upgrade(location)
        return
    from concurrent.futures import ProcessPoolExecutor  # rarely needed

    with ProcessPoolExecutor(1, mp_context=get_context("fork")) as fork:
        fork.submit(_upgrade, location).result()


def _prepare(location: DatabaseLocation) -> MigrationState:
    with explained_database(location):
        _make_folder(location.url)
        return _find_state(location)


def newest_migration() -> str | None:
    """Return the migration that no other one follows, from the headers of the files."""
    texts = [path.read_text(encoding="utf-8") for path in (MIGRATIONS / "versions").glob("*.py")]
    migrations = {match[1] for text in texts for match in _REVISION.finditer(text)}
    followed = {match[1] for text in texts for match in _DOWN_REVISION.finditer(text)}
    heads = migrations - followed
    if len(heads) > 1:
        raise ConfigurationError(
            _(
                "%(migrations)s has several newest migrations: %(heads)s.",
                migrations=MIGRATIONS,
                heads=", ".join(sorted(heads)),
            )
        )
    return next(iter(heads), None)


def _find_state(location: DatabaseLocation) -> MigrationState:
    newest = newest_migration()
    connecting = connecting_to(location.url)
    path = connecting.url.database or ""
    if connecting.is_sqlite and not Path(path).exists():
        return MigrationState(None, newest)  # connecting would create an empty file
    return MigrationState(call_with_connection(location, _find_revision), newest)


def call_with_connection(location: DatabaseLocation, function: Callable[[sa.Connection], T]) -> T:
    """Call a function with a connection, on an engine of its own, and return its result.

    Must not be called in a running event loop. Raises :class:`ConfigurationError` if the database fails.
    """
    with explained_database(location):
        return asyncio.run(_call(connecting_to(location.url, location.setting), function))


async def _call(connecting: Connecting, function: Callable[[sa.Connection], T]) -> T:
    engine = create_async_engine(connecting.url, connect_args=connecting.connect_args)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(function)
    finally:
        await engine.dispose()


def find_state(connection: sa.Connection) -> MigrationState:
    """Read the state of the database of a connection."""
    return MigrationState(_find_revision(connection), newest_migration())


def _find_revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table(_VERSION.name):
        return None
    return connection.scalar(sa.select(_VERSION.c.version_num))


def _upgrade(location: DatabaseLocation) -> tuple[str, ...]:
    """Run Alembic. Returns the tables whose policies or grants were set (``migrations/env.py``)."""
    from alembic import command  # rarely needed, and slow to import
    from alembic.config import Config

    configuration = Config()
    configuration.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    configuration.set_main_option("path_separator", "os")
    configuration.attributes["database_url"] = location.url
    with explained_database(location):
        command.upgrade(configuration, "head")
    return tuple(configuration.attributes.get("secured", ()))


def _make_folder(database_url: str) -> None:
    connecting = connecting_to(database_url)
    if connecting.is_sqlite and connecting.url.database:
        prepare_private_database(Path(connecting.url.database))


@contextmanager
def explained_database(location: DatabaseLocation) -> Iterator[None]:
    """Convert failures of a database to :class:`ConfigurationError` with its address and the cause."""
    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        raise _unusable(location, error) from None


def _unusable(location: DatabaseLocation, error: Exception) -> ConfigurationError:
    shown = connecting_to(location.url).url.render_as_string(hide_password=True)
    cause = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
    is_other_role = cause.startswith("must be owner of ")
    remedy = (
        _("Name its owner in DATABASE_OWNER_URL")
        if is_other_role
        else _("Check %(setting)s", setting=location.setting)
    )
    return ConfigurationError(
        _(
            "Cannot use the database %(shown)s: %(cause)s. %(remedy)s.",
            shown=shown,
            cause=cause,
            remedy=remedy,
        )
    )
