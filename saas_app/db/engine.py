"""One engine a process, for SQLite (embedded) or PostgreSQL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from saas_app.db.storable import as_json, keep_storable
from saas_app.db.tenant_scope import guard_engine


def create_engine(database_url: str) -> AsyncEngine:
    """An engine whose connections are ready for us: foreign keys, WAL, tenant lock."""
    url = sa.make_url(database_url)
    if url.get_backend_name() == "sqlite":
        engine = create_async_engine(
            url, hide_parameters=True, json_serializer=as_json, connect_args={"timeout": 15}
        )
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        if url.database:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    else:
        engine = create_async_engine(
            url, hide_parameters=True, json_serializer=as_json, pool_size=10, max_overflow=10
        )
    guard_engine(engine.sync_engine)
    keep_storable(engine.sync_engine)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA busy_timeout=15000")
    cursor.close()
