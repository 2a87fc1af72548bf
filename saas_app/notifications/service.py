"""A person's notifications, page by page."""

from __future__ import annotations

import uuid

from saas_app.db import keys
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.notifications import queries
from saas_app.notifications.values import NotificationRow


async def list_notifications(
    work: UnitOfWork, user_id: str, before: uuid.UUID | None, limit: int
) -> list[NotificationRow]:
    """Return the person's notifications, the newest first."""
    async with work.reading(key=keys.of_person(user_id)) as db:
        return await queries.list_rows(db, user_id, before, limit)
