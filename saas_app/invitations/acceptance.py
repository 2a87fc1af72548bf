"""Accepting an invitation: whose it is, where it stands, and the acceptance itself.

Whose it is, is decided as Logto decides it: by the primary email of the account as it is now, without
regard to case. To everybody else an invitation looks like one that does not exist: neither the
organization, nor the roles, nor who invites is told. Which roles somebody gets is Logto's to know: they are
those of the invitation, whatever became of the person who made it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from saas_app.audit.recorder import Action
from saas_app.changes.organization_change import OrganizationChange, Systems
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.errors import Conflict, Invalid, LogtoUnavailable, NotFound
from saas_app.identity.logto_messages import SignInOptions
from saas_app.identity.principal import Principal
from saas_app.identity.standing import Newcomer
from saas_app.invitations import queries
from saas_app.invitations.changes import InvitationSettled, settle, target_of, why_refused
from saas_app.invitations.links import InvitationLinks
from saas_app.invitations.service import InvitationState, moment_of, state_of
from saas_app.logto import Invitation, LogtoUser, ManagementClient, ManagementError, explaining
from saas_app.text.addresses import same_address, spellings
from saas_app.text.visible import isolated

log = structlog.get_logger(__name__)

_MOST_WAITING = 5  # invitations that the list of one's organizations mentions
_PATIENCE = 2.0  # seconds that list waits for them
_TOKEN_LIFETIME = 600  # seconds to get from our page to Logto's


class NotInvited(NotFound):
    """No invitation with this id, or one for somebody else. ``email`` is the caller's own address."""

    code, title = "not-invited", "Invitation not found"

    def __init__(self, email: str | None) -> None:
        super().__init__("It is for another address, or the link is not complete.")
        self.email = email


class NameNeeded(Invalid):
    """The members of the organization must be able to see who joins."""

    def __init__(self) -> None:
        super().__init__(fields={"name": "Enter your name."})


@dataclass(frozen=True, slots=True)
class Offer:
    """An invitation as the invited person sees it. ``is_mine``: it was accepted, and by this account.

    ``needs_name``: the account has no name yet, so the person is asked for one.
    """

    id: str
    address: str
    state: InvitationState
    is_mine: bool
    organization_id: str
    organization_name: str
    role_names: frozenset[str]
    inviter_name: str | None
    expires_at: datetime
    needs_name: bool


@dataclass(frozen=True, slots=True)
class WaitingInvitation:
    """An invitation that waits for an answer, in a line."""

    id: str
    organization_name: str
    role_names: frozenset[str]
    expires_at: datetime


async def get_offer(
    work: UnitOfWork, management: ManagementClient, principal: Principal, invitation_id: str
) -> Offer:
    """The invitation, for whom it is meant. Raises :class:`NotInvited`."""
    with explaining():
        user, invitation = await _get_own(management, principal, invitation_id)
        organization = await management.get_organization(invitation.organization_id)
    async with work.reading() as db:
        names = await queries.find_names(db, {invitation.inviter_id} if invitation.inviter_id else ())
    return Offer(
        id=invitation.id,
        address=invitation.invitee,
        state=state_of(invitation),
        is_mine=invitation.accepted_user_id == principal.subject,
        organization_id=invitation.organization_id,
        organization_name=organization.name,
        role_names=invitation.role_names,
        inviter_name=names.get(invitation.inviter_id or ""),
        expires_at=moment_of(invitation.expires_at),
        needs_name=not user.name,
    )


async def accept(systems: Systems, principal: Principal, invitation_id: str, name: str = "") -> Invitation:
    """Make the caller a member with the invitation's roles; accepting twice is accepting once.

    ``name`` is given to an account that has none. Raises :class:`NameNeeded` when that is empty.

    The invitation is read twice: which organization's turn to wait for, and, when that has come, whether it
    is still theirs. Raises :class:`NotInvited`, :class:`InvitationSettled`, :class:`SignInRequired`,
    :class:`LimitReached`, :class:`Busy` and :class:`LogtoUnavailable`.
    """
    management = systems.management
    with explaining():
        user, found = await _get_own(management, principal, invitation_id)
        if state_of(found) is InvitationState.PENDING and not user.name:
            if not name:
                raise NameNeeded
            await management.set_user_name(user.id, name)
    async with systems.by(Newcomer(found.organization_id, principal)).alone() as turn:
        _, invitation = await _get_own(management, principal, invitation_id)
        if _is_accepted_by(invitation, principal):
            return invitation
        if state_of(invitation) is not InvitationState.PENDING:
            raise InvitationSettled(invitation)
        await _require_one_spelling(management, principal, invitation)
        try:
            return await _accept(turn, invitation)
        except ManagementError as refusal:
            raise await why_refused(management, invitation.id, refusal) from None


