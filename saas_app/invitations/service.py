"""Questions about invitations, which Logto answers.

Logto returns all invitations of an organization at once, whatever their state. They are limited, filtered and
paged here.

An invitation belongs to the account whose primary email it names, ignoring case, as in Logto. To everybody
else it looks like one that does not exist: neither the organization, the roles nor the inviter is shown.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import structlog

from saas_app.db.base import utc_now
from saas_app.db.session import DatabaseSession
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.identity.principal import Principal
from saas_app.identity.tenant import Tenant
from saas_app.invitations import queries
from saas_app.invitations.links import Proof, link_to
from saas_app.invitations.values import (
    InvitationNotFound,
    InvitationRow,
    Invitations,
    InvitationSettled,
    InvitationState,
    LinkStanding,
    LinkState,
    NotInvited,
    Offer,
    state_of,
)
from saas_app.logto import Invitation, LogtoUser, ManagementClient, explaining
from saas_app.text.addresses import same_address, spellings
from saas_app.text.branding import Branding
from saas_app.text.translation import _
from saas_app.text.visible import isolated

log = structlog.get_logger(__name__)

MAX_SHOWN: Final = 1000  # of the newest; older ones are in Logto's Console


async def list_invitations(
    db: DatabaseSession, management: ManagementClient, tenant: Tenant, state: InvitationState, app_url: str
) -> Invitations:
    """Return the organization's invitations in one state, the newest first."""
    with explaining():
        found = await management.list_invitations(tenant.organization_id)
    bounded = found[:MAX_SHOWN]
    names = await _find_inviters(db, bounded)
    rows = (_as_row(entry, names, app_url) for entry in bounded)
    wanted = sorted((row for row in rows if row.state is state), key=lambda row: row.key, reverse=True)
    counts = Counter(state_of(entry) for entry in bounded)
    return Invitations(tuple(wanted), counts, is_cut=len(found) > MAX_SHOWN)


async def list_invitees(management: ManagementClient, tenant: Tenant) -> dict[str, str]:
    """Return the invited addresses of the organization by the ids of the invitations."""
    with explaining():
        found = await management.list_invitations(tenant.organization_id)
    return {entry.id: entry.invitee for entry in found}


def rows_after(
    rows: Sequence[InvitationRow], after: tuple[datetime, str] | None, limit: int
) -> list[InvitationRow]:
    """Return at most ``limit`` of the sorted rows, after the one with the key ``after``."""
    return [row for row in rows if after is None or row.key < after][:limit]


async def get_invitation(management: ManagementClient, tenant: Tenant, invitation_id: str) -> Invitation:
    """Return an invitation to this organization from Logto. Raises :class:`InvitationNotFound`."""
    with explaining():
        found = await management.find_invitation(invitation_id)
    if found is None or found.organization_id != tenant.organization_id:
        raise InvitationNotFound(
            _(
                "%(organization)s has no invitation with this ID.",
                organization=isolated(tenant.organization_name),
            )
        )
    return found


async def get_pending(management: ManagementClient, tenant: Tenant, invitation_id: str) -> Invitation:
    """Return a pending invitation to this organization.

    Raises :class:`InvitationNotFound` and :class:`InvitationSettled`.
    """
    invitation = await get_invitation(management, tenant, invitation_id)
    if state_of(invitation) is not InvitationState.PENDING:
        raise InvitationSettled(invitation)
    return invitation


async def get_row(
    db: DatabaseSession, management: ManagementClient, tenant: Tenant, invitation_id: str, app_url: str
) -> InvitationRow:
    """Return an invitation to this organization as in a list. Raises :class:`InvitationNotFound`."""
    found = await get_invitation(management, tenant, invitation_id)
    return _as_row(found, await _find_inviters(db, [found]), app_url)


async def get_offer(
    work: UnitOfWork, management: ManagementClient, principal: Principal, invitation_id: str
) -> Offer:
    """Return the caller's invitation. Raises :class:`NotInvited`."""
    with explaining():
        user, invitation = await get_own(management, principal, invitation_id)
        organization = await management.get_organization(invitation.organization_id)
    async with work.reading(invitation.organization_id) as db:
        names = await _find_inviters(db, [invitation])
    return Offer(
        id=invitation.id,
        address=invitation.invitee,
        state=state_of(invitation),
        is_mine=invitation.accepted_user_id == principal.subject,
        organization_id=invitation.organization_id,
        organization_name=organization.name,
        role_names=invitation.role_names,
        inviter_name=names.get(invitation.inviter_id or ""),
        expires_at=_moment(invitation.expires_at),
        needs_name=not user.name,
        branding=Branding.stored(organization.branding, organization.color),
    )


async def get_own(
    management: ManagementClient, principal: Principal, invitation_id: str
) -> tuple[LogtoUser, Invitation]:
    """Return the caller's account and their invitation.

    Raises :class:`NotInvited`, after the same calls whether the invitation is missing or somebody else's.
    """
    user, invitation = await asyncio.gather(
        management.get_user(principal.subject), management.find_invitation(invitation_id)
    )
    if invitation is None or not same_address(user.email, invitation.invitee):
        raise NotInvited(user.email)
    return user, invitation


async def find_account(management: ManagementClient, address: str) -> LogtoUser | None:
    """Return the account that has an address, in any spelling. Logto 1.42 compares letter by letter."""
    for spelling in spellings(address):
        user = await management.find_user_by_email(spelling)
        if user is not None and user.email:
            return user
    return None


async def get_standing(work: UnitOfWork, proof: Proof) -> LinkStanding:
    """Return whether an emailed link signs in. Logto is not asked."""
    async with work.reading(proof.organization_id) as db:
        row = await queries.find_link(db, proof)
    if row is None:
        return LinkStanding(LinkState.REPLACED)
    if row.used_at is not None:
        return LinkStanding(LinkState.USED, row.used_at)
    state = LinkState.LIVE if utc_now() < row.expires_at else LinkState.EXPIRED
    return LinkStanding(state, row.expires_at)


async def _find_inviters(db: DatabaseSession, invitations: Iterable[Invitation]) -> dict[str, str]:
    return await queries.find_names(db, {entry.inviter_id for entry in invitations if entry.inviter_id})


def _as_row(invitation: Invitation, names: Mapping[str, str], app_url: str) -> InvitationRow:
    return InvitationRow(
        id=invitation.id,
        address=invitation.invitee,
        state=state_of(invitation),
        role_names=invitation.role_names,
        inviter_name=names.get(invitation.inviter_id or ""),
        created_at=_moment(invitation.created_at),
        expires_at=_moment(invitation.expires_at),
        link=link_to(app_url, invitation.id),
    )


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
