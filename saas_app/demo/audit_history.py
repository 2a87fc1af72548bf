"""The audit logs of the demo organizations, as data: people, roles and denials of the last weeks.

They lead up to the people and roles in :mod:`saas_app.demo.people`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from saas_app.audit.recorder import Action, Actor, AuditEntry, Target
from saas_app.audit.seed import SeedEvent
from saas_app.demo.people import PEOPLE, DemoOrganization
from saas_app.logto import LogtoUser
from saas_app.models import Outcome
from saas_app.rbac.permissions import Carrier, Permission, Role, permissions_of
from saas_app.rbac.policy import AccessFacts, decide

_IP_ADDRESSES: Final = {  # IP addresses that are never assigned (RFC 5737)
    "alice": "203.0.113.10",
    "bob": "203.0.113.24",
    "carol": "198.51.100.7",
    "dave": "192.0.2.66",
    "erin": "198.51.100.91",
    "fran": "203.0.113.77",
    "ivy": "192.0.2.130",
}
_NAMES: Final = {person.username: person.name for person in PEOPLE}
_EMAILS: Final = {person.username: person.email for person in PEOPLE}


@dataclass(frozen=True, slots=True)
class _Story:
    """Creates the events of one organization."""

    organization: DemoOrganization
    organization_id: str
    users: Mapping[str, LogtoUser]

    def did(
        self, days_ago: int, hour: float, who: str, action: Action, target: Target, **sides: Any
    ) -> SeedEvent:
        """Return an event of the person ``who``, at an hour of a day some days ago."""
        actor = Actor(self.users[who].id, _NAMES[who])
        return SeedEvent(days_ago, hour, AuditEntry(actor, action, target, **sides), _IP_ADDRESSES[who])

    def itself(self) -> Target:
        """Return the organization as a target."""
        return Target("organization", self.organization_id, self.organization.name)

    def member(self, who: str) -> Target:
        """Return a member as a target."""
        return Target("member", self.users[who].id, _NAMES[who])

    def client(self) -> Target:
        """Return the organization's API client as a target."""
        return Target("api client", "demo", self.organization.machine)

    def created_client(self, days_ago: int, hour: float, who: str) -> SeedEvent:
        """Return the creation of the API client."""
        after = {"roles": [Role.INTEGRATION.value]}
        return self.did(days_ago, hour, who, Action.API_CLIENT_CREATE, self.client(), after=after)

    def created(self, days_ago: int, who: str) -> SeedEvent:
        """Return the creation of the organization."""
        after = {"name": self.organization.name, "description": ""}
        return self.did(days_ago, 8.1, who, Action.ORGANIZATION_CREATE, self.itself(), after=after)

    def joined(self, days_ago: int, who: str, role: Role, by: str) -> list[SeedEvent]:
        """Return an invitation and its acceptance an hour later."""
        target = Target("invitation", _EMAILS[who], _EMAILS[who])
        roles = {"roles": [role.value]}
        accepted = {"state": "accepted", **roles}
        return [
            self.did(days_ago, 9.2, by, Action.INVITATION_CREATE, target, after=roles),
            self.did(
                days_ago, 10.3, who, Action.INVITATION_ACCEPT, target,
                before={"state": "pending"}, after=accepted,
            ),
        ]  # fmt: skip

    def became(self, days_ago: int, hour: float, who: str, before: Role, after: Role, by: str) -> SeedEvent:
        """Return the change of a member's role."""
        sides = {"before": {"roles": [before.value]}, "after": {"roles": [after.value]}}
        return self.did(days_ago, hour, by, Action.MEMBER_CHANGE_ROLES, self.member(who), **sides)

    def denied(
        self, days_ago: int, hour: float, who: str, role: Role, permission: Permission, asked: str
    ) -> SeedEvent:
        """Return a denied request. The decision comes from the real policy, for the role at that time."""
        roles = frozenset({role.value})
        decision = decide(
            AccessFacts(
                _NAMES[who], self.organization.name, roles, permissions_of(roles), frozenset(Carrier)
            ),
            permission,
        )
        method, _, path = asked.partition(" ")
        request = f"{method} /o/{self.organization_id}{path}"
        return self.did(
            days_ago, hour, who, Action.ACCESS_DENY, Target("request", request, request),
            outcome=Outcome.DENIED, decision=decision.as_stored(),
        )  # fmt: skip


