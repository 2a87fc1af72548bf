"""How sessions begin and end transactions: on PostgreSQL, with whose rows these may see.

Row-level security compares rows with two settings of the transaction: an organization and a key. Procedures
of the database set them (``workroom_enter``) and check that they are unchanged (``workroom_leave``). They end
with the transaction, so they reach nobody else on a connection that a pool or PgBouncer shares.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
import structlog
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError

from saas_app.db.keys import Key
from saas_app.db.tenant_scope import OutsideTenant
from saas_app.text.cleaning import storable

log = structlog.get_logger(__name__)

_OTHER_TENANT: Final = "WR001"
"""The SQLSTATE with which both procedures refuse another organization or key."""


@dataclass(frozen=True, slots=True)
class Transactions:
    """The transactions of one session: for this organization, and with this key.

    This class is for SQLite, where a reading statement is a transaction by itself, and
    :mod:`saas_app.db.writers` begins the others.
    """

    organization_id: str | None
    key: Key | None

    def include(self, others: Transactions) -> bool:
        """Return whether these may see all that the others may, and no other organization."""
        is_same_organization = (self.organization_id or "") == (others.organization_id or "")
        return is_same_organization and others.key in (None, self.key)

    def begin_reading(self, connection: sa.Connection, *, another: bool = False) -> None:
        """Begin a transaction that changes nothing, whose statements each see what is committed.

        ``another``: end the one that is open first.
        """

    def begin_snapshot(self, connection: sa.Connection) -> None:
        """Begin a transaction that changes nothing, and sees what was committed at its first statement."""
        connection.exec_driver_sql("BEGIN")

    def begin_writing(self, connection: sa.Connection) -> None:
        """Begin a transaction that changes something."""

    def commit(self, connection: sa.Connection) -> None:
        """Commit the transaction."""
        connection.commit()


class GuardedTransactions(Transactions):
    """Transactions on PostgreSQL, under row-level security.

    Methods raise :class:`OutsideTenant` if the connection's settings belong to another organization or key,
    and ``sqlalchemy.exc.DBAPIError``.
    """

    __slots__ = ()

    def begin_reading(self, connection: sa.Connection, *, another: bool = False) -> None:
        end = "ROLLBACK; " if another else ""
        self._begin(connection, f"{end}BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY")

    def begin_snapshot(self, connection: sa.Connection) -> None:
        self._begin(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    def begin_writing(self, connection: sa.Connection) -> None:
        self._begin(connection, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")

    def commit(self, connection: sa.Connection) -> None:
        """Commit, unless the settings were changed in the middle of the transaction."""
        _send(connection, f"CALL workroom_leave({self._settings()}); COMMIT")
        connection.commit()  # tells SQLAlchemy

    def _begin(self, connection: sa.Connection, begin: str) -> None:
        try:
            _send(connection, f"{begin}; CALL workroom_enter({self._settings()})")
        except OutsideTenant:
            connection.invalidate()  # its settings outlived a transaction
            raise

    def _settings(self) -> str:
        return f"{_quoted(self.organization_id)}, {_quoted(self.key)}"


def transactions_on(engine: sa.Engine, organization_id: str | None, key: Key | None) -> Transactions:
    """Return the transactions of a session on this engine."""
    kind = Transactions if engine.dialect.name == "sqlite" else GuardedTransactions
    return kind(organization_id, key)


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
        # a failure of the driver itself means that it is still reading the end of its connection
        is_of_driver = not hasattr(failure, "sqlstate") and not isinstance(failure, TimeoutError)
        is_lost = is_of_driver or adapter.driver_connection.is_closed()
        if is_lost:
            connection.invalidate(failure)
        command = statements.partition(";")[0].partition("(")[0]  # without values
        raise DBAPIError(command, None, failure, connection_invalidated=is_lost) from failure


def end_left_over(engine: sa.Engine) -> None:
    """Make the pool end a transaction that is open when its connection returns."""
    event.listen(engine, "reset", _roll_back)


def _roll_back(connection: Any, _record: Any, state: Any) -> None:
    driver = connection.driver_connection
    if not state.asyncio_safe or state.terminate_only or not driver.is_in_transaction():
        return
    try:
        connection.run_async(lambda found: found.execute("ROLLBACK"))
    except Exception as failure:  # noqa: BLE001  # whatever it is, the connection is not used again
        log.info("a connection was lost before its transaction ended", cause=type(failure).__name__)
        driver.terminate()  # the pool replaces it at its next use
