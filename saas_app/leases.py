"""Leases: something only one may do at a time, on whatever worker, until released or due."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from saas_app.db.base import new_uuid, utc_now
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.errors import Busy
from saas_app.models import LeaseRow

_POLL_INTERVAL = 0.05  # seconds between two tries


@asynccontextmanager
async def lease(work: UnitOfWork, name: str, *, seconds: float) -> AsyncIterator[None]:
    """Hold ``name`` for the block. ``seconds`` bounds both the wait and how long a lost holder blocks.

    Raises :class:`Busy` when it cannot be had in time.
    """
    owner, deadline = new_uuid(), utc_now() + timedelta(seconds=seconds)
    while not await _claim(work, name, owner, seconds):
        if utc_now() > deadline:
            raise Busy("Somebody else is changing the same thing just now. Please try again.")
        await asyncio.sleep(_POLL_INTERVAL)
    try:
        yield
    finally:
        async with work.writing() as db:
            await db.execute(sa.delete(LeaseRow).where(LeaseRow.name == name, LeaseRow.owner == owner))


async def _claim(work: UnitOfWork, name: str, owner: uuid.UUID, seconds: float) -> bool:
    now = utc_now()
    try:
        async with work.writing() as db:
            await db.execute(sa.delete(LeaseRow).where(LeaseRow.name == name, LeaseRow.until < now))
            db.add(LeaseRow(name=name, owner=owner, until=now + timedelta(seconds=seconds)))
    except IntegrityError:
        return False
    return True
