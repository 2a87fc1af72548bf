"""Transactions on PostgreSQL: begun by one message that also says whose rows they may see.

Row-level security compares rows with two settings of the transaction: an organization and a key. Procedures
of the database set them (``workroom_enter``) and check that they are unchanged (``workroom_leave``). They end
with the transaction, so they reach nobody else on a connection that a pool or PgBouncer shares.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError

from saas_app.db.keys import Key
from saas_app.db.tenant_scope import OutsideTenant
from saas_app.text.cleaning import storable

_OTHER_TENANT: Final = "WR001"
"""The SQLSTATE with which both procedures refuse another organization or key."""


@dataclass(frozen=True, slots=True)
class Transactions:
    """The transactions of one session: for this organization, and with this key.

    Methods raise :class:`OutsideTenant` if the connection's settings belong to another organization or key,
    and ``sqlalchemy.exc.DBAPIError``.
    """

    organization_id: str | None
    key: Key | None

    def begin_reading(self, connection: sa.Connection) -> None:
        """Begin a transaction that changes nothing, whose statements each see what is committed."""
        self._begin(connection, "ISOLATION LEVEL READ COMMITTED READ ONLY")

    def begin_snapshot(self, connection: sa.Connection) -> None:
        """Begin a transaction that changes nothing, and sees what was committed at its first statement."""
        self._begin(connection, "ISOLATION LEVEL REPEATABLE READ READ ONLY")

    def begin_writing(self, connection: sa.Connection) -> None:
        """Begin a transaction that changes something."""
        self._begin(connection, "ISOLATION LEVEL READ COMMITTED READ WRITE")

    def commit(self, connection: sa.Connection) -> None:
        """Commit, unless the settings were changed in the middle of the transaction."""
        _send(connection, f"CALL workroom_leave({self._settings()}); COMMIT")

    def _begin(self, connection: sa.Connection, mode: str) -> None:
        try:
            _send(connection, f"BEGIN {mode}; CALL workroom_enter({self._settings()})")
        except OutsideTenant:
            connection.invalidate()  # its settings outlived a transaction
            raise

    def _settings(self) -> str:
        return f"{_quoted(self.organization_id)}, {_quoted(self.key)}"


def _quoted(value: str | None) -> str:
    """Return a text as a literal of SQL, however the server reads backslashes."""
    escaped = storable(value or "").replace("\\", "\\\\").replace("'", "''")
    return f"E'{escaped}'"


def _send(connection: sa.Connection, statements: str) -> None:
    """Send statements in one message. It has no parameters, so their values are quoted in it."""
    adapter: Any = connection.connection.dbapi_connection
    try:
        adapter.run_async(lambda driver: driver.execute(statements))
    except Exception as failure:
        if getattr(failure, "sqlstate", None) == _OTHER_TENANT:
            raise OutsideTenant(str(failure)) from None
        is_lost = adapter.driver_connection.is_closed()
        if is_lost:
            connection.invalidate(failure)
        command = statements.partition(";")[0].partition("(")[0]  # without values
        raise DBAPIError(command, None, failure, connection_invalidated=is_lost) from failure


def end_left_over(engine: sa.Engine) -> None:
    """Make the pool end a transaction that is open when its connection returns."""
    event.listen(engine, "reset", _roll_back)


def _roll_back(connection: Any, _record: Any, state: Any) -> None:
    driver = connection.driver_connection
    if state.asyncio_safe and not state.terminate_only and driver.is_in_transaction():
        connection.run_async(lambda found: found.execute("ROLLBACK"))
