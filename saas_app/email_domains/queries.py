"""Statements on email domains: claims of them, and members who joined by them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from saas_app.db.rows import changed
from saas_app.db.session import DatabaseSession, WritingSession
from saas_app.db.upsert import insert_if_absent
from saas_app.models import AuditEvent, DomainJoin, DomainProof, EmailDomain, User


@dataclass(frozen=True, slots=True)
class Claim:
    """A domain that an organization claims. ``proof`` and ``verified_at`` are set while it is verified."""

    organization_id: str
    domain: str
    token: str
    claimed_at: datetime
    proof: DomainProof | None
    proved_by: str | None
    verified_at: datetime | None
    checked_at: datetime | None
    failing_since: datetime | None
    prover_name: str | None

    @property
    def is_verified(self) -> bool:
        """Whether the domain is verified, so that people join by it."""
        return self.verified_at is not None


_CLAIM: sa.Select[*tuple[Any, ...]] = (
    sa.select(
        EmailDomain.organization_id,
        EmailDomain.domain,
        EmailDomain.token,
        EmailDomain.claimed_at,
        EmailDomain.proof,
        EmailDomain.proved_by,
        EmailDomain.verified_at,
        EmailDomain.checked_at,
        EmailDomain.failing_since,
        User.display_name(),
    )
    .select_from(EmailDomain)
    .outerjoin(User, User.id == EmailDomain.proved_by)
)


async def list_claims(db: DatabaseSession, organization_id: str) -> list[Claim]:
    """Return the domains that an organization claims, sorted by name."""
    statement = _CLAIM.where(EmailDomain.organization_id == organization_id).order_by(EmailDomain.domain)
    return [Claim(*row) for row in await db.execute(statement)]


async def find_claim(db: DatabaseSession, organization_id: str, domain: str) -> Claim | None:
    """Return an organization's claim of a domain, or None."""
    statement = _CLAIM.where(_is(organization_id, domain))
    row = (await db.execute(statement)).one_or_none()
    return None if row is None else Claim(*row)


async def find_holder(db: DatabaseSession, domain: str) -> Claim | None:
    """Return the verified claim of a domain, or None. There is at most one."""
    statement = _CLAIM.where(EmailDomain.domain == domain, EmailDomain.verified_at.is_not(None))
    row = (await db.execute(statement)).one_or_none()
    return None if row is None else Claim(*row)


async def add_claim(db: WritingSession, organization_id: str, domain: str, token: str, now: datetime) -> bool:
    """Claim a domain. Returns False if the organization claims it already."""
    row = {"organization_id": organization_id, "domain": domain, "token": token, "claimed_at": now}
    return await insert_if_absent(db, EmailDomain, row, key=("organization_id", "domain"))


async def hold(
    db: WritingSession, organization_id: str, domain: str, proof: DomainProof, proved_by: str, now: datetime
) -> bool:
    """Mark a claim as verified. Returns False if the claim no longer exists.

    Raises :class:`sqlalchemy.exc.IntegrityError` if another organization holds the domain.
    """
    return await _update(
        db, organization_id, domain,
        proof=proof, proved_by=proved_by, verified_at=now, checked_at=now, failing_since=None,
    )  # fmt: skip


async def release(db: WritingSession, organization_id: str, domain: str) -> bool:
    """Mark a claim as not verified. The claim and its token are kept."""
    return await _update(
        db, organization_id, domain, proof=None, proved_by=None, verified_at=None, failing_since=None
    )


async def note_check(
    db: WritingSession, organization_id: str, domain: str, now: datetime, failing_since: datetime | None
) -> bool:
    """Record when the proof was checked, and since when it has been missing (None: it was found)."""
    return await _update(db, organization_id, domain, checked_at=now, failing_since=failing_since)


async def remove_claim(db: WritingSession, organization_id: str, domain: str) -> None:
    """Delete a claim, verified or not."""
    statement = sa.delete(EmailDomain).where(_is(organization_id, domain))
    await db.execute(statement)


async def has_join(db: DatabaseSession, organization_id: str, user_id: str) -> bool:
    """Return whether it is recorded how a person became a member."""
    statement = sa.select(DomainJoin.user_id).where(_joined(organization_id, user_id))
    return await db.scalar(statement) is not None


async def add_join(
    db: WritingSession,
    organization_id: str,
    user_id: str,
    domain: str | None,
    now: datetime,
    *,
    provider: str | None = None,
) -> bool:
    """Record the domain a person joined by (None: another way). Returns False if that was recorded before.

    ``provider`` is the identity provider if they joined through single sign-on.
    """
    row = {"organization_id": organization_id, "user_id": user_id, "domain": domain, "noted_at": now}
    return await insert_if_absent(
        db, DomainJoin, {**row, "provider": provider}, key=("organization_id", "user_id")
    )


async def confirm_join(db: WritingSession, organization_id: str, user_id: str, now: datetime) -> None:
    """Record that a person has confirmed the notice of how they joined."""
    statement = sa.update(DomainJoin).where(_joined(organization_id, user_id)).values(seen_at=now)
    await db.execute(statement)


async def joined_another_way(
    db: DatabaseSession, user_id: str, actions: Collection[str], before: datetime
) -> bool:
    """Return whether the audit log has one of these actions of a person, or any action before a moment.

    The session adds the tenant.
    """
    statement = sa.select(AuditEvent.id).where(
        AuditEvent.actor_id == user_id,
        sa.or_(AuditEvent.action.in_(actions), AuditEvent.occurred_at < before),
    )
    return (await db.scalars(statement.limit(1))).first() is not None


def _is(organization_id: str, domain: str) -> sa.ColumnElement[bool]:
    return sa.and_(EmailDomain.organization_id == organization_id, EmailDomain.domain == domain)


def _joined(organization_id: str, user_id: str) -> sa.ColumnElement[bool]:
    return sa.and_(DomainJoin.organization_id == organization_id, DomainJoin.user_id == user_id)


async def _update(db: WritingSession, organization_id: str, domain: str, **values: Any) -> bool:
    statement = sa.update(EmailDomain).where(_is(organization_id, domain)).values(**values)
    return await changed(db, statement, EmailDomain.domain)
