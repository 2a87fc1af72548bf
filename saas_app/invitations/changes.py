"""Sending an invitation again, revoking it, and what both share with accepting one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from saas_app.audit.recorder import Action, Target
from saas_app.changes.organization_change import MemberChange
from saas_app.errors import AppError, Conflict, LogtoUnavailable
from saas_app.identity.tenant import Tenant
from saas_app.invitations.links import InvitationLinks
from saas_app.invitations.outcomes import why_not_sent
from saas_app.invitations.service import InvitationState, get_invitation, state_of
from saas_app.limits.changes import Claim
from saas_app.logto import Invitation, ManagementClient, ManagementError, explained
from saas_app.text.visible import isolated


class InvitationSettled(Conflict):
    """The invitation is not pending any more, so nothing can be done with it."""

    code, title = "invitation-settled", "This invitation is no longer pending"

    def __init__(self, invitation: Invitation) -> None:
        super().__init__(
            f"The invitation for {isolated(invitation.invitee)} is {state_of(invitation)}. "
            "Nothing was changed."
        )


class NotSent(Conflict):
    """Logto could not send the message. The invitation stands."""

    code, title = "invitation-not-sent", "No email was sent"


async def resend(change: MemberChange, invitation_id: str, links: InvitationLinks) -> Invitation:
    """Send the message once more. Raises :class:`InvitationNotFound`, :class:`InvitationSettled`,
    :class:`NotSent`, :class:`LimitReached`, :class:`AccessChanged` and :class:`LogtoUnavailable`.
    """
    async with change.alone() as turn:
        invitation = await get_pending(turn.management, turn.caller, invitation_id)
        target, link = target_of(invitation.invitee), links.mailed(invitation)
        event = turn.event(Action.INVITATION_RESEND, target, after={"invitation": invitation.id})
        spent = await turn.limits.spend(*limits_of_messages(turn, invitation.invitee))
        try:
            await turn.carry_out(event, lambda: turn.management.send_invitation(invitation.id, link))
        except ManagementError as refusal:
            await turn.limits.give_back(*spent)
            raise NotSent(why_not_sent(refusal)) from None
    return invitation


async def revoke(change: MemberChange, invitation_id: str) -> Invitation:
    """Revoke it: its link no longer works. Raises :class:`InvitationNotFound`, :class:`InvitationSettled`,
    :class:`AccessChanged` and :class:`LogtoUnavailable`.
    """
    async with change.alone() as turn:
        management = turn.management
        invitation = await get_pending(management, turn.caller, invitation_id)
        event = turn.event(
            Action.INVITATION_REVOKE,
            target_of(invitation.invitee),
            before={"state": InvitationState.PENDING.value},
            after={"state": InvitationState.REVOKED.value, "invitation": invitation.id},
        )
        try:
            return await turn.carry_out(
                event,
                lambda: settle(
                    management,
                    invitation.id,
                    lambda: management.revoke_invitation(invitation.id),
                    lambda now: state_of(now) is InvitationState.REVOKED,
                ),
            )
        except ManagementError as refusal:
            raise await why_refused(management, invitation.id, refusal) from None


async def get_pending(management: ManagementClient, tenant: Tenant, invitation_id: str) -> Invitation:
    """An invitation of this organization that still waits. Raises :class:`InvitationNotFound` and
    :class:`InvitationSettled`.
    """
    invitation = await get_invitation(management, tenant, invitation_id)
    if state_of(invitation) is not InvitationState.PENDING:
        raise InvitationSettled(invitation)
    return invitation


async def settle(
    management: ManagementClient,
    invitation_id: str,
    call: Callable[[], Awaitable[Invitation]],
    is_done: Callable[[Invitation], bool],
) -> Invitation:
    """Change an invitation's status, and find out what came of it.

    An answer may be lost, and a change of a settled invitation is refused whoever settled it; so after
    either the invitation is read again, and ``is_done`` says whether it came out as asked.
    """
    try:
        return await call()
    except (ManagementError, LogtoUnavailable):
        now = await management.find_invitation(invitation_id)
        if now is None or not is_done(now):
            raise
        return now


async def why_refused(management: ManagementClient, invitation_id: str, refusal: ManagementError) -> AppError:
    """What a refused change of status means: all of them share a code, so the invitation is read again."""
    now = await management.find_invitation(invitation_id)
    if now is not None and state_of(now) is not InvitationState.PENDING:
        return InvitationSettled(now)
    return explained(refusal)


def target_of(address: str) -> Target:
    """What an event about an invitation names: the address, which is known before Logto gives an id."""
    return Target("invitation", address, address)


def limits_of_messages(change: MemberChange, address: str) -> tuple[Claim, ...]:
    """Return for whom a message to an address counts: the sender, the organization, the address itself."""
    limits = change.limits
    return (
        (limits.inviter, change.caller.principal.subject),
        (limits.inviting_organization, change.organization_id),
        (limits.invited_address, address.lower()),
    )
