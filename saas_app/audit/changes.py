"""Records exports of the audit log."""

from __future__ import annotations

from saas_app.audit.recorder import Action, Actor, AuditEntry, Target, record
from saas_app.db.session import WritingSession
from saas_app.identity.tenant import Tenant


def record_export(db: WritingSession, tenant: Tenant) -> None:
    """Record that the audit log was exported."""
    target = Target("audit", tenant.organization_id, "Audit log")
    record(db, AuditEntry(Actor.of(tenant.principal), Action.AUDIT_EXPORT, target))
