"""Applies migrations to a database, and reads which one it is at."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from saas_app.config import MIGRATIONS
from saas_app.db.connecting import Connecting, connecting_to
from saas_app.db.private_files import prepare_private_database
from saas_app.errors import ConfigurationError


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
    try:
        return _find_state(database_url)
    except (SQLAlchemyError, OSError) as error:
        raise _unusable(database_url, error) from None


def migrate(database_url: str) -> MigrationState:
    """Apply pending migrations, and return the state before.

    Must not be called in a running event loop. Raises :class:`ConfigurationError` if the database cannot be
    reached or written.
    """
    try:
        _make_folder(database_url)
        before = _find_state(database_url)
        if not before.is_newest:
            command.upgrade(_configuration(database_url), "head")
    except (SQLAlchemyError, OSError) as error:
        raise _unusable(database_url, error) from None
    return before


def _find_state(database_url: str) -> MigrationState:
    newest = ScriptDirectory.from_config(_configuration(database_url)).get_current_head()
    connecting = connecting_to(database_url)
    path = connecting.url.database or ""
    if connecting.is_sqlite and not Path(path).exists():
        return MigrationState(None, newest)  # connecting would create an empty file
    return MigrationState(asyncio.run(_current_revision(connecting)), newest)


async def _current_revision(connecting: Connecting) -> str | None:
    engine = create_async_engine(connecting.url, connect_args=connecting.connect_args, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(
                lambda sync: MigrationContext.configure(sync).get_current_revision()
            )
    finally:
        await engine.dispose()


def _configuration(database_url: str) -> Config:
    configuration = Config()
    configuration.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    configuration.set_main_option("path_separator", "os")
    configuration.attributes["database_url"] = database_url
    return configuration


def _make_folder(database_url: str) -> None:
    connecting = connecting_to(database_url)
    if connecting.is_sqlite and connecting.url.database:
        prepare_private_database(Path(connecting.url.database))


def _unusable(database_url: str, error: Exception) -> ConfigurationError:
    shown = connecting_to(database_url).url.render_as_string(hide_password=True)
    cause = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
    return ConfigurationError(f"Cannot use the database {shown}: {cause}. Check DATABASE_URL.")
