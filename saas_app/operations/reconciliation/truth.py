"""What Logto says of an organization now, and what that means for a change whose end nobody wrote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from saas_app.audit.recorder import Action, AuditEntry
from saas_app.db.base import utc_now
from saas_app.logto import (
    Invitation,
    LogtoUser,
    ManagementClient,
    ManagementError,
    OrganizationInfo,
)
from saas_app.text.addresses import same_address

_OF_MEMBERS = frozenset(
    {Action.MEMBER_ADD, Action.MEMBER_CHANGE_ROLES, Action.MEMBER_REMOVE, Action.MEMBER_LEAVE}
)
_OF_INVITATIONS = frozenset(
    {
        Action.INVITATION_CREATE,
        Action.INVITATION_RESEND,
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


_OF_DOMAINS = frozenset({Action.DOMAIN_VERIFY, Action.DOMAIN_LAPSE, Action.DOMAIN_REMOVE})


@dataclass(frozen=True, slots=True)
class Truth:
    """An organization as Logto had it when it was read. ``info`` is None when there is no such one."""

    organization_id: str
    info: OrganizationInfo | None
    people: Mapping[str, LogtoUser]
    role_names: Mapping[str, frozenset[str]]  # by member
    read_at: datetime  # when reading began

    def agrees(self, subject: str, role_names: frozenset[str], refusal: str | None) -> bool:
        """Whether a cached token says what is true. A refusal for another reason than membership may stay."""
        if refusal is not None:
            return subject not in self.role_names or refusal != "not-a-member"
        return self.role_names.get(subject) == role_names


async def read_truth(client: ManagementClient, organization_id: str) -> Truth:
    """Read an organization with all its members.

    Raises :class:`LogtoUnavailable` when its members change each time they are read.
    """
    read_at = utc_now()
    info = await find_organization(client, organization_id)
    members = [] if info is None else await client.list_members(organization_id)
    return Truth(
        organization_id,
        info,
        people={member.user.id: member.user for member in members},
        role_names={member.user.id: member.role_names for member in members},
        read_at=read_at,
    )


async def find_organization(client: ManagementClient, organization_id: str) -> OrganizationInfo | None:
    """The organization with this id."""
    try:
        return await client.get_organization(organization_id)
    except ManagementError as refusal:
        if refusal.status == 404:
            return None
        raise


async def outcome_of(
    client: ManagementClient, truth: Truth, entry: AuditEntry, subjects: list[str]
) -> dict[str, Any]:
    """What is true now of the thing a change was about, in the words its event uses."""
    if truth.info is None:
        return {"organization": "deleted"}
    if entry.action in _OF_MEMBERS:
        return {"members": {subject: _roles(truth, subject) for subject in subjects}}
    if entry.action in _OF_INVITATIONS:
        invitations = await client.list_invitations(truth.organization_id)
        return {"state": _state(invitations, entry), "invitee": entry.target.name}
    if entry.action in _OF_DOMAINS:
        domains = await client.list_joining_domains(truth.organization_id)
        return {"lets_people_join": entry.target.id in domains}
    if entry.action in _OF_API_CLIENTS:
        memberships = await client.find_machine_organizations(entry.target.id) or []
        is_here = any(found.organization_id == truth.organization_id for found in memberships)
        return {"belongs_to_the_organization": is_here}
    return {"name": truth.info.name, "description": truth.info.description or ""}


def _roles(truth: Truth, subject: str) -> list[str] | None:
    """A member's roles; None for who is none."""
    names = truth.role_names.get(subject)
    return None if names is None else sorted(names)


def _state(invitations: list[Invitation], entry: AuditEntry) -> str | None:
    """The invitation's state: by its id where the event has one, else the newest of the address."""
    wanted = (entry.after or {}).get("invitation")
    for invitation in invitations:
        if wanted == invitation.id or (
            wanted is None and same_address(invitation.invitee, entry.target.name)
        ):
            return invitation.status
    return None
