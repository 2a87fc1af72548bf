"""Watches SQL statements through SQLAlchemy's events, without their parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

Begun = TypeVar("Begun")


def watch_statements(
    engine: AsyncEngine, begin: Callable[[str], Begun], end: Callable[[Begun, str, bool], None]
) -> None:
    """Call ``begin`` with the SQL before each statement, and ``end`` after it.

    ``end`` receives what ``begin`` returned, ``read`` or ``write``, and whether the statement succeeded. A
    statement that is canceled has no end.
    """
    key = object()

    def before(connection: Any, _cursor: Any, sql: str, _parameters: Any, _context: Any, _many: bool) -> None:
        connection.info[key] = begin(sql)

    def after(connection: Any, _cursor: Any, _sql: str, _parameters: Any, context: Any, _many: bool) -> None:
        end(connection.info.pop(key), _kind_of(context), True)

    def failed(failure: Any) -> None:
        if failure.connection is not None and not failure.connection.invalidated:
            begun = failure.connection.info.pop(key, None)
            if begun is not None:
                end(begun, _kind_of(failure.execution_context), False)

    event.listen(engine.sync_engine, "before_cursor_execute", before)
    event.listen(engine.sync_engine, "after_cursor_execute", after)
    event.listen(engine.sync_engine, "handle_error", failed)


def _kind_of(context: Any) -> str:
    is_change = context is not None and (context.isinsert or context.isupdate or context.isdelete)
    return "write" if is_change else "read"
