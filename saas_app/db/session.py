"""Sessions: of one organization or outside any, usable after a cancellation, with failures converted.

A :class:`ReadingSession` executes statements and nothing else, so it needs no unit of work of the ORM. A
:class:`WritingSession` is one transaction. Queries accept both, as a :class:`DatabaseSession`.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable
from functools import cache, cached_property, partial
from typing import Any, Final, TypeVar

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util import greenlet_spawn

from saas_app.db.base import Base
from saas_app.db.failures import explained, is_disconnected, is_locked
from saas_app.db.kept_connection import Kept, kept_connection, release_kept
from saas_app.db.keys import Key
from saas_app.db.shielding import shielded
from saas_app.db.statements import examine
from saas_app.db.tenant_scope import ORGANIZATION_OPTION, Scoped, TenantSession, scope
from saas_app.db.transactions import transactions_on
from saas_app.db.writers import Writers

log = structlog.get_logger(__name__)

_PAUSE: Final = 0.05  # seconds before a read is tried again
_FAILURES: Final = (DBAPIError, PoolTimeout, OSError)

Call = Callable[[], Awaitable[Any]]
Begin = Callable[[sa.Connection], None]
Row = TypeVar("Row", bound=Base)


class DatabaseSession(ABC):
    """What a query needs: a session that reads.

    Its methods raise :class:`saas_app.errors.DatabaseBusy` and :class:`saas_app.errors.DatabaseUnavailable`
    for temporary failures.
    """

    def __init__(
        self, engine: AsyncEngine, organization_id: str | None, key: Key | None, patience: float
    ) -> None:
        self._engine = engine.sync_engine
        self._organization_id = organization_id
        self._patience = patience
        self._connection: sa.Connection | None = None
        self._transactions = self._begun = transactions_on(self._engine, organization_id, key)

    @property
    def dialect_name(self) -> str:
        """The database: ``sqlite`` or ``postgresql``."""
        return str(self._engine.dialect.name)

    @abstractmethod
    async def execute(self, statement: Any, parameters: Any = None) -> Any:
        """Execute a statement and return its result, with all rows fetched."""

    async def scalar(self, statement: Any, parameters: Any = None) -> Any:
        """Execute a statement and return the first column of its first row, or None without rows."""
        return (await self.execute(statement, parameters)).scalar()

    async def scalars(self, statement: Any, parameters: Any = None) -> Any:
        """Execute a statement and return the first column of its rows."""
        return (await self.execute(statement, parameters)).scalars()

    def _open(self, begin: Begin) -> sa.Connection:
        """Fetch a connection and begin its transaction. Without one, it is not used."""
        connection = self._engine.connect()
        try:
            begin(connection)
        except BaseException:
            connection.close()
            raise
        return connection


class ReadingSession(DatabaseSession):
    """A session that only reads. Each statement sees what is committed when it begins.

    The connection is fetched by the first statement, and returned by :meth:`close` or after a failure. In a
    request, it is kept between statements instead (:mod:`saas_app.db.kept_connection`). A statement is tried
    again if it finds SQLite locked or its connection lost.
    """

    async def execute(self, statement: Any, parameters: Any = None) -> Any:
        known = examine(statement)
        if known.is_change:
            raise TypeError("a reading session changes nothing; use a writing one")
        if known.loads_objects:
            raise TypeError("a reading session returns columns, not objects; select the columns")
        scoped = scope(known, statement, parameters, self._organization_id)
        return await shielded(_explained(partial(self._answer, scoped)))

    async def close(self) -> None:
        """Return the connection to the pool, which ends its transaction."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await shielded(greenlet_spawn(connection.close))

    async def _answer(self, scoped: Scoped) -> Any:
        place = kept_connection()
        if place is None or self._connection is not None:
            return await self._send(scoped)
        if (kept := await place.take(self._engine)) is not None:
            self._connection, self._begun = kept
        try:
            result = await self._send(scoped)
        except BaseException:
            place.put(None)
            raise
        if self._connection is not None and place.put(Kept(self._connection, self._begun)):
            self._connection = None
        return result

    async def _send(self, scoped: Scoped) -> Any:
        """Send a statement. Wait while SQLite is locked, and replace a lost connection once."""
        deadline, was_disconnected = None, False
        while True:
            try:
                return await greenlet_spawn(self._execute, scoped)
            except Exception as failure:
                await self.close()  # on PostgreSQL, its transaction has failed
                if not isinstance(failure, DBAPIError):
                    raise
                now = asyncio.get_running_loop().time()
                deadline = deadline or now + self._patience
                if is_locked(failure):
                    if now + _PAUSE > deadline:
                        raise
                elif is_disconnected(failure) and not was_disconnected:
                    was_disconnected = True
                else:
                    raise
            await asyncio.sleep(_PAUSE)

    def _execute(self, scoped: Scoped) -> Any:
        if self._connection is None:
            self._connection, self._begun = self._open(self._begin), self._transactions
        elif not self._begun.include(self._transactions):
            self._transactions.begin_reading(self._connection, another=True)
            self._begun = self._transactions
        return _execute(self._connection, scoped)

    @property
    def _begin(self) -> Begin:
        return self._transactions.begin_reading


class SnapshotSession(ReadingSession):
    """A reading session whose statements all see the database as it was at the first one.

    It does not try again, because another connection would see another state.
    """

    async def _answer(self, scoped: Scoped) -> Any:
        await release_kept()
        return await greenlet_spawn(self._execute, scoped)

    @property
    def _begin(self) -> Begin:
        return self._transactions.begin_snapshot


