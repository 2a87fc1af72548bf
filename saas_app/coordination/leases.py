"""Leases: only one holder at a time, across workers, until it releases the lease or dies."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Final, TypeAlias

import sqlalchemy as sa

from saas_app.coordination.heartbeat import LOST_AFTER, Watch, renewed
from saas_app.db.base import new_uuid, utc_now
from saas_app.db.rows import changed
from saas_app.db.shielding import shielded
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.db.upsert import insert_if_absent
from saas_app.errors import Busy
from saas_app.models import LeaseRow
from saas_app.text.translation import _

_POLL_INTERVAL: Final = 0.05  # seconds between two tries
_LONG_AGO: Final = timedelta(minutes=5)  # clocks differ by less, so a lease this old is taken at once

Seen: TypeAlias = tuple[uuid.UUID, datetime]
"""The holder of a lease, and its end, as last written."""


@asynccontextmanager
async def lease(
    work: UnitOfWork, name: str, *, seconds: float, is_done: Callable[[], Awaitable[bool]] | None = None
) -> AsyncIterator[bool]:
    """Hold the lease ``name`` while the block runs. Yields whether it is held.

    ``seconds`` is how long to wait for it; detecting that its holder has died takes a few of them. While
    another worker holds the lease, ``is_done`` is checked: if it returns true, the lease is no longer needed
    and the block runs without it. Raises :class:`Busy` if the lease is not free in time, or if another worker
    takes it over (see :mod:`saas_app.coordination.heartbeat`).
    """
    owner, clock = new_uuid(), asyncio.get_running_loop()
    deadline, watch = clock.time() + seconds, Watch[Seen]()
    while (seen := await _claim(work, name, owner)) is not None:
        if is_done is not None and await is_done():
            yield False
            return
        if watch.is_lost(seen) or seen[1] < utc_now() - _LONG_AGO:
            await _forget(work, name, seen)
        elif clock.time() > deadline:
            raise Busy(_("Another change to the same item is in progress. Try again in a moment."))
        else:
            await asyncio.sleep(_POLL_INTERVAL)
    try:
        async with renewed(lambda: _renew(work, name, owner)):
            yield True
    finally:
        await shielded(_release(work, name, owner))


async def _claim(work: UnitOfWork, name: str, owner: uuid.UUID) -> Seen | None:
    """Take the lease if it is free, and return None. Otherwise return its holder."""
    async with work.reading() as db:
        columns = (LeaseRow.owner, LeaseRow.until)
        held = (await db.execute(sa.select(*columns).where(LeaseRow.name == name))).one_or_none()
    if held is not None:
        return held.owner, held.until
    row = {"name": name, "owner": owner, "until": _until()}
    async with work.writing() as db:
        is_ours = await insert_if_absent(db, LeaseRow, row, key=("name",))
    return None if is_ours else await _claim(work, name, owner)


async def _renew(work: UnitOfWork, name: str, owner: uuid.UUID) -> bool:
    async with work.writing() as db:
        statement = sa.update(LeaseRow).where(LeaseRow.name == name, LeaseRow.owner == owner)
        return await changed(db, statement.values(until=_until()), LeaseRow.name)


async def _forget(work: UnitOfWork, name: str, seen: Seen) -> None:
    """Delete a lost lease, unless its holder has renewed it after all."""
    async with work.writing() as db:
        await db.execute(
            sa.delete(LeaseRow).where(
                LeaseRow.name == name, LeaseRow.owner == seen[0], LeaseRow.until == seen[1]
            )
        )


async def _release(work: UnitOfWork, name: str, owner: uuid.UUID) -> None:
    async with work.writing() as db:
        await db.execute(sa.delete(LeaseRow).where(LeaseRow.name == name, LeaseRow.owner == owner))


def _until() -> datetime:
    return utc_now() + timedelta(seconds=LOST_AFTER)
