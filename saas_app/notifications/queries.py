"""Statements on notifications. Sessions have the key of the person, or the organization of the cause."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final

import sqlalchemy as sa

from saas_app.db.base import new_uuid, utc_now
from saas_app.db.rows import changed
from saas_app.db.session import DatabaseSession, WritingSession
from saas_app.db.upsert import insert_if_absent
from saas_app.models import FormerMembership, Notification, NotificationKind, Organization, User
from saas_app.notifications.values import RETENTION, DueEmail, NotificationRow

_ALL_ROWS: Final = (
    sa.select(
        Notification.id,
        Notification.organization_id,
        Notification.organization_name,
        Notification.kind,
        Notification.details,
        Notification.created_at,
        Notification.read_at,
        sa.func.coalesce(FormerMembership.ended_at >= Notification.created_at, sa.false()),
    )
    .select_from(Notification)
    .outerjoin(
        FormerMembership,
        sa.and_(
            FormerMembership.organization_id == Notification.organization_id,
            FormerMembership.user_id == Notification.user_id,
        ),
    )
)
_ROWS: Final = _ALL_ROWS.where(Notification.user_id == sa.bindparam("user_id"))


@cache
def _page(*, is_first: bool) -> sa.Select[*tuple[Any, ...]]:
    """Build the statement of a page: the newest, or those that are older than one."""
    statement = _ROWS.where(
        Notification.created_at > sa.bindparam("since", type_=Notification.created_at.type)
    )
    if not is_first:
        statement = statement.where(Notification.id < sa.bindparam("before", type_=sa.Uuid))
    return statement.order_by(Notification.id.desc()).limit(sa.bindparam("limit", type_=sa.Integer))


_ONE: Final = _ROWS.where(Notification.id == sa.bindparam("notification_id", type_=sa.Uuid))

_EMAIL_LANGUAGE: Final = sa.case(
    (sa.func.coalesce(User.email_language, "") == "", None),
    else_=sa.func.coalesce(sa.func.nullif(User.language, ""), User.email_language),
)
_DUE_EMAILS: Final = (
    _ALL_ROWS.add_columns(
        Notification.user_id, Notification.email_due_at, Notification.email_attempts, _EMAIL_LANGUAGE
    )
    .outerjoin(User, User.id == Notification.user_id)
    .where(Notification.email_due_at <= sa.bindparam("now", type_=Notification.created_at.type))
    .order_by(Notification.email_due_at)
    .limit(sa.bindparam("limit", type_=sa.Integer))
)
_OF_EMAIL: Final = (
    Notification.user_id == sa.bindparam("of_user"),
    Notification.id == sa.bindparam("of_id", type_=sa.Uuid),
)
_SETTLE_EMAIL: Final = sa.update(Notification).where(*_OF_EMAIL).values(email_due_at=None)


async def list_rows(
    db: DatabaseSession, user_id: str, before: uuid.UUID | None, limit: int
) -> list[NotificationRow]:
    """Return a person's notifications, the newest first."""
    values: dict[str, Any] = {"user_id": user_id, "since": utc_now() - RETENTION, "limit": limit}
    if before is not None:
        values["before"] = before
    return [NotificationRow(*row) for row in await db.execute(_page(is_first=before is None), values)]


async def find_row(db: DatabaseSession, user_id: str, notification_id: uuid.UUID) -> NotificationRow | None:
    """Return a notification of the person, or None."""
    row = (await db.execute(_ONE, {"user_id": user_id, "notification_id": notification_id})).one_or_none()
    return None if row is None else NotificationRow(*row)


async def mark_read(db: WritingSession, user_id: str, notification_id: uuid.UUID) -> None:
    """Mark a notification of the person as read, unless it is."""
    await db.execute(
        sa.update(Notification)
        .where(
            Notification.user_id == user_id,
            Notification.id == notification_id,
            Notification.read_at.is_(None),
        )
        .values(read_at=utc_now())
    )


async def mark_all_read(db: WritingSession, user_id: str, until: uuid.UUID) -> None:
    """Mark the person's notifications as read, up to the newest one that they have seen."""
    await db.execute(
        sa.update(Notification)
        .where(Notification.user_id == user_id, Notification.id <= until, Notification.read_at.is_(None))
        .values(read_at=utc_now())
    )


async def add(
    db: WritingSession,
    organization_id: str,
    user_id: str,
    kind: NotificationKind,
    cause: str,
    details: dict[str, Any],
) -> None:
    """Add a notification, unless the person has one of this cause."""
    name = await db.scalar(sa.select(Organization.name).where(Organization.id == organization_id))
    row = {
        "user_id": user_id,
        "id": new_uuid(),
        "organization_id": organization_id,
        "organization_name": name or organization_id,
        "kind": kind,
        "details": details,
        "cause": cause,
        "created_at": utc_now(),
        "read_at": None,
        "email_due_at": None if kind is NotificationKind.INVITED else utc_now(),
    }
    await insert_if_absent(db, Notification, row, key=("user_id", "cause"))


async def has_recent(
    db: DatabaseSession, organization_id: str, user_id: str, kind: NotificationKind, since: datetime
) -> bool:
    """Return whether a person was told something of this kind about an organization since then."""
    found = sa.select(Notification.id).where(
        Notification.user_id == user_id,
        Notification.organization_id == organization_id,
        Notification.kind == kind,
        Notification.created_at > since,
    )
    return await db.scalar(found.limit(1)) is not None


async def list_people_of_cause(db: DatabaseSession, cause: str) -> set[str]:
    """Return the people who were told about a cause in the organization of the session."""
    return set(await db.scalars(sa.select(Notification.user_id).where(Notification.cause == cause)))


async def mark_cause_read(db: WritingSession, user_id: str, cause: str) -> None:
    """Mark what a person was told about a cause as read."""
    await db.execute(
        sa.update(Notification)
        .where(Notification.user_id == user_id, Notification.cause == cause, Notification.read_at.is_(None))
        .values(read_at=utc_now())
    )


async def delete_older(db: WritingSession, before: datetime) -> None:
    """Delete the notifications of all people that are older than a moment."""
    await db.execute(sa.delete(Notification).where(Notification.created_at < before))


async def list_due_emails(db: DatabaseSession, limit: int) -> list[DueEmail]:
    """Return the emails that are due, of all people, those that wait the longest first."""
    rows = await db.execute(_DUE_EMAILS, {"now": utc_now(), "limit": limit})
    return [DueEmail(NotificationRow(*row[:-4]), *row[-4:]) for row in rows]


async def claim_email(db: WritingSession, email: DueEmail) -> bool:
    """Count an attempt, and put the next one off. Returns False if it was claimed by others, or is gone."""
    claim = (
        sa.update(Notification)
        .where(
            Notification.user_id == email.user_id,
            Notification.id == email.row.id,
            Notification.email_due_at == email.due_at,
        )
        .values(email_due_at=utc_now() + email.pause, email_attempts=email.attempts + 1)
    )
    return await changed(db, claim, Notification.id)


async def settle_emails(db: WritingSession, emails: Sequence[DueEmail]) -> None:
    """Record that there is nothing left to send for these notifications."""
    keys = [{"of_user": email.user_id, "of_id": email.row.id} for email in emails]
    await db.execute(_SETTLE_EMAIL, keys)
