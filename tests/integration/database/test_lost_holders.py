"""Leases and idempotency keys of killed workers are free soon, and those of live workers stay."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from saas_app.coordination import heartbeat, idempotency, leases
from saas_app.coordination.idempotency import Result
from saas_app.db.base import new_uuid, utc_now
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.errors import Busy
from saas_app.models import IdempotencyKey, LeaseRow

ORGANIZATION = "org_of_claims"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten every interval to a tenth."""
    monkeypatch.setattr(heartbeat, "LOST_AFTER", 0.5)
    monkeypatch.setattr(heartbeat, "_INTERVAL", 0.1)


async def claim(work: UnitOfWork, key: str) -> idempotency.Claim:
    return await idempotency.claim(work, ORGANIZATION, subject="sam", key=key, request_hash=b"x" * 32)


@pytest.mark.parametrize("clock", [timedelta(0), timedelta(minutes=3), timedelta(minutes=-3)])
async def test_the_lease_of_a_killed_worker_is_free_soon_whatever_its_clock(
    work: UnitOfWork, quick: None, clock: timedelta
) -> None:
    name = f"test:{new_uuid()}"
    async with work.writing() as db:
        db.add(LeaseRow(name=name, owner=new_uuid(), until=utc_now() + clock))
    async with asyncio.timeout(8), leases.lease(work, name, seconds=10):
        pass


async def test_a_lease_that_is_renewed_stays_with_its_holder(work: UnitOfWork, quick: None) -> None:
    name = f"test:{new_uuid()}"
    async with leases.lease(work, name, seconds=10):
        with pytest.raises(Busy):
            async with leases.lease(work, name, seconds=1.5):
                pass


async def test_a_waiter_continues_without_the_lease_once_its_holder_did_the_work(work: UnitOfWork) -> None:
    name, asked = f"test:{new_uuid()}", 0

    async def is_done() -> bool:
        nonlocal asked
        asked += 1
        return asked == 3

    async with (
        leases.lease(work, name, seconds=10) as is_first,
        leases.lease(work, name, seconds=10, is_done=is_done) as is_second,
    ):
        assert (is_first, is_second) == (True, False)
    assert asked == 3


async def test_a_worker_that_lost_its_lease_stops(work: UnitOfWork, quick: None) -> None:
    name = f"test:{new_uuid()}"

    async def hold() -> None:
        async with leases.lease(work, name, seconds=10):
            async with work.writing() as db:
                await db.execute(sa.update(LeaseRow).where(LeaseRow.name == name).values(owner=new_uuid()))
            await asyncio.Event().wait()

    with pytest.raises(Busy):
        await asyncio.wait_for(hold(), 8)


async def test_the_key_of_a_killed_worker_is_taken_over_soon(work: UnitOfWork, quick: None) -> None:
    key = str(new_uuid())
    lost = await claim(work, key)
    async with asyncio.timeout(8):
        taken = await claim(work, key)
    assert taken.result is None
    async with work.writing(ORGANIZATION) as db:
        with pytest.raises(Busy):  # the holder was alive after all: nothing happens twice
            await idempotency.store_result(db, lost, Result(201, {}, "lost"))
    async with work.writing(ORGANIZATION) as db:
        await idempotency.store_result(db, taken, Result(201, {}, "made"))
    again = await claim(work, key)
    assert again.result is not None
    assert again.result.body == "made"


async def test_a_key_in_use_is_busy_until_its_result_is_stored(work: UnitOfWork, quick: None) -> None:
    key = str(new_uuid())
    first = await claim(work, key)
    async with idempotency.held(work, ORGANIZATION, first):
        with pytest.raises(Busy):
            await claim(work, key)
    waiting = asyncio.create_task(claim(work, key))
    await asyncio.sleep(0.15)
    async with work.writing(ORGANIZATION) as db:
        await idempotency.store_result(db, first, Result(201, {}, "made"))
    found = await asyncio.wait_for(waiting, 5)
    assert found.result is not None
    assert found.result.body == "made"


async def test_keys_expire_after_a_day(work: UnitOfWork) -> None:
    key = str(new_uuid())
    held = await claim(work, key)
    async with work.writing(ORGANIZATION) as db:
        await idempotency.store_result(db, held, Result(201, {}, "made"))
        await db.execute(
            sa.update(IdempotencyKey)
            .where(IdempotencyKey.id == held.id)
            .values(claimed_at=utc_now() - timedelta(hours=25))
        )
    assert (await claim(work, key)).result is None
