"""A connection of a test's own to the database that the application uses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from saas_app.db.engine import create_engine
from saas_app.db.unit_of_work import UnitOfWork


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """An engine beside the application's, with the same settings."""
    engine = create_engine(database_url)
    yield engine
    await engine.dispose()


@pytest.fixture
def work(engine: AsyncEngine) -> UnitOfWork:
    """Transactions on the test's own engine."""
    return UnitOfWork(engine)


@pytest.fixture
def count_statements(engine: AsyncEngine) -> Callable[[], Any]:
    """``with count_statements() as statements``: the SQL of the test's engine, each with its parameters."""

    @contextmanager
    def counting() -> Iterator[list[tuple[str, Any]]]:
        statements: list[tuple[str, Any]] = []

        def note(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
            statements.append((statement, parameters))

        event.listen(engine.sync_engine, "before_cursor_execute", note)
        try:
            yield statements
        finally:
            event.remove(engine.sync_engine, "before_cursor_execute", note)

    return counting
