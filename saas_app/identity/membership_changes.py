"""Known changes of memberships: records and reads them. No other module writes these rows.

Each change increments the version of its row. Anything that was read at another version is stale. No clocks
are compared, so hosts whose clocks differ agree on what is fresh.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

import sqlalchemy as sa

from saas_app.db.base import utc_now
from saas_app.db.session import DatabaseSession, WritingSession
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.db.upsert import insert_if_absent, insert_into
from saas_app.logto.provider_clock import Moment
from saas_app.models import EVERYONE, MembershipChange

_CHUNK: Final = 200  # rows per statement
_KEY: Final = ("organization_id", "subject")

UNTIL_FURTHER_NOTICE: Final = 253_402_300_799
"""A ``latest`` with which no token is new enough, so that Logto is asked about each one."""

CHANGE_COLUMNS: Final = (
    MembershipChange.organization_id.label("change_organization_id"),
    MembershipChange.subject.label("change_subject"),
    MembershipChange.changed_at,
    MembershipChange.version,
    MembershipChange.issued_before,
    MembershipChange.issued_after,
)
"""The columns that :func:`as_changes` reads."""

_WHOLE_CHANGE: Final = sa.select(MembershipChange.changed_at).where(
    MembershipChange.organization_id == sa.bindparam("organization_id"), MembershipChange.subject == EVERYONE
)


@dataclass(frozen=True, slots=True)
class KnownChanges:
    """The known changes of a membership. ``version`` grows with each of them."""

    version: int = 0
    changed_at: datetime | None = None
    latest: Moment | None = None


NO_CHANGES: Final = KnownChanges()


async def mark_changed(
    db: WritingSession, organization_id: str, subjects: Collection[str], moment: Moment | None = None
) -> None:
    """Mark memberships of people and machines as changed: tokens issued earlier are rejected.

    ``moment`` is the time of the change by Logto's clock, or None for now by our clock, with the accepted
    skew.
    """
    now = utc_now()
    rows = [_row(organization_id, subject, now, moment) for subject in dict.fromkeys(subjects)]
    for start in range(0, len(rows), _CHUNK):
        await _note(db, rows[start : start + _CHUNK])


async def note_change(work: UnitOfWork, organization_id: str, subject: str) -> None:
    """Mark one membership as changed, in a separate transaction."""
    async with work.writing(organization_id) as db:
        await mark_changed(db, organization_id, [subject])


async def mark_added(db: WritingSession, organization_id: str, subject: str, moment: datetime) -> None:
    """Record when a machine was added, unless a change of its membership is known already.

    The machine had no token for the organization a second before, so tokens that it has fetched since stay
    valid.
    """
    second = moment.replace(microsecond=0)  # a token's iat counts whole seconds
    newer_than = int(second.timestamp()) - 1
    row = _row(organization_id, subject, second, Moment(newer_than, newer_than))
    await insert_if_absent(db, MembershipChange, row, key=_KEY)


async def end_open_change(db: WritingSession, organization_id: str, subject: str, moment: Moment) -> None:
    """End a change that was marked :data:`UNTIL_FURTHER_NOTICE`: tokens issued after ``moment`` are valid."""
    await db.execute(
        sa.update(MembershipChange)
        .where(MembershipChange.organization_id == organization_id, MembershipChange.subject == subject)
        .values(version=MembershipChange.version + 1, issued_after=moment.latest)
    )


async def read_changes(db: DatabaseSession, organization_id: str, subject: str) -> KnownChanges:
    """Return the known changes of one membership."""
    statement = sa.select(*CHANGE_COLUMNS).where(
        MembershipChange.touches(organization_id, sa.literal(subject))
    )
    found: sa.Result[Any] = await db.execute(statement)
    return as_changes(found.all())


async def find_whole_change(db: DatabaseSession, organization_id: str) -> datetime | None:
    """Return when a change of a whole organization was last known, such as by a webhook, or None."""
    moment: datetime | None = await db.scalar(_WHOLE_CHANGE, {"organization_id": organization_id})
    return moment


def as_changes(rows: Iterable[sa.Row[Any]]) -> KnownChanges:
    """Combine rows with :data:`CHANGE_COLUMNS`. Joins may repeat them or leave them empty."""
    changes = {
        (row.change_organization_id, row.change_subject): row
        for row in rows
        if row.change_organization_id is not None
    }
    if not changes:
        return NO_CHANGES
    moments = [_moment_of(row) for row in changes.values()]
    return KnownChanges(
        version=sum(row.version for row in changes.values()),
        changed_at=max(row.changed_at for row in changes.values()),
        latest=Moment(max(item.earliest for item in moments), max(item.latest for item in moments)),
    )


def _row(organization_id: str, subject: str, now: datetime, moment: Moment | None) -> dict[str, Any]:
    when = moment or Moment.from_own_clock(now)
    return {
        "organization_id": organization_id,
        "subject": subject,
        "changed_at": now,
        "version": 1,
        "issued_before": when.earliest,
        "issued_after": when.latest,
    }


async def _note(db: WritingSession, rows: Sequence[dict[str, Any]]) -> None:
    """Insert changes. In an existing row, increment the version; its times only move forward."""
    statement = insert_into(db, MembershipChange).values(list(rows))
    values: dict[str, Any] = {"version": MembershipChange.version + 1}
    for name in ("changed_at", "issued_before", "issued_after"):
        known, new = getattr(MembershipChange, name), statement.excluded[name]
        values[name] = sa.case((sa.or_(known.is_(None), known < new), new), else_=known)
    key = [getattr(MembershipChange, name) for name in _KEY]
    await db.execute(statement.on_conflict_do_update(index_elements=key, set_=values))


def _moment_of(row: sa.Row[Any]) -> Moment:
    """Return the time of a change by Logto's clock. Rows older than these columns only have our time."""
    if row.issued_before is None or row.issued_after is None:
        return Moment.from_own_clock(cast(datetime, row.changed_at))
    return Moment(row.issued_before, row.issued_after)
