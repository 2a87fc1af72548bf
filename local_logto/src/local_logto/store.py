"""The provider's SQLite file: its engine, columns that tables share, IDs, and the clock."""

from __future__ import annotations

import secrets
import string
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import event

from local_logto.schema import create_or_complete

metadata = sa.MetaData()

_LOWER_ID = string.digits + string.ascii_lowercase
_SECRET = string.digits + string.ascii_letters


def new_id(length: int = 21) -> str:
    """Return a Logto ID: 21 characters of ``[0-9a-z]``. Users, organizations and connectors have 12."""
    return "".join(secrets.choice(_LOWER_ID) for _ in range(length))


def new_secret() -> str:
    """Return a client secret or signing key: 32 characters of ``[0-9A-Za-z]``."""
    return "".join(secrets.choice(_SECRET) for _ in range(32))


def now_ms() -> int:
    """Return epoch milliseconds, the unit of every time in the Management API."""
    return time.time_ns() // 1_000_000


def json_column(name: str, default: str = "{}") -> sa.Column[object]:
    """Return a required column of JSON, by default an empty object."""
    return sa.Column(name, sa.JSON, nullable=False, server_default=default)


def reference(name: str, target: str, *, primary_key: bool = False, nullable: bool = False) -> sa.Column[str]:
    """Return a foreign key column. Rows are deleted together with the row they refer to."""
    return sa.Column(
        name,
        sa.String,
        sa.ForeignKey(target, ondelete="CASCADE"),
        primary_key=primary_key,
        nullable=nullable,
    )


class Store:
    """The open database. All work runs in ``with store.begin() as connection``, on the event loop's thread.

    The file is local, so a statement takes less time than handing it to another thread and back. Such a block
    awaits nothing: another request would find its transaction open.
    """

    def __init__(self, path: Path) -> None:
        self._engine = sa.create_engine(
            f"sqlite:///{path}",
            connect_args={"timeout": 10},  # seconds to wait for another process that writes
            poolclass=sa.NullPool,
            hide_parameters=True,  # hashes and addresses must not appear in logged errors
        )
        event.listen(self._engine, "connect", _set_pragmas)
        self._connection: sa.Connection | None = None

    def open(self) -> None:
        """Create or complete the file. Raises ``OutdatedSchema`` if it can't be completed."""
        self._connection = self._engine.connect()
        with self.begin() as connection:
            create_or_complete(connection, metadata)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """Open one transaction. It commits at the end of the block and rolls back if the block raises.

        Raises ``InvalidRequestError`` if one is open already.
        """
        if self._connection is None:
            raise RuntimeError("the store is not open")
        with self._connection.begin():
            yield self._connection


def _lower(value: object) -> object:
    """Lower-case each letter by itself, as PostgreSQL does for Logto. SQLite's function knows ASCII only."""
    if not isinstance(value, str):
        return value
    return "".join(small if len(small := char.lower()) == 1 else char for char in value)


def _set_pragmas(connection: object, _record: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]
    connection.create_function("lower", 1, _lower, deterministic=True)  # type: ignore[attr-defined]
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()
