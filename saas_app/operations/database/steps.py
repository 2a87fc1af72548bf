"""Steps on a database: run one after the other, each reported when it has ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from saas_app.config import DatabaseLocation
from saas_app.db.connecting import connecting_to
from saas_app.errors import ConfigurationError
from saas_app.operations.migrate import call_with_connection
from saas_app.text.translation import Sentence, _


@dataclass(frozen=True, slots=True)
class Step:
    """One step, and whether it changed anything."""

    what: Sentence
    is_done: bool


Steps = Callable[[sa.Engine], Iterator[Step]]


def run_steps(location: DatabaseLocation, steps: Steps, report: Callable[[Step], None]) -> None:
    """Run steps on a database. Must not be called in a running event loop.

    Raises :class:`ConfigurationError` if the database is not PostgreSQL, or cannot be reached.
    """
    if connecting_to(location.url, location.setting).is_sqlite:
        raise ConfigurationError(
            _("The command needs PostgreSQL, and %(setting)s names a SQLite file.", setting=location.setting)
        )

    def run(connection: sa.Connection) -> None:
        for step in steps(connection.engine):
            report(step)

    call_with_connection(location, run)
