"""Marks a person's own notifications as read. Nobody can reach those of somebody else."""

from __future__ import annotations

import uuid

from saas_app.db import keys
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.errors import NotFound
from saas_app.notifications import queries
from saas_app.notifications.values import NotificationRow
from saas_app.text.translation import _


async def open_notification(work: UnitOfWork, user_id: str, notification_id: uuid.UUID) -> NotificationRow:
    """Mark a notification of the person as read, and return it.

    Raises :class:`NotFound`, also for a notification of somebody else.
    """
    async with work.writing(key=keys.of_person(user_id)) as db:
        found = await queries.find_row(db, user_id, notification_id)
        if found is None:
            raise NotFound(
                _("It may have expired. Notifications are kept for 90 days."),
                title=_("Notification not found"),
            )
        await queries.mark_read(db, user_id, notification_id)
    return found


async def mark_all_read(work: UnitOfWork, user_id: str, until: uuid.UUID) -> None:
    """Mark the person's notifications as read, up to the newest one on their page."""
    async with work.writing(key=keys.of_person(user_id)) as db:
        await queries.mark_all_read(db, user_id, until)
