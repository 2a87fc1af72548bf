"""The database that a command works on, which must be at the newest migration."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from saas_app.db.engine import create_engine
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.errors import ConfigurationError
from saas_app.operations.deployment import load_deployment_settings
from saas_app.operations.migrate import read_state
from saas_app.text.translation import _

_R = TypeVar("_R")


def on_database(work_on: Callable[[UnitOfWork, str], Awaitable[_R]]) -> _R:
    """Call a function with the database, as its owner, and with its migration. Returns the result.

    Must not be called in a running event loop. Raises :class:`ConfigurationError` if the database cannot be
    read, or is not at the newest migration.
    """
    location = load_deployment_settings().for_owner
    state = read_state(location)
    if state.current is None or not state.is_newest:
        raise ConfigurationError(
            _("The database is not at the newest migration. Run 'saas-app migrate' first.")
        )
    return asyncio.run(_run(location.url, state.current, work_on))


async def _run(database_url: str, revision: str, work_on: Callable[[UnitOfWork, str], Awaitable[_R]]) -> _R:
    engine = create_engine(database_url)
    try:
        return await work_on(UnitOfWork(engine), revision)
    finally:
        await engine.dispose()
