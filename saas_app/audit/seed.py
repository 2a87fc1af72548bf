"""The demo's history in the audit log. It is written once, like every event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from saas_app.audit.recorder import AuditEntry, record
from saas_app.audit.trace import Trace
from saas_app.models import AuditEvent

_MARK: Final = "demo-"
"""How the request ids of seeded events begin: by them a trail that was seeded is known."""


@dataclass(frozen=True, slots=True)
class SeedEvent:
    """An event some days ago, at an hour of that day in UTC, from an address."""

    days_ago: int
    hour: float
    entry: AuditEntry
    address: str


async def seed_trail(db: AsyncSession, events: Sequence[SeedEvent], now: datetime) -> bool:
    """Write the events, unless the organization has seeded ones. ``db`` is a writing session bound to it."""
    seeded = sa.select(AuditEvent.id).where(AuditEvent.request_id.startswith(_MARK)).limit(1)
    if await db.scalar(seeded) is not None:
        return False
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for number, event in enumerate(events, 1):
        at = today - timedelta(days=event.days_ago) + timedelta(hours=event.hour)
        trace = Trace(f"{_MARK}{number:04}", event.address)
        record(db, replace(event.entry, trace=trace), at=at)
    return True
