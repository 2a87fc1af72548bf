"""Entries of the audit log, for the rules about routes."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from saas_app.audit.recorder import SYSTEM, Action, AuditEntry, Target, record
from saas_app.models import AuditEvent
from saas_app.runtime import Runtime
from tests.factories import Factory
from tests.rules.rows import Rows


async def make_event(_make: Factory, runtime: Runtime, organization_id: str) -> dict[str, UUID]:
    """Record an event of Workroom itself."""
    async with runtime.work.writing(organization_id) as db:
        record(db, AuditEntry(SYSTEM, Action.PROJECT_CREATE, Target("project", "project", "Project")))
    async with runtime.work.reading(organization_id) as db:
        newest = sa.select(AuditEvent.id).order_by(AuditEvent.id.desc()).limit(1)
        return {"event_id": (await db.scalars(newest)).one()}


ROWS = Rows(frozenset({"event_id"}), make_event)
