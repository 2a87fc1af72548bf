"""Reads the state of an organization in Logto, and what it means for a change that was interrupted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from saas_app.audit.recorder import Action, AuditEntry
from saas_app.db.base import utc_now
from saas_app.errors import ConfigurationError
from saas_app.logto import Invitation, LogtoUser, ManagementClient, OrganizationInfo
from saas_app.text.addresses import same_address
from saas_app.text.translation import _

_OF_MEMBERS = frozenset(
    {
        Action.MEMBER_ADD,
        Action.MEMBER_JOIN,
        Action.MEMBER_CHANGE_ROLES,
        Action.MEMBER_END_ROLE,
        Action.MEMBER_REMOVE,
        Action.MEMBER_LEAVE,
    }
)
_OF_INVITATIONS = frozenset(
    {
        Action.INVITATION_CREATE,
        Action.INVITATION_RESEND,
        Action.INVITATION_RENEW_LINK,
        Action.INVITATION_REVOKE,
        Action.INVITATION_ACCEPT,
    }
)


_OF_API_CLIENTS = frozenset(
    {
        Action.API_CLIENT_CREATE,
        Action.API_CLIENT_ROTATE,
        Action.API_CLIENT_REVOKE,
        Action.API_CLIENT_REMOVE,
    }
)


OF_SINGLE_SIGN_ON = frozenset(
    {
        Action.SSO_CREATE,
        Action.SSO_CONFIGURE,
        Action.SSO_TEST,
        Action.SSO_TURN_ON,
        Action.SSO_TURN_OFF,
        Action.SSO_REQUIRE,
        Action.SSO_STOP_REQUIRING,
        Action.SSO_CHANGE,
        Action.SSO_REMOVE,
    }
)
"""Changes whose outcome is the connection that is stored here. Logto's connector is made to follow it."""

_OF_DOMAINS = frozenset({Action.DOMAIN_VERIFY, Action.DOMAIN_LAPSE, Action.DOMAIN_REMOVE})


@dataclass(frozen=True, slots=True)
class LogtoState:
    """The state of an organization in Logto when it was read. ``info`` is None if it does not exist."""

    organization_id: str
    info: OrganizationInfo | None
    people: Mapping[str, LogtoUser]
    role_names: Mapping[str, frozenset[str]]  # by member
    read_at: datetime  # when reading began

    def agrees(self, subject: str, role_names: frozenset[str], refusal: str | None) -> bool:
        """Return whether a cached token agrees with Logto. Refusals for other reasons than membership do."""
        if refusal is not None:
            return subject not in self.role_names or refusal != "not-a-member"
        return self.role_names.get(subject) == role_names


async def require_own_application(client: ManagementClient, app_id: str) -> None:
    """Raise :class:`ConfigurationError` if this is not the Logto that Workroom is provisioned in.

    In another Logto, every organization would seem to be deleted, and its data would be removed.
    """
    if not app_id or await client.find_application(app_id) is None:
        raise ConfigurationError(
            _(
                "This Logto does not have the application LOGTO_APP_ID=%(app_id)s: check LOGTO_ENDPOINT.",
                app_id=app_id,
            )
        )


async def read_state(client: ManagementClient, organization_id: str) -> LogtoState:
    """Read an organization with all its members.

    Raises :class:`LogtoUnavailable` if its members change each time they are read.
    """
    read_at = utc_now()
    info = await client.find_organization(organization_id)
    members = [] if info is None else await client.list_members(organization_id)
    return LogtoState(
        organization_id,
        info,
        people={member.user.id: member.user for member in members},
        role_names={member.user.id: member.role_names for member in members},
        read_at=read_at,
    )


async def outcome_of(
    client: ManagementClient, state: LogtoState, entry: AuditEntry, subjects: list[str]
) -> dict[str, Any]:
    """Return the current state of what a change was about, with the keys of its audit-log entry."""
    if state.info is None:
        return {"organization": "deleted"}
    if entry.action in _OF_MEMBERS:
        return {"members": {subject: _roles(state, subject) for subject in subjects}}
    if entry.action in _OF_INVITATIONS:
        invitations = await client.list_invitations(state.organization_id)
        return {"state": _state(invitations, entry), "invitee": entry.target.name}
    if entry.action in _OF_DOMAINS:
        domains = await client.list_joining_domains(state.organization_id)
        return {"lets_people_join": entry.target.id in domains}
    if entry.action in _OF_API_CLIENTS:
        memberships = await client.find_machine_organizations(entry.target.id) or []
        is_here = any(found.organization_id == state.organization_id for found in memberships)
        return {"belongs_to_the_organization": is_here}
    return {"name": state.info.name, "description": state.info.description or ""}


def _roles(state: LogtoState, subject: str) -> list[str] | None:
    """Return a member's roles, or None for a person who is not a member."""
    names = state.role_names.get(subject)
    return None if names is None else sorted(names)


def _state(invitations: list[Invitation], entry: AuditEntry) -> str | None:
    """Return the state of an invitation: the one in the entry, otherwise the newest for the address."""
    wanted = (entry.after or {}).get("invitation")
    for invitation in invitations:
        if wanted == invitation.id or (
            wanted is None and same_address(invitation.invitee, entry.target.name)
        ):
            return invitation.status
    return None
