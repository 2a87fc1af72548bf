"""Who saved the latest version of an item, for pages that show a conflict with it.

Members and settings are stored in Logto, where they can be changed without an entry here. The last change is
named only if it led to the values that Logto has now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from saas_app.audit import queries
from saas_app.audit.recorder import Actor
from saas_app.audit.values import EventFilter, EventRow, LastSave, Outcome, Saver
from saas_app.changes.rows import RowResult
from saas_app.db.session import DatabaseSession
from saas_app.identity.membership_changes import find_whole_change
from saas_app.identity.tenant import Tenant
from saas_app.web.context import current_tenant, open_reading

_LOOKED_THROUGH: Final = 50
"""The number of an item's newest changes among which the one is looked for that set a value."""

_OUTSIDE: Final = LastSave(Saver.OUTSIDE)


async def find_last_save(item_id: str, at_logto: Mapping[str, Any] | None = None) -> LastSave | None:
    """Return who saved the latest version of an item of the request's organization.

    ``at_logto`` has the values of an item that Logto stores, or of its parts in question. None means that
    nothing is recorded about the item. The transaction of the request has ended.
    """
    tenant = current_tenant()
    if tenant is None:
        return None
    async with open_reading(tenant) as db:
        return await _find(db, tenant, item_id, at_logto)


async def find_last_saves(
    db: DatabaseSession, tenant: Tenant, results: Iterable[RowResult]
) -> dict[str, LastSave]:
    """Return who saved the latest version of each row that was skipped because it had changed, by id."""
    skipped = [result for result in results if result.has_changed]
    found = {result.id: await _find(db, tenant, result.id, result.at_logto) for result in skipped}
    return {row_id: last for row_id, last in found.items() if last is not None}


async def _find(
    db: DatabaseSession, tenant: Tenant, item_id: str, at_logto: Mapping[str, Any] | None
) -> LastSave | None:
    wanted = EventFilter(target_id=item_id, outcome=Outcome.ALLOWED)
    if at_logto is None:
        newest = (await queries.find_events(db, wanted, None, 1)).rows
        return _save_of(newest[0], tenant) if newest else None
    saved = _newest_with((await queries.find_events(db, wanted, None, _LOOKED_THROUGH)).rows, at_logto)
    if saved is not None:
        return _save_of(saved, tenant)
    if item_id != tenant.organization_id:
        return _OUTSIDE  # Logto 1.42 reports no change of roles
    return replace(_OUTSIDE, at=await find_whole_change(db, item_id))


def _newest_with(rows: list[EventRow], values: Mapping[str, Any]) -> EventRow | None:
    """Return the newest event that set one of the values, or None if one was changed without an event."""
    found = []
    for name, value in values.items():
        row = next((row for row in rows if name in (row.after or {})), None)
        if row is None or (row.after or {})[name] != value:
            return None
        found.append(row)
    return max(found, key=lambda row: row.id, default=None)


def _save_of(row: EventRow, tenant: Tenant) -> LastSave:
    if row.actor_id == Actor.of(tenant.principal).id:
        return LastSave(Saver.READER, row.occurred_at)
    if row.is_by_erased:
        return LastSave(Saver.ERASED, row.occurred_at)
    return LastSave(Saver.SOMEBODY, row.occurred_at, row.actor_name)
