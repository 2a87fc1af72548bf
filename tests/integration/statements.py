"""The statements that a page runs."""

from __future__ import annotations

from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from tests.clients import Browser


async def statements_of(browser: Browser, path: str) -> list[str]:
    """GET a page, and return the SQL that it ran, on any engine of this process."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        await browser.get(path)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    return statements
