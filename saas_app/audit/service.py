"""Questions about an organization's audit log, and its events in words.

The guard on the route has decided that the caller may ask.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import suppress
from typing import Any, Final

from saas_app.audit import queries
from saas_app.audit.recorder import Action
from saas_app.audit.values import (
    Event,
    EventFilter,
    EventNotFound,
    EventRow,
    FieldChange,
    FoundEvents,
)
from saas_app.audit.words import field_label, side_of
from saas_app.db.readings import Reading
from saas_app.db.session import DatabaseSession
from saas_app.identity.tenant import Tenant
from saas_app.rbac.decision import Step, StepResult
from saas_app.rbac.permissions import Permission
from saas_app.text.translation import Sentence

_EXPORT_BATCH = 500  # rows per statement
_SHOWN_WITH: Final = {
    Permission.MEMBERS_READ: (
        Action.ORGANIZATION_CREATE,
        Action.MEMBER_ADD,
        Action.MEMBER_JOIN,
        Action.MEMBER_CHANGE_ROLES,
        Action.MEMBER_END_ROLE,
        Action.MEMBER_REMOVE,
        Action.MEMBER_LEAVE,
        Action.INVITATION_ACCEPT,
    ),
    Permission.PROJECTS_READ: (
        Action.PROJECT_CREATE,
        Action.PROJECT_UPDATE,
        Action.PROJECT_ARCHIVE,
        Action.PROJECT_RESTORE,
        Action.PROJECT_DELETE,
        Action.TASK_CREATE,
        Action.TASK_UPDATE,
        Action.TASK_DELETE,
    ),
}
"""The changes that the feed shows to members without ``audit:read``, by the permission they require."""


async def page_events(
    db: DatabaseSession, wanted: EventFilter, *, before: uuid.UUID | None, size: int
) -> FoundEvents:
    """Return at most ``size`` events older than ``before``, the newest first, and where the next page begins.

    A page may be short, even empty, before the end: a text of one or two letters is looked for among some
    thousand events at a time.
    """
    return await queries.find_events(db, wanted, before, size)


def recent(tenant: Tenant, count: int) -> Reading[list[EventRow]] | None:
    """Return the question for the newest changes that a member may see, or None if they may see none.

    Denials are in the audit log only.

    Members with ``audit:read`` see all changes. Other members see changes to what they can view anyway.
    The tokens of the request decide, so read both kinds before.
    """
    if tenant.may(Permission.AUDIT_READ):
        return queries.recent(None, count)
    shown = [action for needed, actions in _SHOWN_WITH.items() if tenant.may(needed) for action in actions]
    return queries.recent(shown, count) if shown else None


def reason_of(row: EventRow) -> Sentence | None:
    """Return why a request was denied, or None if the event does not say so."""
    failed = [step for step in steps_of(row) if not step.passed]
    return failed[-1].explanation if failed else None


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
    before: uuid.UUID | None = None
    while True:
        found = await queries.find_events(db, wanted, before, _EXPORT_BATCH)
        if found.rows:
            yield found.rows
        if found.further is None:
            return
        before = found.further


def changes_of(row: EventRow) -> tuple[FieldChange, ...]:
    """Return the changes of an event, field by field."""
    before, after = row.before or {}, row.after or {}
    return tuple(
        FieldChange(name, field_label(name), side_of(before, name), side_of(after, name))
        for name in dict.fromkeys([*before, *after])
    )


def steps_of(row: EventRow, names: Iterable[str] = ()) -> tuple[StepResult, ...]:
    """Return the steps of an event's decision that this version knows.

    The explanations of entries from before there were other languages are plain text. In them, the actor's
    name and ``names`` are isolated again for the page.
    """
    known = {step.value for step in Step}
    steps = (row.decision or {}).get("steps", [])
    return tuple(
        StepResult(
            Step(step["step"]),
            bool(step["passed"]),
            _explanation(step, (row.actor_name, *names)),
        )
        for step in steps
        if step["step"] in known
    )


def _explanation(step: Mapping[str, Any], names: Iterable[str]) -> Sentence:
    """Return an explanation that can be translated, if what was kept for that says the same in English."""
    told = str(step["explanation"])
    with suppress(ValueError, KeyError, TypeError, AttributeError):
        kept = Sentence.from_json(step["sentence"])
        if kept == told:
            return kept
    return Sentence.naming(told, names)
