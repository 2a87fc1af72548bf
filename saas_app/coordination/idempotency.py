"""Repeatable requests: the caller chooses a key, and the result of the first request is stored under it.

The key is claimed in a separate transaction. The result is stored in the transaction of the work, so either
both are saved or neither. If the worker that holds a claim dies, another request takes the claim over.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import sqlalchemy as sa

from saas_app.coordination.heartbeat import Watch, renewed
from saas_app.db.base import new_uuid, utc_now
from saas_app.db.rows import changed
from saas_app.db.session import DatabaseSession, WritingSession
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.db.upsert import insert_if_absent
from saas_app.errors import Busy, Invalid
from saas_app.models import IdempotencyKey
from saas_app.text.translation import _

RETENTION: Final = timedelta(hours=24)
_POLL_INTERVAL: Final = 0.1  # seconds between two reads of a key in use


@dataclass(frozen=True, slots=True)
class Result:
    """A response as it was sent, to be repeated unchanged."""

    status: int
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A key that is held for this request, or, with ``result``, one that was used before."""

    id: uuid.UUID
    result: Result | None = None


async def claim(
    work: UnitOfWork, organization_id: str, *, subject: str, key: str, request_hash: bytes
) -> Claim:
    """Claim the key for this request, or return it with the result of the first request.

    If the first request is still running, wait until it finishes, or until it is clear whether its worker is
    alive. Raises :class:`Invalid` if the key was used for another request, and :class:`Busy` if the first one
    is still running.
    """
    request = {
        "organization_id": organization_id,
        "subject": subject,
        "key": key,
        "request_hash": request_hash,
    }
    watch, first_seen = Watch[datetime](), None
    while True:
        async with work.writing(organization_id) as db:
            claimed = await _claim_unused(db, request)
            if claimed is not None:
                return claimed
            found = await _find(db, subject, key)
            if found is not None:
                claimed = await _claim_used(db, found, request_hash, watch)
                if claimed is not None:
                    return claimed
        if found is not None:
            first_seen = first_seen or found.claimed_at
            if found.claimed_at != first_seen:
                raise Busy(
                    _("The first request with this Idempotency-Key is still in progress."), retry_after=1
                )
        await asyncio.sleep(_POLL_INTERVAL)


async def _claim_unused(db: WritingSession, request: dict[str, Any]) -> Claim | None:
    """Claim a key that is not in use. Return None if it is. Deletes expired keys."""
    await delete_expired_keys(db)
    claimed = Claim(new_uuid())
    row = {**request, "id": claimed.id, "claimed_at": utc_now()}
    is_ours = await insert_if_absent(db, IdempotencyKey, row, key=("organization_id", "subject", "key"))
    return claimed if is_ours else None


async def _claim_used(
    db: DatabaseSession, found: IdempotencyKey, request_hash: bytes, watch: Watch[datetime]
) -> Claim | None:
    """Return a key with its result, or take it over from a lost worker. None while the first request runs.

    Raises :class:`Invalid` if the key was used for another request.
    """
    if found.request_hash != request_hash:
        raise Invalid(_("This Idempotency-Key was used for another request."))
    if found.status is not None:
        return Claim(found.id, Result(found.status, found.headers or {}, found.body or ""))
    return Claim(await _take_over(db, found)) if watch.is_lost(found.claimed_at) else None


def held(work: UnitOfWork, organization_id: str, claimed: Claim) -> AbstractAsyncContextManager[None]:
    """Hold the key while the block runs. If the worker is killed, the claim is soon lost."""
    return renewed(partial(_renew, work, organization_id, claimed))


async def _renew(work: UnitOfWork, organization_id: str, claimed: Claim) -> bool:
    statement = sa.update(IdempotencyKey).where(IdempotencyKey.id == claimed.id).values(claimed_at=utc_now())
    async with work.writing(organization_id) as db:
        return await changed(db, statement, IdempotencyKey.id)


async def _take_over(db: DatabaseSession, found: IdempotencyKey) -> uuid.UUID:
    """Give the key a new id, so that its former holder cannot store a result."""
    claimed_as = new_uuid()
    found.id, found.claimed_at = claimed_as, utc_now()
    return claimed_as


async def store_result(db: WritingSession, claimed: Claim, result: Result) -> None:
    """Store the result in the transaction of the work. Raises :class:`Busy` if the key was taken over."""
    statement = (
        sa.update(IdempotencyKey)
        .where(IdempotencyKey.id == claimed.id)
        .values(status=result.status, headers=dict(result.headers), body=result.body)
    )
    if not await changed(db, statement, IdempotencyKey.id):
        raise Busy(_("The request took too long and was started again."), retry_after=1)


async def release(work: UnitOfWork, organization_id: str, claimed: Claim) -> None:
    """Delete the key, because the work failed and may be tried again."""
    async with work.writing(organization_id) as db:
        await db.execute(sa.delete(IdempotencyKey).where(IdempotencyKey.id == claimed.id))


async def _find(db: DatabaseSession, subject: str, key: str) -> IdempotencyKey | None:
    wanted = (IdempotencyKey.subject == subject, IdempotencyKey.key == key)
    found: IdempotencyKey | None = await db.scalar(sa.select(IdempotencyKey).where(*wanted))
    return found


async def delete_expired_keys(db: WritingSession) -> None:
    """Delete the keys of the session's organization that are older than :data:`RETENTION`."""
    await db.execute(sa.delete(IdempotencyKey).where(IdempotencyKey.claimed_at < utc_now() - RETENTION))
