"""Statements on an organization: its first steps, and the deletion of its data, batch by batch."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, Final, TypeAlias, cast

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute

from saas_app.audit.recorder import Action
from saas_app.db.base import Base, TenantOwned, is_tenant_owned
from saas_app.db.readings import Reading
from saas_app.db.session import DatabaseSession, WritingSession
from saas_app.identity.former_members import note_end
from saas_app.models import (
    AuditActor,
    AuditEvent,
    AuditRedaction,
    DomainJoin,
    EmailDomain,
    Ending,
    Notification,
    Organization,
    OrganizationOptions,
    OrganizationRemoval,
    PendingChange,
    ProjectName,
    RoleEnd,
    SessionRow,
    SessionToken,
    SsoConnection,
    SupportAccess,
)
from saas_app.organizations.values import FirstSteps

Deletion: TypeAlias = Callable[[WritingSession, OrganizationRemoval, int], Awaitable[int]]
"""Deletes at most a given number of rows of one table, and returns how many it deleted."""

_KEPT_TABLES: Final = (AuditActor, AuditEvent, AuditRedaction, PendingChange, ProjectName)
"""Not deleted here: the audit log is append-only, redactions end with their transaction, notes are closed at
the end, and the names go with their projects."""

_NEW_ROLES: Final = (Action.MEMBER_CHANGE_ROLES, Action.MEMBER_JOIN, Action.INVITATION_ACCEPT)


def _happened(*actions: Action) -> sa.Select[Any]:
    """Find an event of one of these actions."""
    return sa.select(AuditEvent.id).where(AuditEvent.action.in_([action.value for action in actions]))


_FIRST_STEPS: Final = sa.select(
    _happened(Action.ORGANIZATION_CREATE)
    .where(AuditEvent.occurred_at > sa.bindparam("since", type_=AuditEvent.occurred_at.type))
    .exists(),
    _happened(Action.INVITATION_CREATE).exists(),
    _happened(Action.PROJECT_CREATE).exists(),
    _happened(*_NEW_ROLES).exists(),
)


def first_steps(since: datetime) -> Reading[FirstSteps | None]:
    """Return the question which first steps are done. None if it was not created after ``since``."""
    return Reading(_FIRST_STEPS, {"since": since}, _as_first_steps)


def _as_first_steps(rows: Sequence[Sequence[Any]]) -> FirstSteps | None:
    ((is_new, *done),) = rows
    return FirstSteps(*map(bool, done)) if is_new else None


async def list_requested(db: DatabaseSession) -> list[str]:
    """Return the ids of the organizations whose data is still to be removed, the longest waiting first."""
    statement = (
        sa.select(OrganizationRemoval.organization_id)
        .where(OrganizationRemoval.finished_at.is_(None))
        .order_by(OrganizationRemoval.requested_at)
    )
    return list(await db.scalars(statement))


async def delete_batch(db: WritingSession, removal: OrganizationRemoval, batch: int) -> bool:
    """Delete at most ``batch`` rows of the first table that has some, and count them in ``removal``.

    Returns False if no table has any. ``db`` is a writing session bound to the organization.
    """
    for name, delete in DELETIONS.items():
        count = await delete(db, removal, batch)
        if count:
            removal.removed = {**removal.removed, name: removal.removed.get(name, 0) + count}
            return True
    return False


async def delete_name(db: WritingSession, organization_id: str) -> None:
    """Delete the copy of an organization's name."""
    await db.execute(sa.delete(Organization).where(Organization.id == organization_id))


def _rows_of(
    model: type[
        TenantOwned
        | DomainJoin
        | EmailDomain
        | Notification
        | OrganizationOptions
        | RoleEnd
        | SsoConnection
        | SupportAccess
    ],
    key: InstrumentedAttribute[Any],
) -> Deletion:
    """Return the deletion of an organization's rows. ``key`` identifies a row within the organization."""

    async def delete(db: WritingSession, removal: OrganizationRemoval, batch: int) -> int:
        is_owned = model.organization_id == removal.organization_id
        chosen = sa.select(key).where(is_owned).limit(batch)
        return await _count(db, sa.delete(model).where(is_owned, key.in_(chosen)))

    return delete


async def _delete_tokens(db: WritingSession, removal: OrganizationRemoval, batch: int) -> int:
    """Delete cached tokens, and record their members, who are told of the deletion when they return.

    Entries fetched after the removal was requested hold no token, because Logto refused it. They stay: a
    request may be reading them now.
    """
    key = sa.tuple_(SessionToken.session_id, SessionToken.audience)
    chosen = (
        sa.select(SessionToken.session_id, SessionToken.audience)
        .where(
            SessionToken.organization_id == removal.organization_id,
            SessionToken.fetched_at <= removal.requested_at,
        )
        .limit(batch)
    )
    members = sa.select(SessionRow.subject).join(SessionToken, SessionToken.session_id == SessionRow.id)
    granted = members.where(key.in_(chosen), SessionToken.refusal.is_(None)).distinct()
    for subject in list(await db.scalars(granted)):
        await note_end(db, removal.organization_id, removal.organization_name, subject, Ending.UNKNOWN)
    return await _count(db, sa.delete(SessionToken).where(key.in_(chosen)))


async def _count(db: DatabaseSession, statement: sa.Delete) -> int:
    """Run a deletion, and return the number of deleted rows."""
    result = await db.execute(statement)
    return cast("sa.CursorResult[object]", result).rowcount


def _owned_tables() -> dict[str, Deletion]:
    """Return the deletions of all tenant-owned tables, in an order that foreign keys allow."""
    models = {mapper.local_table: mapper.class_ for mapper in Base.registry.mappers}
    owned = {
        table.name: models[table] for table in reversed(Base.metadata.sorted_tables) if is_tenant_owned(table)
    }
    return {name: _rows_of(model, model.id) for name, model in owned.items() if model not in _KEPT_TABLES}


DELETIONS: Final[dict[str, Deletion]] = {
    **_owned_tables(),
    "session_tokens": _delete_tokens,
    "email_domains": _rows_of(EmailDomain, EmailDomain.domain),
    "domain_joins": _rows_of(DomainJoin, DomainJoin.user_id),
    "notifications": _rows_of(Notification, Notification.id),
    "organization_options": _rows_of(OrganizationOptions, OrganizationOptions.organization_id),
    "role_ends": _rows_of(RoleEnd, RoleEnd.user_id),
    "sso_connections": _rows_of(SsoConnection, SsoConnection.organization_id),
    "support_accesses": _rows_of(SupportAccess, SupportAccess.id),
}
"""By table, in the order of deletion."""
