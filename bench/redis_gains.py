"""Measures what Redis could save: reading a session there, and waiting there for another worker's refresh.

``python -m bench.redis_gains`` needs a Redis. It measures on SQLite, and on PostgreSQL if
``TEST_DATABASE_URL`` names one. Decision 0019 shows the tables that it prints.
"""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import random
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any, Final
from unittest.mock import patch
from urllib.parse import urlsplit

import redis.asyncio as redis
import sqlalchemy as sa
import structlog
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from bench.client import Request
from bench.furnished import furnish
from bench.site import Site, running_site
from bench.statements import send
from bench.table import as_table
from saas_app.app import create_app
from saas_app.config import load_settings
from saas_app.coordination.leases import lease
from saas_app.db.engine import create_engine
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.identity.membership_changes import CHANGE_COLUMNS, as_changes
from saas_app.identity.sessions import SessionAccess, SessionStore
from saas_app.identity.vault import Vault
from saas_app.models import MembershipChange, PendingChange
from tests.redis_server import REDIS_URL

ROUNDS: Final = 15
BATCH: Final = 200  # readings in a round
WAITS: Final = 20
CALLS_TO_LOGTO: Final = (0.1, 0.4)  # seconds

_ORGANIZATION: Final = sa.bindparam("organization_id", type_=sa.String)
_SUBJECT: Final = sa.bindparam("subject", type_=sa.String)
_SOMETHING: Final = sa.select(sa.literal(1).label("one")).subquery()
_CHANGES: Final = (
    sa.select(*CHANGE_COLUMNS, PendingChange.touches(_ORGANIZATION, _SUBJECT).label("is_changing"))
    .select_from(_SOMETHING)
    .outerjoin(MembershipChange, MembershipChange.touches(_ORGANIZATION, _SUBJECT))
)
"""What a session in Redis would still have to ask the database: whether the membership has changed."""

Way = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Bench:
    """A session of a person in an organization, the stores that can hold it, and a warm page."""

    engine: AsyncEngine
    sessions: SessionStore
    work: UnitOfWork
    cache: redis.Redis
    cookie: str
    organization_id: str
    access: SessionAccess

    async def statement(self) -> SessionAccess:
        """Read everything in one statement, as every request does."""
        found = await self.sessions.find_access(self.cookie, self.organization_id)
        assert found is not None
        return found

    async def cached(self) -> SessionAccess:
        """Read the session from Redis, and nothing from the database."""
        found: SessionAccess = pickle.loads(await self.cache.get("session"))  # noqa: S301  # our own
        return found

    async def cached_and_checked(self) -> tuple[SessionAccess, int]:
        """Read the session from Redis, and changes of the membership from the database."""
        access = await self.cached()
        values = {"organization_id": self.organization_id, "subject": access.principal.subject}
        async with self.work.reading(self.organization_id) as db:
            rows = (await db.execute(_CHANGES, values)).all()
        return access, as_changes(rows).version

    async def all_cached(self) -> SessionAccess:
        """Read the session and the version of the membership from Redis, where changes are written too."""
        session, _version, _pending = await self.cache.mget("session", "version", "pending")
        found: SessionAccess = pickle.loads(session)  # noqa: S301  # our own
        return found


@asynccontextmanager
async def opened(requests: Mapping[str, Request]) -> AsyncIterator[Bench]:
    """Sign a person in, and store their session in Redis too."""
    settings = load_settings()
    engine, cache = create_engine(settings.database_url), redis.from_url(REDIS_URL)
    work = UnitOfWork(engine)
    sessions = SessionStore(work, Vault(settings.encryption_keys), idle_timeout=3600, absolute_timeout=3600)
    page = requests["page"]
    cookies = SimpleCookie(page.headers["Cookie"]).values()
    (cookie,) = (cookie for cookie in cookies if cookie.key.endswith("_session"))
    organization_id = urlsplit(page.url).path.split("/")[2]
    access = await sessions.find_access(cookie.value, organization_id)
    assert access is not None
    await cache.mset({"session": pickle.dumps(access), "version": 1, "pending": 0})
    try:
        yield Bench(engine, sessions, work, cache, cookie.value, organization_id, access)
    finally:
        await cache.delete("session", "version", "pending")
        await cache.aclose()
        await engine.dispose()


async def took(way: Way, times: int) -> float:
    """Return the CPU seconds of this process for one of many runs."""
    began = time.process_time()
    for _ in range(times):
        await way()
    return (time.process_time() - began) / times


