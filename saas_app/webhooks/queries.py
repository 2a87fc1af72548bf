"""Statements that store what Logto's webhooks report."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from saas_app.db.session import DatabaseSession, WritingSession
from saas_app.db.upsert import insert_if_absent
from saas_app.models import (
    FormerMembership,
    KeptFormRow,
    Notification,
    Organization,
    OrganizationRemoval,
    SessionRow,
    User,
    WebhookDelivery,
)


async def add_delivery(db: WritingSession, digest: bytes, now: datetime) -> bool:
    """Record a delivery. Returns False if it was received before."""
    return await insert_if_absent(
        db, WebhookDelivery, {"body_hash": digest, "received_at": now}, key=("body_hash",)
    )


async def delete_deliveries(db: WritingSession, before: datetime) -> None:
    """Delete the records of deliveries that were received before a moment."""
    await db.execute(sa.delete(WebhookDelivery).where(WebhookDelivery.received_at < before))


async def find_organization_name(db: DatabaseSession, organization_id: str) -> str | None:
    """Return the stored name of an organization, or None if it is unknown."""
    name: str | None = await db.scalar(sa.select(Organization.name).where(Organization.id == organization_id))
    return name


async def is_removed(db: WritingSession, organization_id: str) -> bool:
    """Return whether an organization was deleted, so that its data is removed."""
    return await db.get(OrganizationRemoval, organization_id) is not None


async def save_organization(
    db: WritingSession, organization_id: str, values: Mapping[str, Any], seen_at: datetime
) -> None:
    """Store an organization's name, unless it was read from Logto later than ``seen_at``."""
    row = {**values, "seen_at": seen_at}
    if not await insert_if_absent(db, Organization, row, key=("id",)):
        older = sa.update(Organization).where(
            Organization.id == organization_id, Organization.seen_at <= seen_at
        )
        await db.execute(older.values(**row))


async def update_user(db: WritingSession, user_id: str, values: Mapping[str, Any], seen_at: datetime) -> None:
    """Store a known user's names, unless they were read from Logto later than ``seen_at``."""
    older = sa.update(User).where(User.id == user_id, User.seen_at <= seen_at)
    await db.execute(older.values({**values, "seen_at": seen_at}))


async def delete_sessions(db: WritingSession, user_id: str) -> None:
    """Delete a user's sessions, and the forms that wait for their next sign-in."""
    await db.execute(sa.delete(SessionRow).where(SessionRow.subject == user_id))
    await db.execute(sa.delete(KeptFormRow).where(KeptFormRow.owner == user_id))


async def delete_notifications(db: WritingSession, user_id: str) -> None:
    """Delete the notifications of a person whose account was deleted."""
    await db.execute(sa.delete(Notification).where(Notification.user_id == user_id))


async def delete_former_memberships(db: WritingSession, user_id: str) -> None:
    """Delete a user's ended memberships, which are kept to tell former members."""
    await db.execute(sa.delete(FormerMembership).where(FormerMembership.user_id == user_id))
