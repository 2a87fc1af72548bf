"""Accepts an invitation.

The person gets the roles of the invitation, as Logto stored them, even if its sender has lost those
permissions since. They do not end, even if the person had one of them for a time.
"""

from __future__ import annotations

from saas_app.audit.recorder import Action
from saas_app.changes.organization_change import OrganizationChange, Systems
from saas_app.db.session import WritingSession
from saas_app.email_domains.changes.joins import confirm_within
from saas_app.errors import Conflict
from saas_app.identity.principal import Principal
from saas_app.identity.role_ends import delete_ends
from saas_app.identity.standing import Newcomer
from saas_app.invitations import queries
from saas_app.invitations.changes.pending import explain_refusal, settle, target_of
from saas_app.invitations.service import get_own
from saas_app.invitations.values import InvitationSettled, InvitationState, NameNeeded, state_of
from saas_app.logto import Invitation, ManagementClient, ManagementError, explaining
from saas_app.notifications.recorder import mark_invitation_read
from saas_app.text.addresses import spellings
from saas_app.text.translation import _
from saas_app.text.visible import isolated


async def accept(systems: Systems, principal: Principal, invitation_id: str, name: str = "") -> Invitation:
    """Make the caller a member with the invitation's roles. Accepting it again changes nothing.

    ``name`` is given to an account that has none. The invitation is read before the turn, to learn its
    organization, and again in the turn. Raises :class:`NameNeeded` if the account has no name and ``name`` is
    empty, :class:`NotInvited`, :class:`InvitationSettled`, :class:`SignInRequired`, :class:`LimitReached`,
    :class:`Busy` and :class:`LogtoUnavailable`.
    """
    management = systems.management
    with explaining():
        user, found = await get_own(management, principal, invitation_id)
        if state_of(found) is InvitationState.PENDING and not user.name:
            if not name:
                raise NameNeeded
            await management.set_user_name(user.id, name)
    async with systems.by(Newcomer(found.organization_id, principal)).alone() as turn:
        _user, invitation = await get_own(management, principal, invitation_id)
        if _is_accepted_by(invitation, principal):
            return invitation
        if state_of(invitation) is not InvitationState.PENDING:
            raise InvitationSettled(invitation)
        await _require_one_spelling(management, principal, invitation)
        try:
            return await _accept(turn, invitation)
        except ManagementError as refusal:
            raise await explain_refusal(management, invitation.id, refusal) from None


async def _require_one_spelling(
    management: ManagementClient, principal: Principal, invitation: Invitation
) -> None:
    """Raise :class:`Conflict` if Logto 1.42, which compares letter by letter, would reject the acceptance."""
    if len(spellings(invitation.invitee)) == 1:
        return
    email = (await management.get_user(principal.subject)).email or ""
    if email.lower() != invitation.invitee.lower():
        raise Conflict(
            _(
                "The invitation is for %(invited)s, and your account has %(own)s. This is the same address, "
                "but Logto requires the same spelling. Ask for a new invitation to the address as it is "
                "spelled in your account.",
                invited=isolated(invitation.invitee),
                own=isolated(email),
            )
        )


async def _accept(turn: OrganizationChange[Newcomer], invitation: Invitation) -> Invitation:
    management, principal = turn.management, turn.caller.principal
    after = {
        "state": InvitationState.ACCEPTED.value,
        "roles": sorted(invitation.role_names),
        "invitation": invitation.id,
    }

    async def settle_here(db: WritingSession) -> None:
        await mark_invitation_read(db, principal.subject, invitation.id)
        await queries.forget_link(db, invitation.id)
        await delete_ends(db, turn.organization_id, principal.subject, invitation.role_names)
        await confirm_within(
            db, turn.organization_id, principal.subject
        )  # the invitation says how they joined

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
        also=settle_here,
    )


def _is_accepted_by(invitation: Invitation, principal: Principal) -> bool:
    is_accepted = state_of(invitation) is InvitationState.ACCEPTED
    return is_accepted and invitation.accepted_user_id == principal.subject
