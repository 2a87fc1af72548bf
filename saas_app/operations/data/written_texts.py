"""What a person wrote in access requests: why they needed a role, and their answers to others.

The reason of a request is in the audit log too, and so is that of a support access, which is about its member
as well. Notifications of other people repeat an answer, or name who asked.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from saas_app.audit.recorder import Action
from saas_app.db.session import DatabaseSession, WritingSession
from saas_app.identity.open_requests import cause_of_request
from saas_app.models import AccessRequest, AuditEvent, Notification
from saas_app.notifications.recorder import cause_of_decline

_BATCH: Final = 500  # notifications per statement


async def list_reasons(db: DatabaseSession, user_id: str) -> list[str]:
    """Return the reasons of the person's requests, and of support access by them and for them.

    They are those in the organization of the session, the longest first.
    """
    asked = sa.select(AccessRequest.reason).where(AccessRequest.requester_id == user_id)
    acted = sa.select(AuditEvent.after["reason"].as_string()).where(
        AuditEvent.action == Action.SUPPORT_START.value,
        sa.or_(AuditEvent.actor_id == user_id, AuditEvent.target_id == user_id),
    )
    found = {*await db.scalars(asked), *await db.scalars(acted)}
    return sorted(filter(None, found), key=len, reverse=True)


async def empty_texts(db: WritingSession, organization_id: str, user_id: str) -> int:
    """Empty the texts, delete the notifications that repeat them, and return how many were deleted.

    Call it while the requests still have the person's id.
    """
    asked = await db.scalars(sa.select(AccessRequest.id).where(AccessRequest.requester_id == user_id))
    answered = await db.scalars(sa.select(AccessRequest.id).where(AccessRequest.decided_by == user_id))
    causes = [*map(cause_of_request, asked), *map(cause_of_decline, answered)]
    await db.execute(sa.update(AccessRequest).where(AccessRequest.requester_id == user_id).values(reason=""))
    await db.execute(sa.update(AccessRequest).where(AccessRequest.decided_by == user_id).values(answer=""))
    count = 0
    for start in range(0, len(causes), _BATCH):
        chosen = Notification.cause.in_(causes[start : start + _BATCH])
        deleted = await db.execute(
            sa.delete(Notification)
            .where(Notification.organization_id == organization_id, chosen)
            .returning(Notification.id)
        )
        count += len(deleted.all())
    return count
