"""Reads the notifications of a person from the database."""

from __future__ import annotations

from saas_app.identity.principal import Principal
from saas_app.notifications.service import list_notifications
from saas_app.notifications.values import NotificationRow
from saas_app.runtime import Runtime


async def notifications_of(runtime: Runtime, user_id: str) -> list[NotificationRow]:
    """Return a person's notifications, the newest first."""
    return await list_notifications(runtime.work, Principal(user_id), None, 100)


async def told(runtime: Runtime, user_id: str) -> list[str]:
    """Return the sentences that a person reads in English, the newest first."""
    return [str(row.sentence) for row in await notifications_of(runtime, user_id)]
