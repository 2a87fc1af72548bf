"""Forms of an organization's settings, and the audit events that saving them writes."""

from __future__ import annotations

import re

from saas_app.models import AuditEvent
from saas_app.runtime import Runtime
from tests.integration.records import events_of


def hidden_field(page: str, name: str, form: str) -> str:
    """Return a hidden field of the form that posts to ``form``."""
    found = re.search(rf'action="{form}".*?name="{name}" value="([^"]*)"', page, re.DOTALL)
    assert found is not None, page
    return found.group(1)


async def update_events(runtime: Runtime, organization_id: str) -> list[AuditEvent]:
    """Return the audit events of changed settings, oldest first."""
    return [e for e in await events_of(runtime, organization_id) if e.action == "organization.update"]
