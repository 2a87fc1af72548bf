"""Resends and revokes pending invitations, and has the steps that all changes of invitations share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from saas_app.audit.recorder import Action, Target
from saas_app.changes.organization_change import MemberChange, OrganizationChange
from saas_app.db.base import utc_now
from saas_app.errors import AppError, LogtoUnavailable
from saas_app.identity.standing import Caller
from saas_app.invitations import queries
from saas_app.invitations.links import InvitationLinks
from saas_app.invitations.outcomes import why_not_sent
from saas_app.invitations.service import get_pending
from saas_app.invitations.values import InvitationSettled, InvitationState, NotSent, state_of
from saas_app.limits.changes import Claim
from saas_app.logto import Invitation, ManagementClient, ManagementError, explained
from saas_app.text.addresses import same_address
from saas_app.text.languages import current_language


async def resend(change: MemberChange, invitation_id: str, links: InvitationLinks) -> Invitation:
    """Email an invitation again.

    Raises :class:`InvitationNotFound`, :class:`InvitationSettled`, :class:`NotSent`, :class:`LimitReached`,
    :class:`AccessChanged` and :class:`LogtoUnavailable`.
    """
    async with change.alone() as turn:
        invitation = await get_pending(turn.management, turn.caller, invitation_id)
        spent = await turn.limits.spend(*message_limits(turn, invitation.invitee))
        try:
            await send_new_link(turn, invitation, links, Action.INVITATION_RESEND)
        except ManagementError as refusal:
            await turn.limits.give_back(*spent)
            raise NotSent(why_not_sent(refusal)) from None
    return invitation


async def send_new_link(
    turn: OrganizationChange[Caller], invitation: Invitation, links: InvitationLinks, action: Action
) -> None:
    """Email an invitation with a new link. The older link signs in until the new one was sent.

    Raises :class:`ManagementError` and :class:`LogtoUnavailable`.
    """
    link = links.mailed(invitation)
    await turn.carry_out(
        turn.event(action, target_of(invitation.invitee), after={"invitation": invitation.id}),
        lambda: turn.management.send_invitation(invitation.id, link.url, current_language()),
        also=lambda db: queries.store_link(db, link, utc_now()),
    )


async def revoke(change: MemberChange, invitation_id: str) -> Invitation:
    """Revoke an invitation, so that its link no longer works.

    Raises :class:`InvitationNotFound`, :class:`InvitationSettled`, :class:`AccessChanged` and
    :class:`LogtoUnavailable`.
    """
    async with change.alone() as turn:
        return await _revoke(turn, await get_pending(turn.management, turn.caller, invitation_id))


async def revoke_open_for(turn: MemberChange, address: str) -> None:
    """Revoke the invitations of a member who is about to go, so that no older one leads them back.

    Call it within their turn. Raises what :func:`revoke` raises.
    """
    for invitation in await turn.management.list_invitations(turn.organization_id):
        is_theirs = same_address(invitation.invitee, address)
        if is_theirs and state_of(invitation) is InvitationState.PENDING:
            await _revoke(turn, invitation)


async def _revoke(turn: MemberChange, invitation: Invitation) -> Invitation:
    management = turn.management
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
            also=lambda db: queries.forget_link(db, invitation.id),
        )
    except ManagementError as refusal:
        raise await explain_refusal(management, invitation.id, refusal) from None


async def settle(
    management: ManagementClient,
    invitation_id: str,
    call: Callable[[], Awaitable[Invitation]],
    is_done: Callable[[Invitation], bool],
) -> Invitation:
    """Change an invitation's status, and return the invitation.

    Logto's answer may be lost, and Logto rejects a change that was already made. So after a failure the
    invitation is read again, and if ``is_done`` accepts it, the call has succeeded.
    """
    try:
        return await call()
    except (ManagementError, LogtoUnavailable):
        now = await management.find_invitation(invitation_id)
        if now is None or not is_done(now):
            raise
        return now


async def explain_refusal(
    management: ManagementClient, invitation_id: str, refusal: ManagementError
) -> AppError:
    """Return the error for a rejected status change. Logto's code does not tell it, so Logto is asked."""
    now = await management.find_invitation(invitation_id)
    if now is not None and state_of(now) is not InvitationState.PENDING:
        return InvitationSettled(now)
    return explained(refusal)


def target_of(address: str) -> Target:
    """Return the target of an event about an invitation: the address, which is known before the id."""
    return Target("invitation", address, address)


def message_limits(change: MemberChange, address: str) -> tuple[Claim, ...]:
    """Return the limits that an email to an address counts toward: sender, organization and address."""
    limits = change.limits
    return (
        (limits.inviter, change.caller.principal.subject),
        (limits.inviting_organization, change.organization_id),
        (limits.invited_address, address.lower()),
    )
