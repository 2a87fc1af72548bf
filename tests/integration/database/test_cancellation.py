"""Canceled work ends its transaction at once, at any point, and returns its connection."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from saas_app.coordination import leases
from saas_app.db.base import new_uuid, utc_now
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.db.upsert import insert_if_absent
from saas_app.models import LeaseRow
from tests.databases import Database
from tests.integration.database.locks import locked_by_another_program, wait_until_free

pytestmark = pytest.mark.usefixtures("without_collection")


@pytest.fixture
def without_collection() -> Iterator[None]:
    """Turn garbage collection off, so that it cannot hide a leak."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


async def read(work: UnitOfWork) -> None:
    async with work.reading() as db:
        await db.scalar(sa.select(sa.func.count()).select_from(LeaseRow))


async def write(work: UnitOfWork) -> None:
    """Send what a changing request sends: a read, an insert that returns a row, a flush and an update."""
    async with work.writing() as db:
        await db.scalar(sa.select(sa.func.count()).select_from(LeaseRow))
        await insert_if_absent(db, LeaseRow, row(), key=("name",))
        db.add(LeaseRow(**row()))
        await db.flush()
        await db.execute(sa.update(LeaseRow).where(LeaseRow.name == "nobody").values(until=utc_now()))


def row() -> dict[str, object]:
    return {"name": f"test:{new_uuid()}", "owner": new_uuid(), "until": utc_now()}


async def cancel_all(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks, timeout=30)
    failures = [task.exception() for task in tasks if not task.cancelled() and task.exception()]
    assert not failures


async def test_work_canceled_at_any_moment_leaves_neither_a_lock_nor_a_connection(
    work: UnitOfWork, engine: AsyncEngine, database: Database
) -> None:
    for step in range(40):
        tasks = [asyncio.create_task(write(work)) for _ in range(6)]
        tasks += [asyncio.create_task(read(work)) for _ in range(4)]
        await asyncio.sleep(step * 0.0007)
        await cancel_all(tasks)
        assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]
        await wait_until_free(database.admin_url)


async def test_writers_canceled_while_waiting_for_the_lock_do_not_take_it_later(
    work: UnitOfWork, engine: AsyncEngine, database: Database
) -> None:
    await write(work)
    async with locked_by_another_program(database.admin_url):
        tasks = [asyncio.create_task(write(work)) for _ in range(8)]
        await asyncio.sleep(0.3)
        await cancel_all(tasks)
        assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    await wait_until_free(database.admin_url)
    await asyncio.wait_for(write(work), 5)


async def test_a_second_cancellation_changes_nothing(
    work: UnitOfWork, engine: AsyncEngine, database: Database
) -> None:
    for step in range(15):
        tasks = [asyncio.create_task(write(work)) for _ in range(6)]
        await asyncio.sleep(step * 0.001)
        for _ in range(3):
            for task in tasks:
                task.cancel()
            await asyncio.sleep(0)
        await cancel_all(tasks)
        assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]
        await wait_until_free(database.admin_url)


async def test_a_lease_is_released_when_its_holder_is_canceled(work: UnitOfWork) -> None:
    held, name = asyncio.Event(), f"test:{new_uuid()}"

    async def hold() -> None:
        async with leases.lease(work, name, seconds=30):
            held.set()
            await asyncio.Event().wait()

    holder = asyncio.create_task(hold())
    await asyncio.wait_for(held.wait(), 10)
    await cancel_all([holder])
    async with asyncio.timeout(5), leases.lease(work, name, seconds=30):
        pass
