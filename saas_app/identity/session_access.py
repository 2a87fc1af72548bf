"""A session with its tokens for one organization, read in one statement by every request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute

from saas_app.identity.joined_by import JoinedBy
from saas_app.identity.membership_changes import CHANGE_COLUMNS, as_changes
from saas_app.identity.principal import SessionPrincipal
from saas_app.identity.role_ends import END_COLUMNS, as_ends
from saas_app.identity.single_sign_on import REQUIREMENT_COLUMNS, SsoRequirement, as_requirement
from saas_app.models import (
    DomainJoin,
    MembershipChange,
    Notification,
    Organization,
    PendingChange,
    RoleEnd,
    SessionRow,
    SessionToken,
    SsoConnection,
    User,
)
from saas_app.models.session_token import read_role_names
from saas_app.text.branding import UNBRANDED, Branding

NO_ORGANIZATION: Final = ""
"""The organization's id in statements of requests outside an organization. It matches nothing."""


class Refusal(StrEnum):
    """Why Logto refused a token for an organization."""

    NOT_A_MEMBER = "not-a-member"
    NEEDS_MFA = "mfa"
    NEEDS_CONSENT = "consent"


@dataclass(frozen=True, slots=True)
class CachedToken:
    """What a session's token for one audience grants, or why Logto refused it, without the token itself."""

    audience: str
    fetched_at: datetime
    expires_at: datetime
    scopes: frozenset[str] = frozenset()
    role_names: frozenset[str] = frozenset()
    refusal: Refusal | None = None
    membership_version: int | None = None  # when fetching the token began


@dataclass(frozen=True, slots=True)
class SessionAccess:
    """A live session, with its tokens and the person's membership for one organization, or for none.

    ``joined_by`` is how the person became a member without an invitation, until they confirm the notice.
    ``membership_version`` counts the changes of the membership; a token with another version is stale.
    ``is_membership_changing``: a change has begun whose result is not known, so no cached token may be used.
    ``role_ends`` says when roles of the person end; some may have ended. ``sso_requirement`` is what the
    organization requires of sign-ins.
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
    organization_branding: Branding = UNBRANDED
    joined_by: JoinedBy | None = None
    membership_version: int = 0
    is_membership_changing: bool = False
    role_ends: Mapping[str, datetime] = field(default_factory=dict)
    sso_requirement: SsoRequirement | None = None

    @property
    def unmet_requirement(self) -> SsoRequirement | None:
        """What the organization requires of sign-ins, if this session does not meet it."""
        required = self.sso_requirement
        return None if required is None or required.is_met_by(self.principal) else required


_PERSON_COLUMNS: Final = (
    SessionRow.id,
    SessionRow.subject,
    SessionRow.granted_at,
    SessionRow.authenticated_at,
    SessionRow.renewed_for,
    SessionRow.last_seen_at,
    SessionRow.last_organization_id,
    SessionRow.sso_connector_id,
    User.name,
    User.username,
    User.email,
    User.picture,
)
_TOKEN_COLUMNS: Final = (
    SessionToken.audience,
    SessionToken.scopes,
    SessionToken.role_names,
    SessionToken.refusal,
    SessionToken.fetched_at,
    SessionToken.expires_at,
    SessionToken.membership_version,
)
_ORGANIZATION_ID: Final = sa.bindparam("organization_id", type_=sa.String)
_UNCONFIRMED_JOIN: Final = sa.and_(
    DomainJoin.organization_id == _ORGANIZATION_ID,
    DomainJoin.user_id == SessionRow.subject,
    DomainJoin.seen_at.is_(None),
)
_ENDS_THERE: Final = sa.and_(
    RoleEnd.organization_id == _ORGANIZATION_ID, RoleEnd.user_id == SessionRow.subject
)
_TOKENS_THERE: Final = sa.and_(
    SessionToken.session_id == SessionRow.id, SessionToken.organization_id == _ORGANIZATION_ID
)
_HAS_UNREAD: Final = (
    sa.exists()
    .where(Notification.user_id == SessionRow.subject, Notification.read_at.is_(None))
    .correlate(SessionRow)
)
_IS_LIVE: Final = sa.and_(
    SessionRow.expires_at > sa.bindparam("now", type_=SessionRow.expires_at.type),
    SessionRow.last_seen_at > sa.bindparam("seen_after", type_=SessionRow.last_seen_at.type),
)


def _access_statement(key: InstrumentedAttribute[Any]) -> sa.Select[*tuple[Any, ...]]:
    """Build the statement that finds a live session by this column. Its rows are for :func:`as_access`."""
    return (
        sa.select(
            *_PERSON_COLUMNS,
            Organization.name.label("organization_name"),
            Organization.logo,
            Organization.dark_logo,
            Organization.color,
            *CHANGE_COLUMNS,
            *END_COLUMNS,
            *REQUIREMENT_COLUMNS,
            PendingChange.touches(_ORGANIZATION_ID, SessionRow.subject).label("is_changing"),
            DomainJoin.domain.label("joined_by"),
            DomainJoin.provider.label("joined_through"),
            _HAS_UNREAD.label("has_unread"),
            *_TOKEN_COLUMNS,
        )
        .select_from(SessionRow)
        .outerjoin(User, User.id == SessionRow.subject)
        .outerjoin(Organization, Organization.id == _ORGANIZATION_ID)
        .outerjoin(MembershipChange, MembershipChange.touches(_ORGANIZATION_ID, SessionRow.subject))
        .outerjoin(DomainJoin, _UNCONFIRMED_JOIN)
        .outerjoin(RoleEnd, _ENDS_THERE)
        .outerjoin(SsoConnection, SsoConnection.organization_id == _ORGANIZATION_ID)
        .outerjoin(SessionToken, _TOKENS_THERE)
        .where(key == sa.bindparam("key", type_=key.type), _IS_LIVE)
    )


# Built once, because every request executes one of them.
ACCESS_BY_COOKIE: Final = _access_statement(SessionRow.cookie_hash)
ACCESS_BY_ID: Final = _access_statement(SessionRow.id)


def as_access(rows: Sequence[sa.Row[Any]]) -> SessionAccess:
    """Return the session of these rows: one for each token, change of the membership and role that ends."""
    first, changes = rows[0], as_changes(rows)
    return SessionAccess(
        principal=SessionPrincipal(
            subject=first.subject,
            session_id=first.id,
            name=first.name,
            username=first.username,
            email=first.email,
            picture=first.picture,
            has_unread=first.has_unread,
            sso_connector_id=first.sso_connector_id,
            granted_at=first.granted_at,
        ),
        granted_at=first.granted_at,
        authenticated_at=first.authenticated_at,
        renewed_for=first.renewed_for,
        last_seen_at=first.last_seen_at,
        last_organization_id=first.last_organization_id,
        organization_name=first.organization_name,
        organization_branding=Branding(first.logo, first.dark_logo, first.color),
        membership_changed_at=changes.changed_at,
        tokens={token.audience: token for token in map(_find_token, rows) if token is not None},
        joined_by=JoinedBy(first.joined_by, first.joined_through) if first.joined_by else None,
        membership_version=changes.version,
        is_membership_changing=first.is_changing,
        role_ends=as_ends(rows),
        sso_requirement=as_requirement(first),
    )


def _find_token(row: sa.Row[Any]) -> CachedToken | None:
    """Return the token of a row, or None if it has none. A token with unreadable roles is fetched again."""
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
