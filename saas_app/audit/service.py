"""Questions about an organization's audit log, and its events in words.

The guard on the route has decided that the caller may ask.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

from saas_app.audit import queries
from saas_app.audit.values import Event, EventFilter, EventNotFound, EventRow, FieldChange
from saas_app.db.session import DatabaseSession
from saas_app.identity.tenant import Tenant
from saas_app.rbac.decision import Step, StepResult
from saas_app.text.sentences import Sentence

_EXPORT_BATCH = 500  # rows per statement
_ABSENT = object()


async def list_events(
    db: DatabaseSession, wanted: EventFilter, *, before: uuid.UUID | None, limit: int
) -> list[EventRow]:
    """Return at most ``limit`` events older than ``before``, the newest first, in one statement."""
    return await queries.list_events(db, wanted, before, limit)


async def get_event(db: DatabaseSession, tenant: Tenant, event_id: uuid.UUID) -> Event:
    """Return an event of the organization with its details. Raises :class:`EventNotFound`."""
    row = await queries.find_event(db, event_id)
    if row is None:
        raise EventNotFound
    return Event(row, changes_of(row), steps_of(row, (tenant.organization_name,)))


async def export_rows(
    db: DatabaseSession, tenant: Tenant, wanted: EventFilter
) -> AsyncIterator[list[EventRow]]:
    """Yield all events that match, the newest first, in batches."""
    rows = await queries.list_events(db, wanted, None, _EXPORT_BATCH)
    while rows:
        yield rows
        if len(rows) < _EXPORT_BATCH:
            return
        rows = await queries.list_events(db, wanted, rows[-1].id, _EXPORT_BATCH)


def changes_of(row: EventRow) -> tuple[FieldChange, ...]:
    """Return the changes of an event, field by field."""
    before, after = row.before or {}, row.after or {}
    return tuple(
        FieldChange(name, _side(before, name), _side(after, name))
        for name in dict.fromkeys([*before, *after])
    )


def steps_of(row: EventRow, names: Iterable[str] = ()) -> tuple[StepResult, ...]:
    """Return the steps of an event's decision that this version knows.

    The log stores plain text: the actor's name and ``names`` are isolated again for the page.
    """
    known = {step.value for step in Step}
    steps = (row.decision or {}).get("steps", [])
    return tuple(
        StepResult(
            Step(step["step"]),
            bool(step["passed"]),
            Sentence.naming(str(step["explanation"]), (row.actor_name, *names)),
        )
        for step in steps
        if step["step"] in known
    )


def _side(side: Mapping[str, Any], name: str) -> str | None:
    value = side.get(name, _ABSENT)
    return None if value is _ABSENT else _words(value)


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(_words, value)) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_words(inner)}" for name, inner in value.items()) or "none"
    return "empty" if value in (None, "") else str(value)