def history_of(
    organization: DemoOrganization, organization_id: str, users: Mapping[str, LogtoUser]
) -> list[SeedEvent]:
    """Return the events of a demo organization, oldest first."""
    return _EVENTS[organization.key](_Story(organization, organization_id, users))


def _acme(story: _Story) -> list[SeedEvent]:
    description = {"before": {"description": ""}, "after": {"description": story.organization.description}}
    erin = Target("invitation", _EMAILS["erin"], _EMAILS["erin"])
    return [
        story.created(44, "alice"),
        *story.joined(43, "bob", Role.VIEWER, "alice"),
        story.denied(42, 13.4, "bob", Role.VIEWER, Permission.PROJECTS_WRITE, "POST /projects/new"),
        story.became(42, 14.0, "bob", Role.VIEWER, Role.EDITOR, "alice"),
        *story.joined(38, "carol", Role.VIEWER, "alice"),
        story.created_client(36, 11.0, "alice"),
        story.became(30, 9.5, "carol", Role.VIEWER, Role.EDITOR, "alice"),
        story.did(26, 15.2, "alice", Action.ORGANIZATION_UPDATE, story.itself(), **description),
        story.denied(22, 16.7, "carol", Role.EDITOR, Permission.AUDIT_READ, "GET /audit"),
        *story.joined(21, "dave", Role.VIEWER, "alice"),
        story.became(16, 8.8, "carol", Role.EDITOR, Role.VIEWER, "alice"),
        story.denied(15, 10.1, "carol", Role.VIEWER, Permission.PROJECTS_WRITE, "POST /projects/new"),
        story.denied(12, 17.9, "dave", Role.VIEWER, Permission.PROJECTS_EXPORT, "GET /projects/export.csv"),
        story.did(
            12, 18.3, "alice", Action.MEMBER_REMOVE, story.member("dave"), before={"roles": ["viewer"]}
        ),
        story.did(9, 9.9, "alice", Action.API_CLIENT_ROTATE, story.client()),
        story.denied(7, 11.6, "bob", Role.EDITOR, Permission.MEMBERS_INVITE, "POST /invitations/new"),
        story.did(5, 14.5, "alice", Action.PROJECT_EXPORT, story.itself()),
        story.did(3, 10.4, "alice", Action.INVITATION_CREATE, erin, after={"roles": ["editor"]}),
        story.denied(1, 15.8, "bob", Role.EDITOR, Permission.ORGANIZATION_UPDATE, "POST /settings"),
    ]  # fmt: skip


def _globex(story: _Story) -> list[SeedEvent]:
    return [
        story.created(40, "bob"),
        *story.joined(39, "dave", Role.EDITOR, "bob"),
        *story.joined(33, "alice", Role.EDITOR, "bob"),
        story.created_client(28, 10.0, "bob"),
        story.became(19, 13.1, "alice", Role.EDITOR, Role.VIEWER, "bob"),
        story.denied(18, 9.3, "alice", Role.VIEWER, Permission.PROJECTS_WRITE, "POST /projects/new"),
        *story.joined(14, "fran", Role.VIEWER, "bob"),
        story.denied(6, 16.0, "dave", Role.EDITOR, Permission.ORGANIZATION_DELETE, "GET /settings/delete"),
        story.denied(2, 12.2, "dave", Role.EDITOR, Permission.AUDIT_READ, "GET /audit"),
    ]


def _initech(story: _Story) -> list[SeedEvent]:
    return [
        story.created(35, "dave"),
        *story.joined(34, "carol", Role.VIEWER, "dave"),
        story.denied(31, 11.1, "carol", Role.VIEWER, Permission.PROJECTS_WRITE, "POST /projects/new"),
        story.became(31, 11.9, "carol", Role.VIEWER, Role.EDITOR, "dave"),
        story.created_client(24, 9.0, "dave"),
        *story.joined(20, "ivy", Role.ADMIN, "dave"),
        story.denied(4, 17.2, "carol", Role.EDITOR, Permission.MEMBERS_INVITE, "GET /invitations"),
    ]


_EVENTS: Final[Mapping[str, Callable[[_Story], list[SeedEvent]]]] = {
    "acme": _acme,
    "globex": _globex,
    "initech": _initech,
}