class WritingSession(DatabaseSession):
    """A session of one transaction, which begins with its first change, when it is this writer's turn.

    Its calls end before a cancellation takes effect, so that it can always be closed. Statements run on the
    connection; only what works with instances of mapped classes goes through a session of the ORM.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        organization_id: str | None,
        key: Key | None,
        writers: Writers,
        patience: float,
    ) -> None:
        super().__init__(engine, organization_id, key, patience)
        self._writers = writers
        self._last_rows: dict[type[Base], list[dict[str, Any]]] = {}
        self._has_seat = self._has_turn = False

    @cached_property
    def _objects(self) -> TenantSession:
        return TenantSession(
            autoflush=False, expire_on_commit=False, info={ORGANIZATION_OPTION: self._organization_id}
        )

    async def execute(self, statement: Any, parameters: Any = None) -> Any:
        known = examine(statement)
        if known.loads_objects:
            return await self._run_objects(
                partial(self._objects.execute, statement, parameters), changes=known.is_change
            )
        scoped = scope(known, statement, parameters, self._organization_id)
        return await self._run(partial(self._send, scoped), changes=known.is_change)

    def insert_at_commit(self, model: type[Base], row: dict[str, Any]) -> None:
        """Insert a row in the last step of the transaction, together with the others of its table."""
        self._last_rows.setdefault(model, []).append(row)

    def add(self, instance: Base) -> None:
        """Insert an instance of a mapped class at the next flush."""
        self._objects.add(instance)

    def add_all(self, instances: Iterable[Base]) -> None:
        """Insert instances of mapped classes at the next flush."""
        self._objects.add_all(instances)

    async def get(self, model: type[Row], key: Any, **options: Any) -> Row | None:
        """Return the instance with this primary key, or None."""
        found: Row | None = await self._run_objects(partial(self._objects.get, model, key, **options))
        return found

    async def get_one(self, model: type[Row], key: Any, *, for_update: bool = False) -> Row:
        """Return the instance with this primary key. Raises ``sqlalchemy.exc.NoResultFound``."""
        call = partial(self._objects.get_one, model, key, with_for_update=for_update)
        found: Row = await self._run_objects(call, changes=for_update)
        return found

    async def flush(self) -> None:
        """Write new and changed instances to the database."""
        await self._run_objects(self._objects.flush, changes=True)

    async def commit(self) -> None:
        """Write what is left to write, and commit the transaction."""
        if "_objects" in self.__dict__ and _is_dirty(self._objects):
            await self.flush()
        for model, rows in self._last_rows.items():
            await self.execute(_insert_into(model), rows)
        self._last_rows.clear()
        if self._connection is not None:
            await self._run(self._commit)
        await self.close()

    async def rollback(self) -> None:
        """Roll the transaction back. The session can be used again."""
        await self.close()

    async def close(self) -> None:
        """Return the connection to the pool. A transaction that was not committed is rolled back."""
        self._last_rows.clear()
        self.__dict__.pop("_objects", None)
        connection, self._connection = self._connection, None
        try:
            if connection is not None:
                await shielded(greenlet_spawn(connection.close))
        finally:
            self._leave()

    async def _run_objects(self, call: Callable[[], Any], *, changes: bool = False) -> Any:
        def run() -> Any:
            self._objects.bind = self._connected()
            return call()

        return await self._run(run, changes=changes)

    async def _run(self, call: Callable[[], Any], *, changes: bool = False) -> Any:
        """Call a function of SQLAlchemy when this session may have a connection and, to change, its turn."""
        if not self._has_seat or (changes and self._writers.one_at_a_time and not self._has_turn):
            await self._enter(changes=changes)
        return await shielded(_explained(partial(greenlet_spawn, call)))

    async def _enter(self, *, changes: bool) -> None:
        deadline = asyncio.get_running_loop().time() + self._patience
        if not self._has_seat:
            await release_kept()
            await self._writers.acquire_slot(deadline)
            self._has_seat = True
        if changes and self._writers.one_at_a_time and not self._has_turn:
            connection = await shielded(_explained(partial(greenlet_spawn, self._connected)))
            await self._writers.begin_alone(connection, deadline)
            self._has_turn = True

    def _connected(self) -> sa.Connection:
        """Return the connection, in its transaction. The first call fetches it."""
        if self._connection is None:
            connection = self._open(self._transactions.begin_writing)
            if self._organization_id is not None:
                connection.execution_options(**{ORGANIZATION_OPTION: self._organization_id})
            self._connection = connection
        return self._connection

    def _commit(self) -> None:
        connection = self._connected()
        self._transactions.commit(connection)
        connection.close()
        self._connection = None

    def _send(self, scoped: Scoped) -> sa.CursorResult[Any]:
        return _execute(self._connected(), scoped)

    def _leave(self) -> None:
        if self._has_turn:
            self._has_turn = False
            self._writers.end_turn()
        if self._has_seat:
            self._has_seat = False
            self._writers.release_slot()


def _is_dirty(objects: TenantSession) -> bool:
    return bool(objects.new or objects.dirty or objects.deleted)


def _execute(connection: sa.Connection, scoped: Scoped) -> sa.CursorResult[Any]:
    statement, parameters, options = scoped
    return connection.execute(statement, parameters, execution_options=options)


@cache
def _insert_into(model: type[Base]) -> sa.Insert:
    return sa.insert(model)


async def _explained(call: Call) -> Any:
    """Make the call, and convert temporary failures to our own errors."""
    try:
        return await call()
    except _FAILURES as failure:
        if (error := explained(failure)) is None:
            raise
        log.warning("the database could not answer", why=error.detail, cause=_on_one_line(failure))
        raise error from failure


def _on_one_line(failure: Exception) -> str:
    """Return the cause on one line. A stack trace would add nothing, and under load there are many."""
    return " ".join(f"{type(failure).__name__}: {failure}".split())[:300]
