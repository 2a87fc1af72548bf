"""Writes audit events, always in the transaction of what they tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from sqlalchemy.ext.asyncio import AsyncSession

from saas_app.audit.trace import Trace, current_trace
from saas_app.db.base import new_uuid, utc_now, uuid_at
from saas_app.identity.principal import Principal
from saas_app.models import ActorType, AuditEvent, Outcome


class Action(StrEnum):
    """What can happen in an organization, ``noun.verb``."""

    ORGANIZATION_CREATE = "organization.create"
    ORGANIZATION_UPDATE = "organization.update"
    ORGANIZATION_DELETE = "organization.delete"
    ORGANIZATION_REMOVE_DATA = "organization.remove-data"
    DOMAIN_CLAIM = "domain.claim"
    DOMAIN_VERIFY = "domain.verify"
    DOMAIN_LAPSE = "domain.lapse"
    DOMAIN_REMOVE = "domain.remove"
    MEMBER_ADD = "member.add"
    MEMBER_JOIN = "member.join"
    MEMBER_CHANGE_ROLES = "member.change-roles"
    MEMBER_REMOVE = "member.remove"
    MEMBER_LEAVE = "member.leave"
    INVITATION_CREATE = "invitation.create"
    INVITATION_RESEND = "invitation.resend"
    INVITATION_REVOKE = "invitation.revoke"
    INVITATION_ACCEPT = "invitation.accept"
    API_CLIENT_CREATE = "api-client.create"
    API_CLIENT_ROTATE = "api-client.rotate"
    API_CLIENT_REVOKE = "api-client.revoke"
    API_CLIENT_REMOVE = "api-client.remove"
    PROJECT_CREATE = "project.create"
    PROJECT_UPDATE = "project.update"
    PROJECT_ARCHIVE = "project.archive"
    PROJECT_RESTORE = "project.restore"
    PROJECT_DELETE = "project.delete"
    PROJECT_EXPORT = "project.export"
    TASK_CREATE = "task.create"
    TASK_UPDATE = "task.update"
    TASK_DELETE = "task.delete"
    AUDIT_EXPORT = "audit.export"
    ACCESS_DENY = "access.deny"
    RECONCILE = "organization.reconcile"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it."""

    id: str
    name: str
    type: ActorType = ActorType.PERSON

    @classmethod
    def of(cls, principal: Principal) -> Self:
        """The caller: a person, or a machine as itself."""
        type_ = ActorType.MACHINE if principal.is_machine else ActorType.PERSON
        return cls(principal.subject, principal.display_name, type_)


SYSTEM = Actor("system", "Workroom", ActorType.SYSTEM)
LOGTO = Actor("logto", "Logto", ActorType.SYSTEM)


@dataclass(frozen=True, slots=True)
class Target:
    """What it was done to."""

    type: str
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One event to be written. ``before`` and ``after`` hold only what changed, and never a secret."""

    actor: Actor
    action: Action
    target: Target
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    outcome: Outcome = Outcome.ALLOWED
    decision: dict[str, Any] | None = None
    trace: Trace = field(default_factory=current_trace.get)

    def as_json(self) -> dict[str, Any]:
        """For keeping it while its change is under way."""
        return asdict(self)

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Self:
        """What :meth:`as_json` made."""
        return cls(
            actor=Actor(kept["actor"]["id"], kept["actor"]["name"], ActorType(kept["actor"]["type"])),
            action=Action(kept["action"]),
            target=Target(**kept["target"]),
            before=kept["before"],
            after=kept["after"],
            outcome=Outcome(kept["outcome"]),
            decision=kept["decision"],
            trace=Trace(**kept["trace"]),
        )


def record(db: AsyncSession, entry: AuditEntry, *, at: datetime | None = None) -> None:
    """Add an event to a session that is bound to the organization; it is committed with the rest.

    ``at``: when a demonstration says that it happened; else it happens now.
    """
    db.add(
        AuditEvent(
            id=new_uuid() if at is None else uuid_at(at),
            occurred_at=at or utc_now(),
            actor_type=entry.actor.type,
            actor_id=entry.actor.id,
            actor_name=entry.actor.name[:320],
            action=entry.action.value,
            target_type=entry.target.type,
            target_id=entry.target.id[:320],
            target_name=entry.target.name[:320],
            before=entry.before,
            after=entry.after,
            outcome=entry.outcome,
            decision=entry.decision,
            request_id=entry.trace.request_id,
            address=entry.trace.address[:64],
        )
    )


def changed_fields(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What differs, as it was and as it is: an event's ``before`` and ``after``."""
    names = [name for name in before if before[name] != after[name]]
    return {name: before[name] for name in names}, {name: after[name] for name in names}
