"""What the database holds about an organization: audit events and changes that are still open."""

from __future__ import annotations

import sqlalchemy as sa

from saas_app.audit.recorder import Action
from saas_app.models import AuditEvent, PendingChange
from saas_app.runtime import Runtime


async def events_of(runtime: Runtime, organization_id: str) -> list[AuditEvent]:
    """Return the audit events, oldest first."""
    async with runtime.work.writing(organization_id) as db:
        return list(await db.scalars(sa.select(AuditEvent).order_by(AuditEvent.id)))


async def changes_of(runtime: Runtime, organization_id: str) -> list[AuditEvent]:
    """Return the audit events without denied requests, oldest first."""
    return [
        event for event in await events_of(runtime, organization_id) if event.action != Action.ACCESS_DENY
    ]


async def actions_of(runtime: Runtime, organization_id: str) -> list[str]:
    """Return the actions of the audit events without denied requests, oldest first."""
    return [event.action for event in await changes_of(runtime, organization_id)]


async def pending_in(runtime: Runtime, organization_id: str) -> list[PendingChange]:
    """Return the notes of changes in Logto whose outcome is not known."""
    async with runtime.work.writing(organization_id) as db:
        return list(await db.scalars(sa.select(PendingChange)))
