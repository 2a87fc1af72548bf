"""Counters in the database, for limits that outlast a process.

An increment is one atomic statement, so a limit holds however many workers count at once. The counts survive
a restart.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta

import sqlalchemy as sa

from saas_app.db.base import utc_now
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.db.upsert import insert_into
from saas_app.models import RateCounter


class LastingCounters:
    """Counters that all workers share, whatever ``RATE_LIMIT_STORAGE`` says."""

    def __init__(self, work: UnitOfWork) -> None:
        self._work = work

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Add to a counter that expires ``expiry`` seconds after its first use, and return its value.

        Do not call it inside an open writing session, because SQLite has one writer.
        """
        now = utc_now()
        row = {
            "key": hashlib.sha256(key.encode()).hexdigest(),
            "used": amount,
            "until": now + timedelta(seconds=expiry),
        }
        async with self._work.writing() as db:
            await db.execute(sa.delete(RateCounter).where(RateCounter.until < now))
            statement = insert_into(db, RateCounter).values(row)
            counted = await db.scalar(
                statement.on_conflict_do_update(
                    index_elements=["key"], set_={"used": RateCounter.used + amount}
                ).returning(RateCounter.used)
            )
        return int(counted or 0)
