"""Ended memberships. Former members see that their membership ended; strangers learn nothing.

An end is known from our own removals, from Logto's webhooks, and from a session for which Logto granted a
token before and refuses one now. The stored name is the one that the former member knew; they do not learn
later names of the organization.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from saas_app.db.base import utc_now
from saas_app.db.session import DatabaseSession, WritingSession
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.db.upsert import insert_if_absent, upsert
from saas_app.errors import NotFound
from saas_app.identity.membership_changes import mark_changed
from saas_app.identity.named_members import forget_member
from saas_app.logto.provider_clock import LEEWAY
from saas_app.models import (
    Ending,
    FormerMembership,
    Organization,
    OrganizationRemoval,
    SessionRow,
    SessionToken,
)
from saas_app.text.translation import _
from saas_app.text.visible import isolated

RETENTION: Final = timedelta(days=90)
"""How long former members are told that their membership ended."""

_CLOCK_SKEW: Final = timedelta(seconds=LEEWAY)  # between Logto's clock and ours
_SAME_END: Final = timedelta(minutes=10)  # two reports within this time mean the same end


@dataclass(frozen=True, slots=True)
class FormerMember:
    """How and when a membership ended. ``is_deleted``: the organization itself is gone."""

    organization_name: str
    ending: Ending
    ended_at: datetime
    is_deleted: bool


class NoLongerMember(NotFound):
    """The caller is no longer a member of the organization. As for strangers, the status is 404."""

    code = "no-longer-a-member"

    def __init__(self, former: FormerMember) -> None:
        organization = isolated(former.organization_name)
        if former.is_deleted:
            detail = _("%(organization)s was deleted. You were a member.", organization=organization)
        elif former.ending is Ending.LEFT:
            detail = _("You left %(organization)s.", organization=organization)
        elif former.ending is Ending.REMOVED:
            detail = _("You were removed from %(organization)s.", organization=organization)
        else:
            detail = _("Your membership in %(organization)s has ended.", organization=organization)
        title = (
            _("%(organization)s was deleted", organization=organization)
            if former.is_deleted
            else _("You are no longer a member of %(organization)s", organization=organization)
        )
        super().__init__(detail, title=title)
        self.former = former


async def find_former_member(db: DatabaseSession, organization_id: str, user_id: str) -> FormerMember | None:
    """Return how the person's membership ended, or None if none ended within :data:`RETENTION`."""
    statement = (
        sa.select(
            FormerMembership.organization_name,
            FormerMembership.ending,
            FormerMembership.ended_at,
            OrganizationRemoval.organization_id.is_not(None).label("is_deleted"),
        )
        .outerjoin(
            OrganizationRemoval, OrganizationRemoval.organization_id == FormerMembership.organization_id
        )
        .where(
            FormerMembership.organization_id == organization_id,
            FormerMembership.user_id == user_id,
            FormerMembership.ended_at > utc_now() - RETENTION,
        )
    )
    row = (await db.execute(statement)).one_or_none()
    return FormerMember(*row) if row else None


async def note_end(
    db: WritingSession, organization_id: str, organization_name: str, user_id: str, ending: Ending
) -> None:
    """Record that a membership ends now."""
    row = {
        "organization_id": organization_id,
        "user_id": user_id,
        "organization_name": organization_name[:128],
        "ending": ending,
        "ended_at": utc_now(),
    }
    await upsert(db, FormerMembership, [row], key=("organization_id", "user_id"))


async def note_past_removal(
    db: WritingSession, organization_id: str, organization_name: str, user_id: str, ended_at: datetime
) -> None:
    """Record a removal some time ago, unless an end of this membership is known."""
    row = {
        "organization_id": organization_id,
        "user_id": user_id,
        "organization_name": organization_name,
        "ending": Ending.REMOVED,
        "ended_at": ended_at,
    }
    await insert_if_absent(db, FormerMembership, row, key=("organization_id", "user_id"))


async def delete_expired_ends(jobs: UnitOfWork) -> None:
    """Delete the records of all organizations that are older than :data:`RETENTION`.

    ``jobs`` has the role of jobs. In a request, the database shows only one organization's records.
    """
    async with jobs.writing() as db:
        await db.execute(sa.delete(FormerMembership).where(FormerMembership.ended_at < utc_now() - RETENTION))


async def note_removed_elsewhere(
    db: WritingSession, organization_id: str, user_id: str, removed_at: datetime
) -> bool:
    """Record a removal that Logto reported, unless it was our own, which is recorded already.

    The session is bound to the organization, whose rows no longer name the person. ``removed_at`` is the
    time of the removal or of a later report. Returns whether the removal was recorded now.
    """
    await forget_member(db, organization_id, user_id, removed_at - _CLOCK_SKEW)
    name = await db.scalar(sa.select(Organization.name).where(Organization.id == organization_id))
    if name is None or await _is_noted(db, organization_id, user_id, utc_now() - _SAME_END):
        return False
    await note_end(db, organization_id, name, user_id, Ending.REMOVED)
    return True


async def note_refused(
    db: WritingSession, session_id: uuid.UUID, organization_id: str, refused_at: datetime
) -> None:
    """Record that a membership ended: Logto refused a token that it granted to this session before.

    Tokens that the person's programs got before are rejected from now on. ``refused_at`` is when Logto was
    asked.
    """
    statement = (
        sa.select(SessionRow.subject, Organization.name, sa.func.max(SessionToken.fetched_at).label("until"))
        .join(SessionToken, SessionToken.session_id == SessionRow.id)
        .join(Organization, Organization.id == SessionToken.organization_id)
        .where(
            SessionRow.id == session_id,
            SessionToken.organization_id == organization_id,
            SessionToken.refusal.is_(None),
        )
        .group_by(SessionRow.subject, Organization.name)
    )
    was = (await db.execute(statement)).one_or_none()
    if was is not None and not await _is_noted(db, organization_id, was.subject, was.until):
        await forget_member(db, organization_id, was.subject, refused_at)
        await mark_changed(db, organization_id, [was.subject])
        await note_end(db, organization_id, was.name, was.subject, Ending.UNKNOWN)


async def _is_noted(db: DatabaseSession, organization_id: str, user_id: str, since: datetime) -> bool:
    ended_at = await db.scalar(
        sa.select(FormerMembership.ended_at).where(
            FormerMembership.organization_id == organization_id, FormerMembership.user_id == user_id
        )
    )
    return ended_at is not None and ended_at >= since
