"""The demo's history in the audit log. It is written once, like every event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from saas_app.audit import queries
from saas_app.audit.recorder import AuditEntry, record
from saas_app.audit.trace import Trace
from saas_app.db.session import WritingSession

_MARK: Final = "demo-"
"""The prefix of the request ids of seeded events."""


@dataclass(frozen=True, slots=True)
class SeedEvent:
    """An event some days ago, at an hour of that day in UTC, from a network address."""

    days_ago: int
    hour: float
    entry: AuditEntry
    address: str

    def at(self, now: datetime) -> datetime:
        """Return the moment of the event, if the demo is seeded now."""
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight - timedelta(days=self.days_ago) + timedelta(hours=self.hour)


async def seed_entries(db: WritingSession, events: Sequence[SeedEvent], now: datetime) -> bool:
    """Record the events, and return whether it did so. An organization is seeded once.

    ``db`` is a writing session bound to the organization.
    """
    if await queries.has_seeded(db, _MARK):
        return False
    for number, event in enumerate(events, 1):
        trace = Trace(f"{_MARK}{number:04}", event.address)
        record(db, replace(event.entry, trace=trace), at=event.at(now))
    return True
