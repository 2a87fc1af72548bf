"""Writes notifications, in the transaction of what they tell about.

Each notification names its cause, so a change that is recorded twice, after a crash or by a webhook, creates
only one. People get no notification about their own actions.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from saas_app.audit.recorder import Action, AuditEntry
from saas_app.db.base import new_uuid, utc_now
from saas_app.db.session import DatabaseSession, WritingSession
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.identity.open_requests import cause_of_request
from saas_app.models import NotificationKind
from saas_app.notifications import queries
from saas_app.notifications.values import RETENTION, SupportDetails

_SAME_REMOVAL: Final = timedelta(minutes=10)  # two reports within this time mean the same removal
_ABOUT_MEMBERS: Final = (Action.MEMBER_CHANGE_ROLES, Action.MEMBER_REMOVE)


async def notify_of_change(
    db: WritingSession, organization_id: str, entry: AuditEntry, roles: Sequence[str] | None, cause: str
) -> None:
    """Tell a member about a change of their membership by somebody else. Other changes are ignored.

    ``roles`` are their roles now, or None if they are no longer a member.
    """
    before = (entry.before or {}).get("roles")
    if entry.action is Action.MEMBER_END_ROLE and roles is not None and roles != before:
        role = str((entry.after or {}).get("role"))
        await queries.add(
            db, organization_id, entry.target.id, NotificationKind.ROLE_ENDED, cause, {"role": role}
        )
    if entry.action not in _ABOUT_MEMBERS or entry.actor.id == entry.target.id or roles == before:
        return
    if roles is None:
        await notify_of_removal(db, organization_id, entry.target.id, cause)
    elif approved := _approved(entry, roles):
        kind = NotificationKind.ACCESS_APPROVED
        await queries.add(db, organization_id, entry.target.id, kind, cause, approved)
    else:
        await notify_of_roles(
            db, organization_id, entry.target.id, roles, cause, ending=_ending(entry, roles)
        )


async def notify_of_roles(
    db: WritingSession,
    organization_id: str,
    user_id: str,
    roles: Sequence[str],
    cause: str,
    *,
    ending: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Tell a member which roles they have now, and which of them end."""
    details = {"roles": sorted(roles), **ending}
    await queries.add(db, organization_id, user_id, NotificationKind.ROLES_CHANGED, cause, details)


async def notify_of_end(
    db: WritingSession, organization_id: str, entry: AuditEntry, role: str, ends_at: datetime | None
) -> None:
    """Tell a member that somebody else changed when a role of theirs ends, or that it no longer does.

    If the change approved a request, that is what they are told.
    """
    if entry.actor.id == entry.target.id:
        return
    end = None if ends_at is None else ends_at.isoformat()
    kind = NotificationKind.ROLES_CHANGED
    details: dict[str, Any] = {"new_end_of": role, "ending": [role], "ends_at": end}
    if request_id := (entry.after or {}).get("request"):
        kind = NotificationKind.ACCESS_APPROVED
        details = {"role": role, "request": request_id, "ends_at": end, "is_kept": True}
    await queries.add(db, organization_id, entry.target.id, kind, f"end of a role {new_uuid()}", details)


async def notify_of_removal(db: WritingSession, organization_id: str, user_id: str, cause: str) -> None:
    """Tell a person that they were removed, unless another report of the same removal did.

    The ended membership is noted before, in the same transaction: of two reports, one waits there.
    """
    since = utc_now() - _SAME_REMOVAL
    if not await queries.has_recent(db, organization_id, user_id, NotificationKind.REMOVED, since):
        await queries.add(db, organization_id, user_id, NotificationKind.REMOVED, cause, {})


async def notify_of_support(
    db: WritingSession,
    organization_id: str,
    kind: NotificationKind,
    access_id: uuid.UUID,
    readers: Iterable[str],
    details: SupportDetails,
) -> None:
    """Tell people that an agent of the support team began to act for a member, or no longer does.

    ``readers`` are the member and those who can end it. Each learns it once for each access.
    """
    for user_id in readers:
        told = {**details, "is_own": user_id == details["member_id"]}
        await queries.add(db, organization_id, user_id, kind, cause_of_support(kind, access_id), told)