async def find_way_in(
    management: ManagementClient, links: InvitationLinks, invitation_id: str, proof: str
) -> SignInOptions:
    """How the person who opened an invitation's link signs in or up.

    With the proof from the message, Logto's pages start with the invited address. A new account gets it
    verified, by a one-time token; an existing account signs in as always. Without the proof nothing is told.
    """
    address = links.read_address(invitation_id, proof)
    if address is None:
        return SignInOptions(first_screen="register")
    try:
        invitation = await management.find_invitation(invitation_id)
        is_open = invitation is not None and state_of(invitation) is InvitationState.PENDING
        accounts = [await management.find_user_by_email(spelling) for spelling in spellings(address)]
        if not is_open or any(accounts):
            return SignInOptions(login_hint=address)
        token = await management.create_one_time_token(address, seconds=_TOKEN_LIFETIME)
    except (ManagementError, LogtoUnavailable) as error:
        log.warning("an invited person gets no one-time token", reason=type(error).__name__)
        return SignInOptions(first_screen="register", login_hint=address)
    # Logto's session of somebody else in this browser must not stand in for the invited person.
    return SignInOptions(login_hint=address, one_time_token=token, prompt="login consent")


async def list_waiting(
    management: ManagementClient, claims: Mapping[str, Any]
) -> tuple[WaitingInvitation, ...]:
    """What waits for the person of these claims; nothing without a verified address.

    Only an extra on a page about something else: when Logto does not answer soon, it is left out.
    """
    email = claims.get("email")
    if not isinstance(email, str) or not email or claims.get("email_verified") is not True:
        return ()
    try:
        async with asyncio.timeout(_PATIENCE):
            return await _list_waiting(management, email)
    except (ManagementError, LogtoUnavailable, TimeoutError) as error:
        log.warning("waiting invitations could not be read", reason=type(error).__name__)
        return ()


async def _get_own(
    management: ManagementClient, principal: Principal, invitation_id: str
) -> tuple[LogtoUser, Invitation]:
    """Raises :class:`NotInvited`, after the same calls whether there is no invitation or another's."""
    user, invitation = await asyncio.gather(
        management.get_user(principal.subject), management.find_invitation(invitation_id)
    )
    if invitation is None or not same_address(user.email, invitation.invitee):
        raise NotInvited(user.email)
    return user, invitation


async def _require_one_spelling(
    management: ManagementClient, principal: Principal, invitation: Invitation
) -> None:
    """Raises :class:`Conflict` where Logto would refuse, because it compares letter by letter (1.42)."""
    if len(spellings(invitation.invitee)) == 1:
        return
    email = (await management.get_user(principal.subject)).email or ""
    if email.lower() != invitation.invitee.lower():
        raise Conflict(
            f"The invitation is for {isolated(invitation.invitee)}, and your account has "
            f"{isolated(email)}. This is the same address, but Logto requires the same "
            "spelling. Ask for a new invitation to the address as it is spelled in your "
            "account."
        )


async def _accept(turn: OrganizationChange[Newcomer], invitation: Invitation) -> Invitation:
    management, principal = turn.management, turn.caller.principal
    after = {
        "state": InvitationState.ACCEPTED.value,
        "roles": sorted(invitation.role_names),
        "invitation": invitation.id,
    }
    return await turn.carry_out(
        turn.event(
            Action.INVITATION_ACCEPT,
            target_of(invitation.invitee),
            {"state": InvitationState.PENDING.value},
            after,
        ),
        lambda: settle(
            management,
            invitation.id,
            lambda: management.accept_invitation(invitation.id, principal.subject),
            lambda now: _is_accepted_by(now, principal),
        ),
        subjects=[principal.subject],
    )


def _is_accepted_by(invitation: Invitation, principal: Principal) -> bool:
    is_accepted = state_of(invitation) is InvitationState.ACCEPTED
    return is_accepted and invitation.accepted_user_id == principal.subject


async def _list_waiting(management: ManagementClient, email: str) -> tuple[WaitingInvitation, ...]:
    lists = await asyncio.gather(*map(management.list_invitations_for, spellings(email)))
    found = [entry for entries in lists for entry in entries]
    pending = [entry for entry in found if state_of(entry) is InvitationState.PENDING][:_MOST_WAITING]
    organizations = await asyncio.gather(
        *(management.get_organization(entry.organization_id) for entry in pending)
    )
    return tuple(
        WaitingInvitation(entry.id, organization.name, entry.role_names, moment_of(entry.expires_at))
        for entry, organization in zip(pending, organizations, strict=True)
    )
