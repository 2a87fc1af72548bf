"""A person's notifications, page by page."""

from __future__ import annotations

import uuid
from dataclasses import replace

from saas_app.db import keys
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.identity.principal import Principal
from saas_app.identity.single_sign_on import find_providers_to_use
from saas_app.notifications import queries
from saas_app.notifications.values import NotificationRow


async def list_notifications(
    work: UnitOfWork, principal: Principal, before: uuid.UUID | None, limit: int
) -> list[NotificationRow]:
    """Return the person's notifications, the newest first.

    Those of organizations that require another sign-in tell no more than that there is news.
    """
    user_id = principal.subject
    async with work.reading(key=keys.of_person(user_id)) as db:
        rows = await queries.list_rows(db, user_id, before, limit)
    organization_ids = [row.organization_id for row in rows if row.is_for_members]
    closed = await find_providers_to_use(work, principal, organization_ids)
    return [
        replace(row, provider=closed.get(row.organization_id)) if row.is_for_members else row for row in rows
    ]
