"""Repeatable requests: a key of the caller's choice, and what the first request with it brought.

The key is claimed in a transaction of its own; the result is written in the transaction of the work, so
either both stand or neither. A claim whose holder gives no more signs of life is taken over.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from saas_app.coordination.heartbeat import Watch, renewed
from saas_app.db.base import new_uuid, utc_now
from saas_app.db.rows import changed
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.db.upsert import insert_if_absent
from saas_app.errors import Busy, Invalid
from saas_app.models import IdempotencyKey

KEPT_FOR: Final = timedelta(hours=24)
_POLL_INTERVAL: Final = 0.1  # seconds between two looks at a request under way


@dataclass(frozen=True, slots=True)
class Result:
    """An answer as it went out: repeated to the letter."""

    status: int
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A key held for this request; or, with ``result``, what it brought before."""

    id: uuid.UUID
    result: Result | None = None


async def claim(
    work: UnitOfWork, organization_id: str, *, subject: str, key: str, request_hash: bytes
) -> Claim:
    """Hold the key, or find its result.

    While the first request is under way, this watches for a moment: it may finish, and signs of life say
    whether its worker is lost. Raises :class:`Invalid` when the key was used for another request, and
    :class:`Busy` while the first one lives.
    """
    watch, first_seen = Watch[datetime](), None
    while True:
        async with work.writing(organization_id) as db:
            now = utc_now()
            row = {
                "organization_id": organization_id,
                "id": new_uuid(),
                "subject": subject,
                "key": key,
                "request_hash": request_hash,
                "claimed_at": now,
            }
            await db.execute(_forget_old(now - KEPT_FOR))
            if await insert_if_absent(db, IdempotencyKey, row, key=("organization_id", "subject", "key")):
                return Claim(row["id"])  # type: ignore[arg-type]
            found = await _find(db, subject, key)
            if found is not None and found.request_hash != request_hash:
                raise Invalid("This Idempotency-Key was used for another request.")
            if found is not None and found.status is not None:
                return Claim(found.id, Result(found.status, found.headers or {}, found.body or ""))
            if found is not None and watch.is_lost(found.claimed_at):
                return Claim(await _take_over(db, found))
        if found is not None:
            first_seen = first_seen or found.claimed_at
            if found.claimed_at != first_seen:
                raise Busy("The first request with this Idempotency-Key is still in progress.", retry_after=1)
        await asyncio.sleep(_POLL_INTERVAL)


def held(work: UnitOfWork, organization_id: str, claimed: Claim) -> AbstractAsyncContextManager[None]:
    """Keep the key while the work is done: a worker that is killed gives no more signs of life."""
    return renewed(partial(_renew, work, organization_id, claimed))


async def _renew(work: UnitOfWork, organization_id: str, claimed: Claim) -> bool:
    statement = sa.update(IdempotencyKey).where(IdempotencyKey.id == claimed.id).values(claimed_at=utc_now())
    async with work.writing(organization_id) as db:
        return await changed(db, statement, IdempotencyKey.id)


async def _take_over(db: AsyncSession, found: IdempotencyKey) -> uuid.UUID:
    """Give the key another id, so that its lost holder, should it come back, can keep nothing."""
    claimed_as = new_uuid()
    found.id, found.claimed_at = claimed_as, utc_now()
    return claimed_as


async def keep(db: AsyncSession, claimed: Claim, result: Result) -> None:
    """Write the result in the transaction of the work itself. Raises :class:`Busy` when another took over."""
    statement = (
        sa.update(IdempotencyKey)
        .where(IdempotencyKey.id == claimed.id)
        .values(status=result.status, headers=dict(result.headers), body=result.body)
    )
    if not await changed(db, statement, IdempotencyKey.id):
        raise Busy("The request took too long and was started again.", retry_after=1)


async def release(work: UnitOfWork, organization_id: str, claimed: Claim) -> None:
    """Give the key back: the work was refused or failed, and may be tried again."""
    async with work.writing(organization_id) as db:
        await db.execute(sa.delete(IdempotencyKey).where(IdempotencyKey.id == claimed.id))


async def _find(db: AsyncSession, subject: str, key: str) -> IdempotencyKey | None:
    wanted = (IdempotencyKey.subject == subject, IdempotencyKey.key == key)
    return (await db.scalars(sa.select(IdempotencyKey).where(*wanted))).one_or_none()


def _forget_old(before: object) -> sa.Delete:
    return sa.delete(IdempotencyKey).where(IdempotencyKey.claimed_at < before)
