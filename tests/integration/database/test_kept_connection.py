"""A request reads on one connection, and holds none while it waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextvars import Context
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from local_logto.testing import Provider
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from saas_app.coordination.shared_attempts import SharedAttempts
from saas_app.db import keys
from saas_app.db.base import new_uuid, utc_now
from saas_app.db.engine import create_engine
from saas_app.db.kept_connection import KeptConnection, release_kept
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.errors import DatabaseUnavailable
from saas_app.logto.http import open_http
from saas_app.models import Organization
from saas_app.runtime import Runtime
from tests.conftest import OpenOffice
from tests.databases import Database, postgresql_server
from tests.factories import Factory
from tests.integration.database.test_cut_connections import cut_every_connection
from tests.rules.calls import fill
from tests.rules.routes import TENANT_ROUTES
from tests.rules.rows import make_rows

on_postgres = pytest.mark.skipif(not postgresql_server(), reason="SQLite has no transactions that only read")

ADA, BOB = keys.of_person("ada"), keys.of_person("bob")
NAMES = sa.select(Organization.name)
SETTINGS = sa.select(
    sa.func.current_setting("workroom.organization_id", True), sa.func.current_setting("workroom.key", True)
)


class Pool:
    """What an engine's pool gave out: how many connections, and the most at a time."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._pool = engine.sync_engine.pool
        self.given = self.most = 0
        self.taken, self.returned = asyncio.Event(), asyncio.Event()
        event.listen(self._pool, "checkout", self._note)
        event.listen(self._pool, "checkin", self._note_return)

    @property
    def out(self) -> int:
        """How many connections are out now."""
        return self._pool.checkedout()  # type: ignore[attr-defined, no-any-return]

    def _note(self, *_given: object) -> None:
        self.taken.set()
        self.given += 1
        self.most = max(self.most, self.out)

    def _note_return(self, *_given: object) -> None:
        self.returned.set()

    def close(self) -> None:
        event.remove(self._pool, "checkout", self._note)
        event.remove(self._pool, "checkin", self._note_return)


@pytest.fixture
def pool(engine: AsyncEngine) -> Iterator[Pool]:
    """The pool of the test's engine."""
    pool = Pool(engine)
    yield pool
    pool.close()


@pytest.fixture
def pool_of_the_application(runtime: Runtime) -> Iterator[Pool]:
    """The pool for requests of the application."""
    pool = Pool(runtime.work._engine)
    yield pool
    pool.close()


@pytest.fixture
async def request_context() -> AsyncIterator[KeptConnection]:
    """What a guard opens for a request that changes nothing."""
    async with KeptConnection() as kept:
        yield kept


async def read(work: UnitOfWork, organization_id: str | None, key: keys.Key | None = None) -> None:
    async with work.reading(organization_id, key=key) as db:
        await db.execute(NAMES)


SIGHTS = [
    (("acme", ADA), ("acme", ADA)),
    (("acme", ADA), ("acme", None)),
    (("", ADA), (None, None)),
    (("acme", None), ("globex", None)),
    (("acme", None), (None, None)),
    (("acme", None), ("acme", ADA)),
    (("acme", ADA), ("acme", BOB)),
    ((None, None), ("acme", None)),
]
"""Two sessions of a request, each with its organization and key."""


@pytest.mark.parametrize(("first", "second"), SIGHTS)
async def test_sessions_of_a_request_read_on_one_connection(
    work: UnitOfWork, pool: Pool, request_context: KeptConnection, first: Any, second: Any
) -> None:
    await read(work, *first)
    await read(work, *second)
    assert pool.given == 1


@on_postgres
@pytest.mark.parametrize(("first", "second"), SIGHTS)
async def test_a_session_sees_no_other_organization_and_no_other_key_than_its_own(
    work: UnitOfWork, request_context: KeptConnection, first: Any, second: Any
) -> None:
    await read(work, *first)

    async with work.reading(second[0], key=second[1]) as db:
        organization_id, key = (await db.execute(SETTINGS)).one()

    assert organization_id == (second[0] or "")
    assert key in {second[1] or "", first[1] if second[1] is None else ""}


@on_postgres
async def test_a_session_that_was_interrupted_by_another_sees_its_own_rows_again(
    work: UnitOfWork, request_context: KeptConnection
) -> None:
    async with work.reading("acme", key=ADA) as db:
        await db.execute(SETTINGS)
        await read(work, "globex", BOB)
        assert (await db.execute(SETTINGS)).one() == ("acme", ADA)


async def test_a_session_of_another_engine_never_continues(
    database: Database, work: UnitOfWork, pool: Pool, request_context: KeptConnection
) -> None:
    other = create_engine(database.url)
    await read(work, "acme")
    await read(UnitOfWork(other), "acme")
    assert pool.out == 0
    await request_context.end()
    await other.dispose()


@pytest.mark.parametrize("kind", ["writing", "snapshot"])
async def test_a_transaction_to_write_and_a_snapshot_have_a_connection_of_their_own(
    work: UnitOfWork, pool: Pool, request_context: KeptConnection, kind: str
) -> None:
    await read(work, "acme")
    async with getattr(work, kind)("acme") as db:
        await db.execute(NAMES)
    assert (pool.given, pool.most) == (2, 1)


