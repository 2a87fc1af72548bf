"""Insert or update, or insert once, in one statement, on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite

from saas_app.db.base import Base
from saas_app.db.session import WritingSession


def insert_into(db: WritingSession, model: type[Base]) -> sqlite.Insert | postgresql.Insert:
    """Return an insert that can handle existing keys, in the dialect of the session's database."""
    return sqlite.insert(model) if db.dialect_name == "sqlite" else postgresql.insert(model)


async def insert_if_absent(
    db: WritingSession, model: type[Base], row: dict[str, Any], *, key: Sequence[str]
) -> bool:
    """Insert ``row`` unless ``key`` exists already. Returns whether it was inserted."""
    statement = insert_into(db, model).on_conflict_do_nothing(index_elements=_columns(model, key))
    written = await db.execute(statement.returning(*_columns(model, key)), [row])
    return written.first() is not None


async def upsert(
    db: WritingSession, model: type[Base], rows: Sequence[dict[str, Any]], *, key: Sequence[str]
) -> None:
    """Insert ``rows``. If ``key`` exists already, replace the other columns of that row."""
    if not rows:
        return
    statement = insert_into(db, model).values(list(rows))
    changed = {name: statement.excluded[name] for name in rows[0] if name not in key}
    await db.execute(statement.on_conflict_do_update(index_elements=_columns(model, key), set_=changed))


def _columns(model: type[Base], names: Sequence[str]) -> list[Any]:
    """Return the columns of these attributes, whose names may differ in the database."""
    return [getattr(model, name) for name in names]
