"""Reads and corrects what Workroom has stored about an organization. Logto is read in :mod:`.logto_state`."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from saas_app.audit.recorder import Action
from saas_app.db.session import DatabaseSession, WritingSession
from saas_app.db.upsert import upsert
from saas_app.models import (
    AuditEvent,
    MembershipChange,
    Organization,
    OrganizationRemoval,
    SessionRow,
    SessionToken,
    User,
)
from saas_app.models.session_token import read_role_names

_CHUNK = 200  # IDs or rows per statement
_COPIED = (
    Organization.name,
    Organization.description,
    Organization.logo,
    Organization.dark_logo,
    Organization.color,
)


@dataclass(frozen=True, slots=True)
class CachedMembership:
    """A membership as a cached token has it: the roles when it was fetched, or why it was refused.

    ``role_names`` is None if they cannot be read.
    """

    subject: str
    role_names: frozenset[str] | None
    refusal: str | None
    fetched_at: datetime


async def list_known_organizations(db: DatabaseSession) -> dict[str, str]:
    """Return the names of all organizations in the database by ID, except those whose removal is finished."""
    finished = sa.select(OrganizationRemoval.organization_id).where(
        OrganizationRemoval.finished_at.is_not(None)
    )
    rows = await db.execute(
        sa.select(Organization.id, Organization.name).where(Organization.id.not_in(finished))
    )
    return {row.id: row.name for row in rows}


async def has_creation_entry(db: DatabaseSession) -> bool:
    """Return whether the audit log of the session's organization has an entry for its creation."""
    wanted = sa.select(AuditEvent.id).where(AuditEvent.action == Action.ORGANIZATION_CREATE.value).limit(1)
    return await db.scalar(wanted) is not None


async def list_cached_memberships(
    db: DatabaseSession, organization_id: str, until: datetime
) -> list[CachedMembership]:
    """Return the memberships in tokens fetched before ``until`` that are neither expired nor stale."""
    version = (
        sa.select(sa.func.coalesce(sa.func.sum(MembershipChange.version), 0))
        .where(MembershipChange.touches(organization_id, SessionRow.subject))
        .correlate(SessionRow)
        .scalar_subquery()
    )
    rows = await db.execute(
        sa.select(SessionRow.subject, SessionToken.role_names, SessionToken.refusal, SessionToken.fetched_at)
        .join(SessionRow, SessionRow.id == SessionToken.session_id)
        .where(
            SessionToken.organization_id == organization_id,
            SessionToken.fetched_at < until,
            SessionToken.expires_at > until,
            sa.func.coalesce(SessionToken.membership_version, 0) == version,
        )
    )
    return [
        CachedMembership(row.subject, read_role_names(row.role_names), row.refusal, row.fetched_at)
        for row in rows
    ]


async def write_users(db: WritingSession, rows: Iterable[dict[str, Any]]) -> list[str]:
    """Store names and addresses of people where they differ. Return the IDs of those people."""
    wanted = {row["id"]: row for row in rows}
    columns = (User.id, User.username, User.name, User.email, User.picture)
    kept: dict[str, tuple[Any, ...]] = {}
    for chunk in _chunks(list(wanted)):
        found = await db.execute(sa.select(*columns).where(User.id.in_(chunk)))
        kept.update({row.id: tuple(row) for row in found})
    different = [
        row for row in wanted.values() if kept.get(row["id"]) != tuple(row[column.key] for column in columns)
    ]
    for start in range(0, len(different), _CHUNK):
        await upsert(db, User, different[start : start + _CHUNK], key=("id",))
    return [row["id"] for row in different]


async def write_organization(db: WritingSession, row: dict[str, Any]) -> set[str]:
    """Store what is known of an organization if it differs. Return the names of the columns that did."""
    columns = [column for column in _COPIED if column.key in row]
    found = await db.execute(sa.select(*columns).where(Organization.id == row["id"]))
    kept = found.one_or_none()
    different = {
        column.key for column in columns if kept is None or getattr(kept, column.key) != row[column.key]
    }
    if different:
        await upsert(db, Organization, [row], key=("id",))
    return different


def _chunks(ids: list[str]) -> Iterable[Collection[str]]:
    return (ids[start : start + _CHUNK] for start in range(0, len(ids), _CHUNK))