async def test_statements_of_one_request_see_what_was_committed_between_them(
    work: UnitOfWork, pool: Pool, request_context: KeptConnection
) -> None:
    organization_id = f"o{new_uuid().hex[:11]}"
    statement = NAMES.where(Organization.id == organization_id)
    async with work.reading(organization_id) as db:
        before = await db.scalar(statement)
        await asyncio.create_task(insert_organization(work, organization_id), context=Context())
        after = await db.scalar(statement)
    assert (before, after) == (None, "Acme")


async def insert_organization(work: UnitOfWork, organization_id: str) -> None:
    async with work.writing(organization_id) as db:
        await db.execute(
            sa.insert(Organization), [{"id": organization_id, "name": "Acme", "seen_at": utc_now()}]
        )


async def test_the_end_of_a_request_returns_the_connection(work: UnitOfWork, pool: Pool) -> None:
    async with KeptConnection():
        await read(work, "acme")
    assert (pool.given, pool.out) == (1, 0)


async def test_a_task_that_outlives_its_request_keeps_no_connection(work: UnitOfWork, pool: Pool) -> None:
    ended = asyncio.Event()

    async def read_later() -> None:
        await ended.wait()
        await read(work, "acme")

    async with KeptConnection():
        task = asyncio.create_task(read_later())
    ended.set()
    await task

    assert (pool.given, pool.out) == (1, 0)


async def test_a_request_that_has_waited_keeps_no_connection(
    work: UnitOfWork, pool: Pool, request_context: KeptConnection
) -> None:
    await release_kept()
    await read(work, "acme")
    assert (pool.given, pool.out) == (1, 0)


@on_postgres
async def test_no_connection_is_kept_while_another_statement_of_the_request_runs(
    work: UnitOfWork, pool: Pool, request_context: KeptConnection
) -> None:
    async with work.reading("acme") as db:
        slow = asyncio.create_task(db.execute(sa.select(sa.func.pg_sleep(0.5))))
        await pool.taken.wait()
        await read(work, "globex")
        out = pool.out
        await slow
    assert out == 1


@on_postgres
async def test_a_kept_connection_that_the_server_closed_is_dropped_quietly(
    work: UnitOfWork, pool: Pool, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    async with KeptConnection():
        await read(work, "acme")
        await cut_every_connection(database)

    assert pool.out == 0
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


@on_postgres
async def test_a_session_can_go_on_after_a_statement_that_took_too_long(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("saas_app.db.engine._COMMAND_TIMEOUT", 0.3)
    engine = create_engine(database.url)
    async with UnitOfWork(engine).reading() as db:
        with pytest.raises(DatabaseUnavailable):
            await db.execute(sa.select(sa.func.pg_sleep(30)))
        assert await db.scalar(sa.select(sa.literal(1))) == 1
    await engine.dispose()


async def test_statements_at_the_same_time_have_a_connection_each(
    work: UnitOfWork, pool: Pool, request_context: KeptConnection
) -> None:
    await asyncio.gather(*(read(work, "acme") for _ in range(5)))
    assert pool.out <= 1
    await request_context.end()
    assert pool.out == 0


async def test_a_failed_statement_keeps_no_connection(
    work: UnitOfWork, pool: Pool, request_context: KeptConnection
) -> None:
    with pytest.raises(DBAPIError):
        async with work.reading() as db:
            await db.execute(sa.select(sa.column("nothing")))
    assert pool.out == 0


async def test_a_call_to_logto_releases_the_connection(
    work: UnitOfWork, pool: Pool, request_context: KeptConnection, provider: Provider
) -> None:
    await read(work, "acme")
    async with open_http(30) as http, http.get(f"{provider.endpoint}/oidc/jwks"):
        assert pool.out == 0


async def test_waiting_for_the_call_of_another_request_releases_the_connection(
    work: UnitOfWork, pool: Pool, request_context: KeptConnection
) -> None:
    attempts, answered = SharedAttempts(), asyncio.Event()
    leader = asyncio.create_task(attempts.join("token", answered.wait), context=Context())
    await read(work, "acme")
    follower = asyncio.create_task(attempts.join("token", answered.wait))
    async with asyncio.timeout(5):
        await pool.returned.wait()
    answered.set()
    await asyncio.gather(leader, follower)


async def test_a_shared_attempt_keeps_no_connection_for_the_request_that_began_it(
    work: UnitOfWork, pool: Pool, request_context: KeptConnection
) -> None:
    await SharedAttempts().join("token", partial(read, work, "acme"))
    assert (pool.given, pool.out) == (1, 0)


async def test_a_page_proves_its_reader_and_reads_on_one_connection(
    open_office: OpenOffice, pool_of_the_application: Pool
) -> None:
    acme = await open_office(admin="Ada")
    await acme.browser.get(f"{acme.root}/projects")  # fetches tokens
    pool_of_the_application.given = 0

    await acme.browser.get(f"{acme.root}/projects")

    assert pool_of_the_application.given == 1


async def test_no_page_of_an_organization_needs_two_connections(
    runtime: Runtime, make: Factory, open_office: OpenOffice, pool_of_the_application: Pool
) -> None:
    acme = await open_office(admin="Ada")
    rows = {**await make_rows(make, runtime, acme.id), "organization_id": acme.id}
    pages = [fill(route, rows) for route in TENANT_ROUTES if route.method == "GET"]
    for page in pages:
        await acme.browser.app.get(page)  # fetches tokens

    found = {}
    for page in pages:
        pool_of_the_application.most = 0
        await acme.browser.app.get(page)
        found[page] = pool_of_the_application.most

    assert {page: most for page, most in found.items() if most > 1} == {}
