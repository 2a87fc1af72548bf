"""The invitations of an organization, read from Logto. Changes stand in :mod:`.changes`.

Logto answers with all of them at once, whatever their state: they are bounded, filtered and paged here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession

from saas_app.errors import NotFound
from saas_app.identity.tenant import Tenant
from saas_app.invitations import queries
from saas_app.logto import Invitation, ManagementClient, explaining
from saas_app.text.visible import isolated

MOST_SHOWN = 1000  # of the newest; older ones are in Logto's Console


class InvitationNotFound(NotFound):
    """No such invitation in this organization: one of another organization looks the same."""

    code, title = "invitation-not-found", "Invitation not found"


class InvitationState(StrEnum):
    """The state of an invitation. The names are Logto's, in lower case."""

    PENDING = "pending"
    EXPIRED = "expired"
    ACCEPTED = "accepted"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class InvitationRow:
    """An invitation as pages show it. ``inviter_name`` is None where nobody here made it."""

    id: str
    address: str
    state: InvitationState
    role_names: frozenset[str]
    inviter_name: str | None
    created_at: datetime
    expires_at: datetime
    link: str

    @property
    def key(self) -> tuple[datetime, str]:
        """How a list of them is ordered."""
        return self.created_at, self.id


@dataclass(frozen=True, slots=True)
class Invitations:
    """All invitations of one state, the newest first, and how many there are of each.

    ``is_cut`` says that older ones were left out.
    """

    rows: tuple[InvitationRow, ...]
    counts: Mapping[InvitationState, int]
    is_cut: bool


def link_to(app_url: str, invitation_id: str) -> str:
    """Where an invitation is accepted: what is sent by email, or copied."""
    return f"{app_url}/invitations/{invitation_id}"


def state_of(invitation: Invitation) -> InvitationState:
    """Where it stands, as Logto computed it when it was read."""
    return InvitationState(invitation.status.lower())


def moment_of(milliseconds: int) -> datetime:
    """A time of Logto's."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


async def list_invitations(
    db: AsyncSession, management: ManagementClient, tenant: Tenant, state: InvitationState, app_url: str
) -> Invitations:
    """The organization's invitations of one state, the newest first."""
    with explaining():
        found = await management.list_invitations(tenant.organization_id)
    bounded = found[:MOST_SHOWN]
    names = await list_inviters(db, bounded)
    rows = (as_row(entry, names, app_url) for entry in bounded)
    wanted = sorted((row for row in rows if row.state is state), key=lambda row: row.key, reverse=True)
    counts = Counter(state_of(entry) for entry in bounded)
    return Invitations(tuple(wanted), counts, is_cut=len(found) > MOST_SHOWN)


def following(
    rows: Sequence[InvitationRow], after: tuple[datetime, str] | None, limit: int
) -> list[InvitationRow]:
    """At most ``limit`` of the ordered rows, behind the one that ``after`` names."""
    return [row for row in rows if after is None or row.key < after][:limit]


async def get_invitation(management: ManagementClient, tenant: Tenant, invitation_id: str) -> Invitation:
    """An invitation to this organization, as it stands now. Raises :class:`InvitationNotFound`."""
    with explaining():
        found = await management.find_invitation(invitation_id)
    if found is None or found.organization_id != tenant.organization_id:
        raise InvitationNotFound(f"{isolated(tenant.organization_name)} has no invitation with this ID.")
    return found


async def list_inviters(db: AsyncSession, invitations: Iterable[Invitation]) -> dict[str, str]:
    """The names of the people who made them, by id; who is not known is missing."""
    return await queries.find_names(db, inviters_of(invitations))


def inviters_of(invitations: Iterable[Invitation]) -> set[str]:
    """The ids of the people who made them."""
    return {invitation.inviter_id for invitation in invitations if invitation.inviter_id}


def as_row(invitation: Invitation, names: Mapping[str, str], app_url: str) -> InvitationRow:
    """An invitation with names instead of ids."""
    return InvitationRow(
        id=invitation.id,
        address=invitation.invitee,
        state=state_of(invitation),
        role_names=invitation.role_names,
        inviter_name=names.get(invitation.inviter_id or ""),
        created_at=moment_of(invitation.created_at),
        expires_at=moment_of(invitation.expires_at),
        link=link_to(app_url, invitation.id),
    )