async def readings(bench: Bench, page: Way) -> list[list[str]]:
    """Return a row for each way to read a session, measured in turn, and one for a warm page."""
    ways: dict[str, tuple[Way, int]] = {
        "one statement, as today": (bench.statement, BATCH),
        "session in Redis, changes by a statement": (bench.cached_and_checked, BATCH),
        "session and changes in Redis": (bench.all_cached, BATCH),
        "session in Redis, changes unknown": (bench.cached, BATCH),
        "a warm page, with today's statement": (page, BATCH // 10),
    }
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, (way, times) in ways.items():
            found[name].append(await took(way, times))
    medians = {name: statistics.median(times) for name, times in found.items()}
    first, *_others, whole = medians.values()
    return [
        [name, f"{cpu * 1e6:.0f}", f"{cpu / first:.2f}", f"{cpu / whole * 100:.0f} %"]
        for name, cpu in medians.items()
    ]


async def wait_for_lease(bench: Bench, call: float) -> float:
    """Wait for another worker's refresh as today. Return the seconds between its end and ours."""
    name, stored = f"refresh:{random.random()}", []  # noqa: S311

    async def is_done() -> bool:
        await bench.statement()
        return bool(stored)

    async def hold() -> None:
        async with lease(bench.work, name, seconds=8):
            await asyncio.sleep(call)
            stored.append(time.perf_counter())

    holder = asyncio.create_task(hold())
    await asyncio.sleep(0.02 + random.random() * 0.05)  # noqa: S311
    async with lease(bench.work, name, seconds=8, is_done=is_done):
        late = time.perf_counter() - stored[0]
    await holder
    return late


async def wait_for_message(bench: Bench, call: float) -> float:
    """Wait for a message of the worker that refreshes. Return the seconds between its end and ours."""
    name, stored = f"refresh:{random.random()}", []  # noqa: S311

    async def hold() -> None:
        await asyncio.sleep(call)
        stored.append(time.perf_counter())
        await bench.cache.publish(name, "done")

    holder = asyncio.create_task(hold())
    await asyncio.sleep(0.02 + random.random() * 0.05)  # noqa: S311
    async with bench.cache.pubsub() as channel:
        await channel.subscribe(name)
        await bench.statement()  # it may have ended before we listened
        while (message := await channel.get_message(timeout=8)) is None or message["type"] != "message":
            pass
        await bench.statement()
        late = time.perf_counter() - stored[0]
    await holder
    return late


async def waits(bench: Bench) -> list[list[str]]:
    """Return a row for each way to wait and each duration of the call to Logto."""
    statements: list[Any] = []
    event.listen(
        bench.engine.sync_engine, "before_cursor_execute", lambda *given: statements.append(given[2])
    )
    rows = []
    for call in CALLS_TO_LOGTO:
        for name, wait in (("lease", wait_for_lease), ("message", wait_for_message)):
            statements.clear()
            late = [await wait(bench, call) for _ in range(WAITS)]
            numbers = (statistics.median(late) * 1e3, max(late) * 1e3, len(statements) / WAITS)
            rows.append(
                [f"{name}, Logto takes {call * 1e3:.0f} ms", *(f"{number:.0f}" for number in numbers)]
            )
    return rows


async def measure(site: Site, database: str) -> None:
    """Print both tables for one database."""
    requests, app = await furnish(site), create_app(load_settings())
    async with app.test_app(), opened(requests) as bench:

        async def page() -> None:
            await send(app, requests["page"])

        for warm in (page, bench.statement, bench.cached_and_checked, bench.all_cached):
            await took(warm, 20)
        headings = [database, "CPU of a worker, µs", "× today", "of a page"]
        print(as_table(headings, await readings(bench, page)), "\n")  # noqa: T201
        headings = [
            database,
            "median wait after the refresh, ms",
            "longest, ms",
            "statements of both workers",
        ]
        print(as_table(headings, await waits(bench)), "\n")  # noqa: T201


def main() -> None:
    """Measure on each database."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    for server in dict.fromkeys((None, os.environ.get("TEST_DATABASE_URL") or None)):
        with running_site(server=server) as site, patch.dict(os.environ, site.environment):
            asyncio.run(measure(site, "PostgreSQL" if server else "SQLite"))


if __name__ == "__main__":
    main()
