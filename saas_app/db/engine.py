"""The engine: one for each process, on SQLite (embedded) or PostgreSQL."""

from __future__ import annotations

import socket
import time
from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from saas_app.db import sqlite_driver
from saas_app.db.connecting import Connecting, connecting_to
from saas_app.db.private_files import prepare_private_database
from saas_app.db.storable import as_json, replace_unstorable
from saas_app.db.tenant_scope import guard_engine
from saas_app.db.transactions import end_left_over

POOL_SIZE: Final = 10
MAX_OVERFLOW: Final = 10
POOL_PATIENCE: Final = 5.0  # seconds a statement may wait for a connection

_BUSY_TIMEOUT: Final = 250  # milliseconds; short, because sessions try again and can be canceled in between
_IDLE: Final = 30.0  # seconds after which a firewall may have dropped an idle connection
_PING_TIMEOUT: Final = 2.0  # seconds
_CONNECT_TIMEOUT: Final = 10.0  # seconds
_COMMAND_TIMEOUT: Final = 20.0  # seconds; a request that waits longer for a lock gets 503
_KEEPALIVE: Final = {"TCP_KEEPIDLE": 2, "TCP_KEEPINTVL": 1, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 5000}
"""Seconds until an idle connection is probed, between probes, and how many may be lost; milliseconds in which
the server's machine must acknowledge what was sent."""

_OPTIONS: Final[dict[str, Any]] = {
    "hide_parameters": True,
    "isolation_level": "AUTOCOMMIT",  # sessions begin and end transactions themselves
    "json_serializer": as_json,
    "max_overflow": MAX_OVERFLOW,
    "pool_timeout": POOL_PATIENCE,
}


def create_engine(database_url: str, *, pool_size: int = POOL_SIZE) -> AsyncEngine:
    """Create an engine whose connections enforce foreign keys and the tenant scope."""
    connecting = connecting_to(database_url)
    make = _sqlite_engine if connecting.is_sqlite else _postgresql_engine
    engine = make(connecting, {**_OPTIONS, "pool_size": pool_size})
    guard_engine(engine.sync_engine)
    replace_unstorable(engine.sync_engine)
    return engine


def _sqlite_engine(connecting: Connecting, options: dict[str, Any]) -> AsyncEngine:
    path = connecting.url.database or ":memory:"
    engine = create_async_engine(
        connecting.url, async_creator=partial(sqlite_driver.connect, path), **options
    )
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    if connecting.url.database:
        prepare_private_database(Path(connecting.url.database))
    return engine


def _postgresql_engine(connecting: Connecting, options: dict[str, Any]) -> AsyncEngine:
    timeouts = {"timeout": _CONNECT_TIMEOUT, "command_timeout": _COMMAND_TIMEOUT}
    connect_args = {**timeouts, **connecting.connect_args}
    engine = create_async_engine(connecting.url, connect_args=connect_args, **options)
    event.listen(engine.sync_engine, "connect", _notice_lost_network)
    event.listen(engine.sync_engine, "checkout", _replace_lost_connection)
    event.listen(engine.sync_engine, "checkin", _note_idle)
    end_left_over(engine.sync_engine)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT}")
    cursor.close()


def _notice_lost_network(connection: Any, _record: Any) -> None:
    """Let the system break a connection soon after the network to the server was cut.

    A statement would otherwise wait for its own time limit, which has to be long because of locks.
    """
    found = connection.driver_connection._transport.get_extra_info("socket")
    if found.family in (socket.AF_INET, socket.AF_INET6):
        found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _KEEPALIVE.items():
            if hasattr(socket, name):  # not on every system
                found.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _replace_lost_connection(connection: Any, record: Any, _proxy: Any) -> None:
    """Make the pool replace a connection that the server closed, or that is still in a transaction.

    After a restart or ``pg_terminate_backend`` the driver knows this without a query. A connection that was
    idle for a long time is pinged, because firewalls drop connections silently. A busy pool pays nothing.
    """
    driver = connection.driver_connection
    if driver.is_closed():
        raise DisconnectionError("the server closed this connection")
    if driver.is_in_transaction():
        driver.terminate()
        raise DisconnectionError("this connection is still in a transaction")
    if time.monotonic() - record.info.get("idle_since", time.monotonic()) > _IDLE:
        connection.run_async(_ping)


async def _ping(connection: Any) -> None:
    try:
        await connection.execute("SELECT 1", timeout=_PING_TIMEOUT)
    except Exception as error:
        connection.terminate()
        raise DisconnectionError("this connection no longer responds") from error


def _note_idle(_connection: Any, record: Any) -> None:
    record.info["idle_since"] = time.monotonic()
