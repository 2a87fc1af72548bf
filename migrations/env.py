"""How migrations reach the database: the application's own URL and tables, one transaction a migration."""

import asyncio
import os

import sqlalchemy as sa
from alembic import context
from sqlalchemy.ext.asyncio import create_async_engine

import saas_app.models  # noqa: F401 - registers every table
from saas_app.db.base import Base, UtcDateTime

_LOCK = 7_262_001  # one migration at a time on PostgreSQL, whoever starts it


def _database_url() -> str:
    return (
        context.config.attributes.get("database_url")
        or os.environ.get("DATABASE_URL")
        or "sqlite+aiosqlite:///var/workroom.db"
    )


def _render_item(type_: str, item: object, autogen_context: object) -> str | bool:
    if type_ == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


def _configure(**how: object) -> None:
    context.configure(
        target_metadata=Base.metadata,
        render_as_batch=True,
        compare_type=True,
        compare_server_default=True,
        transaction_per_migration=True,
        render_item=_render_item,
        **how,
    )


def _run(connection: sa.Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SET lock_timeout = '10s'"))
        connection.execute(sa.text(f"SELECT pg_advisory_lock({_LOCK})"))
        connection.commit()
    _configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text(f"SELECT pg_advisory_unlock({_LOCK})"))
        connection.commit()


async def _run_online() -> None:
    engine = create_async_engine(_database_url())
    async with engine.connect() as connection:
        await connection.run_sync(_run)
    await engine.dispose()


if context.is_offline_mode():
    _configure(url=_database_url(), literal_binds=True, dialect_opts={"paramstyle": "named"})
    with context.begin_transaction():
        context.run_migrations()
else:
    asyncio.run(_run_online())
