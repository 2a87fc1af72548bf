"""What a database failure means: the database is busy or unavailable, or our statement is wrong."""

from __future__ import annotations

import sqlite3
from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from saas_app.errors import AppError, DatabaseBusy, DatabaseUnavailable
from saas_app.text.translation import _

_LOCKED: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_PRIMARY: Final = 0xFF  # the primary code of an extended one
_NO_CONNECTION: Final = ("08", "57P")  # SQLSTATE: connection exceptions; shutting down, starting up
_TOO_MANY: Final = "53300"
_IN_THE_WAY: Final = frozenset({"40001", "40P01", "55P03"})  # SQLSTATE: serialization, deadlock, lock timeout


def is_locked(error: BaseException) -> bool:
    """Return whether SQLite refused because another connection holds its lock. Nothing was changed."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(cause, "sqlite_errorcode", None)
    return code is not None and code & _PRIMARY in _LOCKED


def is_disconnected(error: BaseException) -> bool:
    """Return whether the connection to the server was lost."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    return _sqlstate(error).startswith(_NO_CONNECTION)


def explained(error: Exception) -> AppError | None:
    """Return the error to raise for a temporary failure, or None for a mistake in our statement."""
    if is_locked(error):
        return DatabaseBusy(_("Another program is writing to the database."))
    if isinstance(error, sa.exc.TimeoutError):
        return DatabaseBusy(_("All connections to the database are in use."))
    if _sqlstate(error) in _IN_THE_WAY:
        return DatabaseBusy(_("Another change was in the way."))
    if is_disconnected(error) or _sqlstate(error) == _TOO_MANY or _has_no_response(error):
        return DatabaseUnavailable(_("The database did not respond."))
    return None


def _has_no_response(error: BaseException) -> bool:
    """Return whether the server did not answer. Refused connections and timeouts may come wrapped."""
    return isinstance(error, (OSError, TimeoutError)) or isinstance(error.__cause__, (OSError, TimeoutError))


def _sqlstate(error: BaseException) -> str:
    cause = error.orig if isinstance(error, DBAPIError) else error
    return str(getattr(cause, "sqlstate", None) or "")
