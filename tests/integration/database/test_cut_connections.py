"""Connections that PostgreSQL cut, and a database that is down. Neither causes a 500."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from saas_app.app import create_app
from saas_app.config import Settings
from saas_app.db import engine as engines
from saas_app.db.base import new_uuid, utc_now
from saas_app.db.engine import create_engine
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.errors import DatabaseUnavailable
from saas_app.models import LeaseRow
from tests.clients import SAME_ORIGIN
from tests.databases import Database, postgresql_server
from tests.integration.database.network import Network, open_network

on_postgres = pytest.mark.skipif(not postgresql_server(), reason="SQLite has no connections that can be cut")


async def read(work: UnitOfWork) -> None:
    async with work.reading() as db:
        await db.scalar(sa.select(sa.func.count()).select_from(LeaseRow))


async def write(work: UnitOfWork) -> None:
    async with work.writing() as db:
        db.add(LeaseRow(name=f"test:{new_uuid()}", owner=new_uuid(), until=utc_now()))


async def cut_every_connection(database: Database) -> None:
    """Cut the connections, as a restart of the server does."""
    engine = create_async_engine(database.admin_url)
    async with engine.connect() as connection:
        await connection.execute(
            sa.text(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    await engine.dispose()


@on_postgres
@pytest.mark.parametrize("first", [read, write])
async def test_the_first_use_of_a_cut_connection_works(
    work: UnitOfWork, database: Database, first: object
) -> None:
    await asyncio.gather(*(read(work) for _ in range(6)))
    await cut_every_connection(database)
    await asyncio.gather(*(first(work) for _ in range(6)))  # type: ignore[operator]


@on_postgres
async def test_under_load_reading_works_and_a_lost_change_is_reported(
    work: UnitOfWork, database: Database
) -> None:
    is_over, lost = asyncio.Event(), 0

    async def keep_reading() -> None:
        while not is_over.is_set():
            await read(work)

    async def keep_writing() -> None:
        nonlocal lost
        while not is_over.is_set():
            try:
                await write(work)
            except DatabaseUnavailable:
                lost += 1

    load = [asyncio.create_task(keep_reading()) for _ in range(6)]
    load += [asyncio.create_task(keep_writing()) for _ in range(3)]
    for _ in range(5):
        await asyncio.sleep(0.1)
        await cut_every_connection(database)
    is_over.set()
    await asyncio.gather(*load)
    await write(work)


@on_postgres
async def test_a_busy_pool_needs_no_extra_round_trip(
    work: UnitOfWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_connection: object) -> None:
        raise AssertionError("a connection in use was tested again")

    await read(work)
    monkeypatch.setattr(engines, "_ping", fail)
    await read(work)


@pytest.fixture
async def network(database: Database) -> AsyncIterator[Network]:
    async with open_network(sa.make_url(database.url)) as network:
        yield network


@on_postgres
async def test_an_idle_connection_that_died_silently_is_replaced(
    database: Database, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "_IDLE", 0.0)
    monkeypatch.setattr(engines, "_PING_TIMEOUT", 0.5)
    url = sa.make_url(database.url).set(host="127.0.0.1", port=network.port)
    engine = create_engine(url.render_as_string(hide_password=False))
    work = UnitOfWork(engine)
    await read(work)
    network.drop_open_connections()
    async with asyncio.timeout(10):
        await read(work)
        await write(work)
    await engine.dispose()


@on_postgres
@pytest.mark.skipif(sys.platform != "linux", reason="not every system has these options")
async def test_the_system_gives_a_connection_up_soon_after_the_network_was_cut(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        found = driver._transport.get_extra_info("socket")

    options = (socket.TCP_USER_TIMEOUT, socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
    assert [found.getsockopt(socket.IPPROTO_TCP, option) for option in options] == [5000, 2, 1, 3]
    assert found.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1


async def test_without_a_database_requests_are_answered_503(settings: Settings) -> None:
    async with open_network(None) as network:
        port = network.port
    gone = settings.model_copy(
        update={"database_url": f"postgresql+asyncpg://nobody@127.0.0.1:{port}/nothing"}
    )
    app = create_app(gone)
    async with app.test_app():
        client = app.test_client()
        client.set_cookie("localhost", "workroom_session", "anything")
        for method, path in (("GET", "/o"), ("POST", "/o/new"), ("GET", "/api/v1/me"), ("GET", "/")):
            answer = await client.open(path, method=method, headers=SAME_ORIGIN)
            assert answer.status_code == 503, path
            assert int(answer.headers["Retry-After"]) > 0
        assert (await client.get("/readyz")).status_code == 503
