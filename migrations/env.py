"""How migrations run: on the application's database URL and tables, in transactions."""

import asyncio
import os

import sqlalchemy as sa
from alembic import context
from sqlalchemy import event
from sqlalchemy.ext.asyncio import create_async_engine

import saas_app.models  # noqa: F401 - registers every table
from saas_app.db import row_security
from saas_app.db.base import Base, UtcDateTime
from saas_app.db.connecting import connecting_to
from saas_app.operations.database.distribution import place_new_tables, prepare


def _database_url() -> str:
    return (
        context.config.attributes.get("database_url")
        or os.environ.get("DATABASE_URL")
        or "sqlite+aiosqlite:///var/workroom.db"
    )


def _render_item(type_: str, item: object, _context: object) -> str | bool:
    """Write types that every database knows, also for tables that are read from SQLite to be dropped."""
    if type_ == "type" and isinstance(item, (UtcDateTime, sa.DateTime)):
        return "sa.DateTime(timezone=True)"
    if type_ == "type" and isinstance(item, sa.CHAR):
        return "sa.Uuid()"
    return False


def _include_object(item: sa.schema.SchemaItem, _name: object, _type: str, *_other: object) -> bool:
    """Leave out indexes of another database, which ``saas_app.db.search`` declares."""
    dialect = context.get_context().dialect.name
    return not isinstance(item, sa.Index) or item.info.get("dialect", dialect) == dialect


def _configure(**how: object) -> None:
    context.configure(
        target_metadata=Base.metadata,
        render_as_batch=True,
        compare_type=True,
        compare_server_default=True,
        render_item=_render_item,
        include_object=_include_object,
        **how,
    )


def _run(connection: sa.Connection) -> None:
    # On PostgreSQL, one transaction for all holds the lock: behind a pooler, clients share sessions.
    _configure(
        connection=connection,
        transaction_per_migration=connection.dialect.name == "sqlite",
        on_version_apply=lambda **_: place_new_tables(connection),
    )
    with context.begin_transaction():
        context.run_migrations()
        is_newest = _is_newest()
    if connection.dialect.name == "postgresql" and is_newest:
        secured = row_security.apply(connection.engine, Base.metadata)
        context.config.attributes["secured"] = secured  # for saas_app.operations.migrate


def _is_newest() -> bool:
    """Return whether the tables are those that the models declare, and not of an older revision."""
    heads = set(context.script.get_heads())
    return set(context.get_context().get_current_heads()) == heads


async def _run_online() -> None:
    connecting = connecting_to(_database_url())
    engine = create_async_engine(connecting.url, connect_args=connecting.connect_args)
    if not connecting.is_sqlite:
        event.listen(engine.sync_engine, "begin", prepare)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_run)
    finally:
        await engine.dispose()


if context.is_offline_mode():
    _configure(url=_database_url(), literal_binds=True, dialect_opts={"paramstyle": "named"})
    with context.begin_transaction():
        context.run_migrations()
else:
    asyncio.run(_run_online())
