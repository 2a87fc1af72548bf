"""Changes that two systems must make: Logto and our database. In which order, and what a crash leaves.

1. In one transaction here: what is about to be done is noted, and the memberships it touches are marked
   changed, so that no cached token answers for them from now on.
2. Logto is called.
3. In one transaction here: the memberships are marked once more (a token may have been fetched between),
   the audit event is written, the note is removed.

A refusal by Logto removes the note, and so does a failure after which everything was taken back. When the
outcome is not known – no answer, or a crash – the note stays, and ``saas-app reconcile`` asks Logto what is
true and closes it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from saas_app.audit.recorder import AuditEntry, record
from saas_app.db.base import new_uuid, utc_now
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.db.upsert import upsert
from saas_app.identity.management import ManagementError
from saas_app.models import MembershipChange, PendingChange

Result = TypeVar("Result")


class NothingChanged(Exception):
    """Beside an error's own type: the call failed, and Logto is known to be as it was."""


async def carry_out(
    work: UnitOfWork,
    organization_id: str,
    entry: AuditEntry,
    call: Callable[[], Awaitable[Result]],
    *,
    user_ids: Collection[str] = (),
    also: Callable[[AsyncSession], Awaitable[None]] | None = None,
) -> Result:
    """Make one change in Logto with its trace here. ``user_ids``: whose memberships it touches;
    ``also``: what else is written here, in the transaction of the event.

    Raises what ``call`` raises: :class:`ManagementError` when Logto refused, or a :class:`NothingChanged`,
    and nothing was changed; :class:`saas_app.errors.LogtoUnavailable` when nobody knows.
    """
    change_id = new_uuid()
    async with work.writing(organization_id) as db:
        db.add(
            PendingChange(id=change_id, entry=entry.as_json(), user_ids=list(user_ids), started_at=utc_now())
        )
        await mark_changed(db, organization_id, user_ids)
    try:
        result = await call()
    except (ManagementError, NothingChanged):
        async with work.writing(organization_id) as db:
            await db.execute(sa.delete(PendingChange).where(PendingChange.id == change_id))
        raise
    async with work.writing(organization_id) as db:
        await mark_changed(db, organization_id, user_ids)
        record(db, entry)
        if also is not None:
            await also(db)
        await db.execute(sa.delete(PendingChange).where(PendingChange.id == change_id))
    return result


async def mark_changed(db: AsyncSession, organization_id: str, user_ids: Collection[str]) -> None:
    """From now on, tokens of these people for this organization that are older answer no more."""
    now = utc_now()
    rows = [
        {"organization_id": organization_id, "user_id": user_id, "changed_at": now}
        for user_id in dict.fromkeys(user_ids)
    ]
    for start in range(0, len(rows), 200):
        await upsert(db, MembershipChange, rows[start : start + 200], key=("organization_id", "user_id"))
