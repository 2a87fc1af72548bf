"""What a request needs to know of its session, and of one organization: read in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute

from saas_app.identity.membership_changes import CHANGE_COLUMNS, as_changes
from saas_app.identity.principal import SessionPrincipal
from saas_app.models import (
    DomainJoin,
    MembershipChange,
    Organization,
    PendingChange,
    SessionRow,
    SessionToken,
    User,
)
from saas_app.models.session_token import read_role_names

NOWHERE: Final = ""
"""As an organization's id, where there is none: nothing belongs to it."""


class Refusal(StrEnum):
    """Why Logto gave no token for an organization."""

    NOT_A_MEMBER = "not-a-member"
    NEEDS_MFA = "mfa"
    NEEDS_CONSENT = "consent"


@dataclass(frozen=True, slots=True)
class CachedToken:
    """What the session's token for one audience grants, without the token."""

    audience: str
    fetched_at: datetime
    expires_at: datetime
    scopes: frozenset[str] = frozenset()
    role_names: frozenset[str] = frozenset()
    refusal: Refusal | None = None
    membership_version: int | None = None  # of the membership's changes, when fetching it began


@dataclass(frozen=True, slots=True)
class SessionAccess:
    """A live session, with all it knows about one organization (or none).

    ``joined_by``: the email domain that made the person a member, until they have confirmed that notice.
    ``membership_version`` differs from what a token was fetched with when the membership changed since.
    ``is_membership_changing``: a change has begun whose end is not known, so that no cached token answers.
    """

    principal: SessionPrincipal
    granted_at: datetime
    authenticated_at: datetime | None
    renewed_for: str | None
    last_seen_at: datetime
    last_organization_id: str | None
    organization_name: str | None
    membership_changed_at: datetime | None
    tokens: dict[str, CachedToken]
    joined_by: str | None = None
    membership_version: int = 0
    is_membership_changing: bool = False


def _access_statement(which: InstrumentedAttribute[Any]) -> sa.Select[*tuple[Any, ...]]:
    """What a request needs to know; built once, because every request asks it."""
    organization_id = sa.bindparam("organization_id", type_=sa.String)
    return (
        sa.select(
            SessionRow.id,
            SessionRow.subject,
            SessionRow.granted_at,
            SessionRow.authenticated_at,
            SessionRow.renewed_for,
            SessionRow.last_seen_at,
            SessionRow.last_organization_id,
            User.name,
            User.username,
            User.email,
            Organization.name.label("organization_name"),
            *CHANGE_COLUMNS,
            PendingChange.touches(organization_id, SessionRow.subject).label("is_changing"),
            DomainJoin.domain.label("joined_by"),
            SessionToken.audience,
            SessionToken.scopes,
            SessionToken.role_names,
            SessionToken.refusal,
            SessionToken.fetched_at,
            SessionToken.expires_at,
            SessionToken.membership_version,
        )
        .select_from(SessionRow)
        .outerjoin(User, User.id == SessionRow.subject)
        .outerjoin(Organization, Organization.id == organization_id)
        .outerjoin(MembershipChange, MembershipChange.touches(organization_id, SessionRow.subject))
        .outerjoin(
            DomainJoin,
            sa.and_(
                DomainJoin.organization_id == organization_id,
                DomainJoin.user_id == SessionRow.subject,
                DomainJoin.seen_at.is_(None),
            ),
        )
        .outerjoin(
            SessionToken,
            sa.and_(
                SessionToken.session_id == SessionRow.id, SessionToken.organization_id == organization_id
            ),
        )
        .where(
            which == sa.bindparam("which", type_=which.type),
            SessionRow.expires_at > sa.bindparam("now", type_=SessionRow.expires_at.type),
            SessionRow.last_seen_at > sa.bindparam("seen_after", type_=SessionRow.last_seen_at.type),
        )
    )


ACCESS_BY_COOKIE = _access_statement(SessionRow.cookie_hash)
ACCESS_BY_ID = _access_statement(SessionRow.id)


def as_access(rows: Sequence[sa.Row[Any]]) -> SessionAccess:
    """The session of these rows: one for each token and each change of the membership, at least one."""
    first, changes = rows[0], as_changes(rows)
    return SessionAccess(
        principal=SessionPrincipal(
            subject=first.subject,
            session_id=first.id,
            name=first.name,
            username=first.username,
            email=first.email,
        ),
        granted_at=first.granted_at,
        authenticated_at=first.authenticated_at,
        renewed_for=first.renewed_for,
        last_seen_at=first.last_seen_at,
        last_organization_id=first.last_organization_id,
        organization_name=first.organization_name,
        membership_changed_at=changes.changed_at,
        tokens={token.audience: token for token in map(_find_token, rows) if token is not None},
        joined_by=first.joined_by,
        membership_version=changes.version,
        is_membership_changing=first.is_changing,
    )


def _find_token(row: sa.Row[Any]) -> CachedToken | None:
    """The token of a row; None without one, and for one whose roles cannot be read: it is fetched again."""
    role_names = None if row.audience is None else read_role_names(row.role_names)
    if role_names is None:
        return None
    return CachedToken(
        audience=row.audience,
        scopes=frozenset(row.scopes.split()),
        role_names=role_names,
        refusal=Refusal(row.refusal) if row.refusal else None,
        fetched_at=row.fetched_at,
        expires_at=row.expires_at,
        membership_version=row.membership_version,
    )
