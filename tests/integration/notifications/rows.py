"""A notification of somebody else, for the rules about routes."""

from __future__ import annotations

import uuid
from typing import Any

from saas_app.notifications.recorder import notify_of_removal
from saas_app.runtime import Runtime
from tests.factories import Factory
from tests.integration.notifications.reading import notifications_of
from tests.rules.rows import Rows


async def make_notification(_make: Factory, runtime: Runtime, organization_id: str) -> dict[str, Any]:
    """Make a notification of a person whom nobody signs in as."""
    stranger = uuid.uuid4().hex[:12]
    async with runtime.work.writing(organization_id) as db:
        await notify_of_removal(db, organization_id, stranger, "a test")
    (found,) = await notifications_of(runtime, stranger)
    return {"notification_id": found.id}


ROWS = Rows(frozenset({"notification_id"}), make_notification)
