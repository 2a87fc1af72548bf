"""Records audit events, always in the transaction of the change they describe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Self

from saas_app.audit.trace import Trace, current_trace
from saas_app.db.base import new_uuid, utc_now, uuid_at
from saas_app.db.session import WritingSession
from saas_app.identity.principal import Principal
from saas_app.models import ActorType, AuditEvent, Outcome
from saas_app.text.translation import Sentence, _

_LONGEST_NAME: Final = 320  # characters
_UNNAMED: Final = Sentence("")  # for lookups by value


class Action(StrEnum):
    """An action in an organization, as ``noun.verb``."""

    label: Sentence  # the label on the audit page

    def __new__(cls, value: str, label: Sentence = _UNNAMED) -> Action:
        member = str.__new__(cls, value)
        member._value_ = value
        member.label = label
        return member

    ORGANIZATION_CREATE = ("organization.create", _("Organization created"))
    ORGANIZATION_UPDATE = ("organization.update", _("Organization updated"))
    ORGANIZATION_REBRAND = ("organization.rebrand", _("Branding changed"))
    ORGANIZATION_DELETE = ("organization.delete", _("Organization deleted"))
    ORGANIZATION_REMOVE_DATA = ("organization.remove-data", _("Organization data removed"))
    ORGANIZATION_EXPORT = ("organization.export", _("Organization exported"))
    ORGANIZATION_IMPORT = ("organization.import", _("Organization imported"))
    PERSON_ERASE = ("person.erase", _("Person erased"))
    RECONCILE = ("organization.reconcile", _("Organization reconciled"))
    DOMAIN_CLAIM = ("domain.claim", _("Email domain added"))
    DOMAIN_VERIFY = ("domain.verify", _("Email domain verified"))
    DOMAIN_LAPSE = ("domain.lapse", _("Email domain no longer verified"))
    DOMAIN_REMOVE = ("domain.remove", _("Email domain removed"))
    MEMBER_ADD = ("member.add", _("Member added"))
    MEMBER_JOIN = ("member.join", _("Member joined"))
    MEMBER_CHANGE_ROLES = ("member.change-roles", _("Member roles changed"))
    MEMBER_END_ROLE = ("member.end-role", _("Role of a member ended"))
    MEMBER_SET_ROLE_END = ("member.set-role-end", _("End of a role changed"))
    MEMBER_REMOVE = ("member.remove", _("Member removed"))
    MEMBER_LEAVE = ("member.leave", _("Member left"))
    ACCESS_REQUEST = ("access.request", _("Access requested"))
    ACCESS_APPROVE = ("access.approve", _("Access request approved"))
    ACCESS_DECLINE = ("access.decline", _("Access request declined"))
    ACCESS_WITHDRAW = ("access.withdraw", _("Access request withdrawn"))
    SUPPORT_ALLOW = ("support.allow", _("Support access allowed"))
    SUPPORT_FORBID = ("support.forbid", _("Support access turned off"))
    SUPPORT_START = ("support.start", _("Support access started"))
    SUPPORT_END = ("support.end", _("Support access ended"))
    SSO_CREATE = ("sso.create", _("Single sign-on set up"))
    SSO_CONFIGURE = ("sso.configure", _("Identity provider changed"))
    SSO_TEST = ("sso.test", _("Single sign-on tested"))
    SSO_TURN_ON = ("sso.turn-on", _("Single sign-on turned on"))
    SSO_TURN_OFF = ("sso.turn-off", _("Single sign-on turned off"))
    SSO_REQUIRE = ("sso.require", _("Single sign-on required"))
    SSO_STOP_REQUIRING = ("sso.stop-requiring", _("Single sign-on no longer required"))
    SSO_CHANGE = ("sso.change", _("Single sign-on settings changed"))
    SSO_REMOVE = ("sso.remove", _("Single sign-on removed"))
    SSO_REFUSE = ("sso.refuse", _("Sign-in through single sign-on rejected"))
    SSO_FAIL = ("sso.fail", _("Identity provider failed"))
    SSO_MISS_ROLES = ("sso.miss-roles", _("Roles of groups not given"))
    INVITATION_CREATE = ("invitation.create", _("Invitation sent"))
    INVITATION_RESEND = ("invitation.resend", _("Invitation resent"))
    INVITATION_RENEW_LINK = ("invitation.renew-link", _("New invitation link sent on request"))
    INVITATION_REVOKE = ("invitation.revoke", _("Invitation revoked"))
    INVITATION_ACCEPT = ("invitation.accept", _("Invitation accepted"))
    API_CLIENT_CREATE = ("api-client.create", _("API client created"))
    API_CLIENT_ROTATE = ("api-client.rotate", _("API client secret rotated"))
    API_CLIENT_REVOKE = ("api-client.revoke", _("API client revoked"))
    API_CLIENT_REMOVE = ("api-client.remove", _("API client removed"))
    PROJECT_CREATE = ("project.create", _("Project created"))
    PROJECT_UPDATE = ("project.update", _("Project updated"))
    PROJECT_ARCHIVE = ("project.archive", _("Project archived"))
    PROJECT_RESTORE = ("project.restore", _("Project unarchived"))
    PROJECT_DELETE = ("project.delete", _("Project deleted"))
    PROJECT_EXPORT = ("project.export", _("Projects exported"))
    TASK_CREATE = ("task.create", _("Task created"))
    TASK_UPDATE = ("task.update", _("Task updated"))
    TASK_DELETE = ("task.delete", _("Task deleted"))
    AUDIT_EXPORT = ("audit.export", _("Audit log exported"))
    ACCESS_DENY = ("access.deny", _("Access denied"))


@dataclass(frozen=True, slots=True)
class Actor:
    """The actor of an event. In support access, ``behalf_id`` is the member for whom they acted."""

    id: str
    name: str
    type: ActorType = ActorType.PERSON
    behalf_id: str | None = None
    behalf_name: str | None = None

    @classmethod
    def of(cls, principal: Principal) -> Self:
        """Return the actor for a caller: a person, a machine, or the agent who acts for a person."""
        if principal.support is not None:
            agent, member = principal.support, principal.display_name[:_LONGEST_NAME]
            return cls(agent.id, agent.name, behalf_id=principal.subject, behalf_name=member)
        type_ = ActorType.MACHINE if principal.is_machine else ActorType.PERSON
        return cls(principal.subject, principal.display_name, type_)


SYSTEM = Actor("system", "Workroom", ActorType.SYSTEM)
LOGTO = Actor("logto", "Logto", ActorType.SYSTEM)


@dataclass(frozen=True, slots=True)
class Target:
    """The target of an event."""

    type: str
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """An event to be recorded. ``before`` and ``after`` hold only what changed, and never a secret."""

    actor: Actor
    action: Action
    target: Target
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    outcome: Outcome = Outcome.ALLOWED
    decision: dict[str, Any] | None = None
    trace: Trace = field(default_factory=current_trace.get)

    def as_json(self) -> dict[str, Any]:
        """Return the entry as JSON, to store it while its change is in progress."""
        return asdict(self)

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Self:
        """Read the JSON of :meth:`as_json`."""
        return cls(
            actor=Actor(**{**kept["actor"], "type": ActorType(kept["actor"]["type"])}),
            action=Action(kept["action"]),
            target=Target(**kept["target"]),
            before=kept["before"],
            after=kept["after"],
            outcome=Outcome(kept["outcome"]),
            decision=kept["decision"],
            trace=Trace(**kept["trace"]),
        )


def record(db: WritingSession, entry: AuditEntry, *, at: datetime | None = None) -> None:
    """Add an event to a session that is bound to the organization. It is committed with the rest.

    ``at`` is the time of the event, for the demo's history; by default it is now.
    """
    db.insert_at_commit(
        AuditEvent,
        {
            "id": new_uuid() if at is None else uuid_at(at),
            "occurred_at": at or utc_now(),
            "actor_type": entry.actor.type,
            "actor_id": entry.actor.id,
            "actor_name": entry.actor.name[:_LONGEST_NAME],
            "behalf_id": entry.actor.behalf_id,
            "behalf_name": entry.actor.behalf_name,
            "action": entry.action.value,
            "target_type": entry.target.type,
            "target_id": entry.target.id[:320],
            "target_name": entry.target.name[:_LONGEST_NAME],
            "before": entry.before,
            "after": entry.after,
            "outcome": entry.outcome,
            "decision": entry.decision,
            "request_id": entry.trace.request_id,
            "address": entry.trace.address[:64],
        },
    )


def changed_fields(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the fields that differ, as they were and as they are: an event's ``before`` and ``after``."""
    names = [name for name in before if before[name] != after[name]]
    return {name: before[name] for name in names}, {name: after[name] for name in names}
