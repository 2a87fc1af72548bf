"""Repeatable requests: a key of the caller's choice, and what the first request with it brought.

The key is claimed in a transaction of its own; the result is written in the transaction of the work, so
either both stand or neither. A claim whose holder was lost may be taken over after a while.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from saas_app.db.base import new_uuid, utc_now
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.db.upsert import insert_if_absent
from saas_app.errors import Busy, Invalid
from saas_app.models import IdempotencyKey

KEPT_FOR: Final = timedelta(hours=24)
_LOST_AFTER: Final = timedelta(minutes=2)


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

    Raises :class:`Invalid` when it was used for another request, :class:`Busy` while the first one is
    under way.
    """
    now = utc_now()
    row = {
        "organization_id": organization_id,
        "id": new_uuid(),
        "subject": subject,
        "key": key,
        "request_hash": request_hash,
        "claimed_at": now,
    }
    async with work.writing(organization_id) as db:
        await db.execute(_forget_old(now - KEPT_FOR))
        if await insert_if_absent(db, IdempotencyKey, row, key=("organization_id", "subject", "key")):
            return Claim(row["id"])  # type: ignore[arg-type]
        found = await _find(db, subject, key)
        if found is None:  # given back this very moment
            raise Busy("The first request with this Idempotency-Key has just failed.", retry_after=1)
        if found.request_hash != request_hash:
            raise Invalid("This Idempotency-Key was used for another request.")
        if found.status is not None:
            return Claim(found.id, Result(found.status, found.headers or {}, found.body or ""))
        if found.claimed_at > now - _LOST_AFTER:
            raise Busy("The first request with this Idempotency-Key is still under way.", retry_after=1)
        found.claimed_at = now
    return Claim(found.id)


async def keep(db: AsyncSession, held: Claim, result: Result) -> None:
    """Write the result in the transaction of the work itself."""
    await db.execute(
        sa.update(IdempotencyKey)
        .where(IdempotencyKey.id == held.id)
        .values(status=result.status, headers=dict(result.headers), body=result.body)
    )


async def release(work: UnitOfWork, organization_id: str, held: Claim) -> None:
    """Give the key back: the work was refused or failed, and may be tried again."""
    async with work.writing(organization_id) as db:
        await db.execute(sa.delete(IdempotencyKey).where(IdempotencyKey.id == held.id))


async def _find(db: AsyncSession, subject: str, key: str) -> IdempotencyKey | None:
    wanted = (IdempotencyKey.subject == subject, IdempotencyKey.key == key)
    return (await db.scalars(sa.select(IdempotencyKey).where(*wanted))).one_or_none()


def _forget_old(before: object) -> sa.Delete:
    return sa.delete(IdempotencyKey).where(IdempotencyKey.claimed_at < before)
