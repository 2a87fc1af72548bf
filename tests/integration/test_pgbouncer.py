"""PgBouncer in transaction mode, where clients take turns on one connection."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from saas_app.config import DatabaseLocation
from saas_app.db.engine import create_engine
from saas_app.operations.migrate import read_state
from tests.clients import sign_in_over_http
from tests.databases import Database, prepared_database
from tests.factories import Factory
from tests.pgbouncer import MISSING, find_pgbouncer, pooled
from tests.processes import Provider, running_application

pytestmark = pytest.mark.skipif(find_pgbouncer() is None, reason=MISSING)


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[Database]:
    """An empty database with its roles, behind a pooler."""
    with prepared_database(tmp_path) as database, pooled(database, tmp_path) as behind:
        yield behind


async def test_migrations_and_concurrent_statements_work(pool: Database) -> None:
    command = (sys.executable, "-m", "saas_app", "migrate")
    environment = {**os.environ, **pool.environment}
    migrating = [await asyncio.create_subprocess_exec(*command, env=environment) for _ in range(3)]
    assert [await process.wait() for process in migrating] == [0, 0, 0]
    assert (await asyncio.to_thread(read_state, DatabaseLocation(pool.url))).is_newest
    engine = create_engine(pool.url)

    async def ask(number: int) -> int:
        async with engine.connect() as connection:
            for _ in range(5):
                await connection.execute(sa.select(sa.literal({"a": [1]}, JSONB), sa.func.now()))
            return int((await connection.execute(sa.select(sa.literal(number)))).scalar_one())

    try:
        assert sorted(await asyncio.gather(*(ask(number) for number in range(60)))) == list(range(60))
    finally:
        await engine.dispose()


async def test_the_application_serves_with_two_workers(
    pool: Database, provider: Provider, tmp_path: Path, make: Factory
) -> None:
    person = await make.person()
    organization_id = await make.organization("Acme", admin=person)
    with running_application(provider, pool, tmp_path, workers=2) as application:
        http, _callback = await sign_in_over_http(application.url, person)
        async with http:
            page = f"{application.url}/o/{organization_id}/projects"

            async def create(number: int) -> int:
                form = {"name": f"Project {number}"}
                headers = {"Sec-Fetch-Site": "same-origin"}
                async with http.post(
                    f"{page}/new", data=form, headers=headers, allow_redirects=False
                ) as answer:
                    return answer.status

            async def read() -> int:
                async with http.get(page) as answer:
                    await answer.read()
                    return answer.status

            created = await asyncio.gather(*(create(number) for number in range(10)))
            assert Counter(created) == {303: 10}
            assert Counter(await asyncio.gather(*(read() for _ in range(40)))) == {200: 40}
    assert "Traceback" not in (tmp_path / "application.log").read_text()