async def notify_of_invitation(
    db: WritingSession, organization_id: str, user_id: str, invitation_id: str, roles: Sequence[str]
) -> None:
    """Tell a person that an invitation to their email address is pending."""
    details = {"roles": sorted(roles), "invitation": invitation_id}
    await queries.add(
        db, organization_id, user_id, NotificationKind.INVITED, _cause_of_invitation(invitation_id), details
    )


async def notify_of_join(
    db: WritingSession, organization_id: str, user_id: str, domain: str, *, provider: str | None = None
) -> None:
    """Tell a person that they joined because of the domain of their email address, or through a provider."""
    cause, details = f"joined {organization_id}", {"domain": domain}
    if provider is not None:
        details["provider"] = provider
    await queries.add(db, organization_id, user_id, NotificationKind.JOINED, cause, details)


async def list_told(db: DatabaseSession, access_id: uuid.UUID) -> set[str]:
    """Return the people who were told that a support access began. ``db`` is bound to its organization."""
    return await queries.list_people_of_cause(
        db, cause_of_support(NotificationKind.SUPPORT_STARTED, access_id)
    )


async def notify_of_request(
    db: WritingSession,
    organization_id: str,
    approver_ids: Collection[str],
    request_id: uuid.UUID,
    role: str,
    requester: str,
    held_until: datetime | None,
) -> None:
    """Tell those who could approve a request for a role that it waits for them.

    ``held_until`` is the end of a role that the member asks to keep longer, or None.
    """
    details = {"role": str(role), "request": str(request_id), "requester": requester}
    if held_until is not None:
        details["ends_at"] = held_until.isoformat()
    for user_id in approver_ids:
        kind, cause = NotificationKind.ACCESS_REQUESTED, cause_of_request(request_id)
        await queries.add(db, organization_id, user_id, kind, cause, details)


async def notify_of_decline(
    db: WritingSession, organization_id: str, user_id: str, request_id: uuid.UUID, role: str, answer: str
) -> None:
    """Tell a member that their request was declined, and the answer, if there is one."""
    details = {"role": role, "request": str(request_id), "answer": answer}
    cause = cause_of_decline(request_id)
    await queries.add(db, organization_id, user_id, NotificationKind.ACCESS_DECLINED, cause, details)


async def mark_invitation_read(db: WritingSession, user_id: str, invitation_id: str) -> None:
    """Record that the person has accepted the invitation, so there is nothing left to tell."""
    await queries.mark_cause_read(db, user_id, _cause_of_invitation(invitation_id))


async def delete_expired_notifications(jobs: UnitOfWork) -> None:
    """Delete the notifications of all people that are older than :data:`RETENTION`.

    ``jobs`` has the role of jobs. In a request, the database shows only one person's notifications.
    """
    async with jobs.writing() as db:
        await queries.delete_older(db, utc_now() - RETENTION)


def cause_of_decline(request_id: uuid.UUID) -> str:
    """Return the cause of the notification that a request was declined."""
    return f"{cause_of_request(request_id)} declined"


def _approved(entry: AuditEntry, roles: Sequence[str]) -> dict[str, Any] | None:
    """Return what to tell about a change of roles that approved a request, or None for another change."""
    after = entry.after or {}
    given = set(after.get("roles") or ()) - set((entry.before or {}).get("roles") or ())
    if "request" not in after or not given or not given <= set(roles):
        return None
    return {"role": min(given), "request": after["request"], "ends_at": after.get("ends_at")}


def _ending(entry: AuditEntry, roles: Sequence[str]) -> dict[str, Any]:
    """Return which of the roles that a change gave end, and when."""
    after = entry.after or {}
    given = set(roles) - set((entry.before or {}).get("roles") or ())
    if not given or after.get("ends_at") is None:
        return {}
    return {"ending": sorted(given), "ends_at": after["ends_at"]}


def cause_of_support(kind: NotificationKind, access_id: uuid.UUID) -> str:
    """Return the cause of what people are told about a support access."""
    return f"{kind.value} {access_id}"


def _cause_of_invitation(invitation_id: str) -> str:
    return f"invitation {invitation_id}"
