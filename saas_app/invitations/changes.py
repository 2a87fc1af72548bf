"""The rules of inviting, of sending again and of revoking.

* Nobody invites into a role that holds a permission they lack themselves; roles for machines are not offered.
* An invitation is made first and sent second, because its link names it: where no message can be sent the
  invitation stands, and its link can be handed over by other means.
* Several addresses are several invitations. One that fails takes nothing from the others; when Logto does
  not answer, the rest is not tried, so that nobody waits for each of them.
* Each invitation and each message is a turn of its own, in which the sender's right is checked again: whoever
  is demoted half way through a form makes none of the rest.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

import structlog

from saas_app.audit.changes import OrganizationChange
from saas_app.audit.recorder import Action, Actor, AuditEntry, Target
from saas_app.db.base import utc_now
from saas_app.errors import (
    AppError,
    Busy,
    Conflict,
    Invalid,
    LogtoUnavailable,
    RateLimited,
    SignInRequired,
)
from saas_app.identity.standing import AccessChanged
from saas_app.identity.tenant import Tenant
from saas_app.invitations.links import InvitationLinks
from saas_app.invitations.service import InvitationState, get_invitation, link_to, state_of
from saas_app.limits.changes import Claim, LimitReached
from saas_app.logto import Invitation, ManagementClient, ManagementError, explained
from saas_app.members.service import explaining
from saas_app.rbac.permissions import Role, RoleType
from saas_app.text.addresses import spellings
from saas_app.text.sentences import Sentence
from saas_app.text.visible import isolated

log = structlog.get_logger(__name__)

_SECOND_PENDING: Final = "entity.unique_integrity_violation"
_SHARED_CODE: Final = "request.invalid_input"
_NO_CONNECTOR: Final = "connector.not_found"


class InvitationSettled(Conflict):
    """The invitation is not pending any more, so nothing can be done with it."""

    code, title = "invitation-settled", "This invitation is no longer open"

    def __init__(self, invitation: Invitation) -> None:
        super().__init__(
            f"The invitation for {isolated(invitation.invitee)} is {state_of(invitation)}. "
            "Nothing was changed."
        )


class NotSent(Conflict):
    """Logto could not send the message. The invitation stands."""

    code, title = "invitation-not-sent", "No email was sent"


@dataclass(frozen=True, slots=True)
class InvitationInput:
    """What somebody asks for: addresses in lower case, each once; the form saw to their number."""

    addresses: tuple[str, ...]
    roles: frozenset[Role]
    days: int  # until it expires


class OutcomeKind(StrEnum):
    """What came of one address."""

    SENT = "sent"
    LINK_ONLY = "link only"
    ALREADY_MEMBER = "already a member"
    ALREADY_INVITED = "already invited"
    FAILED = "failed"
    UNKNOWN = "not known"
    NOT_TRIED = "not invited"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one address, in a sentence too. ``link`` is there for a new invitation.

    ``error``: what a program that asked for this one alone is told, where that is more than a conflict.
    """

    address: str
    kind: OutcomeKind
    explanation: str
    link: str | None = None
    error: AppError | None = None
    invitation_id: str | None = None  # of one that was made and can still be taken back here

    def __post_init__(self) -> None:
        object.__setattr__(self, "explanation", Sentence(self.explanation))

    @property
    def is_open(self) -> bool:
        """Whether the address is still to be invited, so that it stays in the form."""
        return self.kind in (OutcomeKind.FAILED, OutcomeKind.UNKNOWN, OutcomeKind.NOT_TRIED)


async def invite(
    change: OrganizationChange, wanted: InvitationInput, links: InvitationLinks
) -> list[Outcome]:
    """Invite every address, one after the other, and say what came of each.

    Raises, before anything is done, :class:`AssignmentDenied` for a role that holds more than the caller,
    :class:`Invalid` for a role that is for machines, and what keeps Logto from telling its roles.
    """
    refuse_machine_roles(wanted.roles)
    change.tenant.require_assignable([role.value for role in wanted.roles])
    with explaining():
        role_ids = await _role_ids(change.management, wanted.roles)
    outcomes: list[Outcome] = []
    for address in wanted.addresses:
        if outcomes and outcomes[-1].kind in (OutcomeKind.UNKNOWN, OutcomeKind.NOT_TRIED):
            outcomes.append(
                Outcome(address, OutcomeKind.NOT_TRIED, "Not tried, because the one before failed.")
            )
        else:
            outcomes.append(await _invite_one(change, wanted, address, role_ids, links))
    return outcomes


def refuse_machine_roles(roles: Collection[Role]) -> None:
    """Raise :class:`Invalid` for a role that Logto assigns only to machines."""
    for role in roles:
        if role.type is not RoleType.USER:
            raise Invalid(fields={"roles": f"The role {role.value} is for programs, not for people."})


async def resend(change: OrganizationChange, invitation_id: str, links: InvitationLinks) -> Invitation:
    """Send the message once more. Raises :class:`InvitationNotFound`, :class:`InvitationSettled`,
    :class:`NotSent`, :class:`LimitReached`, :class:`AccessChanged` and :class:`LogtoUnavailable`.
    """
    async with change.alone() as turn:
        invitation = await get_pending(change.management, change.tenant, invitation_id)
        entry = AuditEntry(
            actor=Actor.of(change.tenant.principal),
            action=Action.INVITATION_RESEND,
            target=target_of(invitation.invitee),
            after={"invitation": invitation.id},
        )
        link = links.mailed(invitation)
        spent = await change.limits.spend(*_claims(change, invitation.invitee))
        try:
            await turn.carry_out(entry, lambda: change.management.send_invitation(invitation.id, link))
        except ManagementError as refusal:
            await change.limits.give_back(*spent)
            raise NotSent(_why_not_sent(refusal)) from None
    return invitation


async def revoke(change: OrganizationChange, invitation_id: str) -> Invitation:
    """Take it back. Raises :class:`InvitationNotFound`, :class:`InvitationSettled`, :class:`AccessChanged`
    and :class:`LogtoUnavailable`.
    """
    management = change.management
    async with change.alone() as turn:
        invitation = await get_pending(management, change.tenant, invitation_id)
        entry = AuditEntry(
            actor=Actor.of(change.tenant.principal),
            action=Action.INVITATION_REVOKE,
            target=target_of(invitation.invitee),
            before={"state": InvitationState.PENDING.value},
            after={"state": InvitationState.REVOKED.value, "invitation": invitation.id},
        )
        try:
            return await turn.carry_out(
                entry,
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


async def _role_ids(management: ManagementClient, roles: Collection[Role]) -> list[str]:
    known = {role.name: role.id for role in await management.list_organization_roles()}
    missing = [role.value for role in roles if role.value not in known]
    if missing:
        raise Conflict(
            f"Logto does not know the role {missing[0]}. Whoever runs this application can fix it with "
            "'saas-app provision'."
        )
    return [known[role.value] for role in roles]


async def _invite_one(
    change: OrganizationChange,
    wanted: InvitationInput,
    address: str,
    role_ids: Collection[str],
    links: InvitationLinks,
) -> Outcome:
    """Invite one address within the limits. What came to nothing does not count for them."""
    limits = change.limits
    try:
        spent = await limits.spend(*_claims(change, address))
    except LimitReached as error:
        is_theirs = error.policy == limits.invited_address  # the others may still be invited
        kind = OutcomeKind.FAILED if is_theirs else OutcomeKind.NOT_TRIED
        return Outcome(address, kind, error.detail, error=error)
    outcome = await _make_and_send(change, wanted, address, role_ids, links)
    if outcome.kind not in (OutcomeKind.SENT, OutcomeKind.LINK_ONLY, OutcomeKind.UNKNOWN):
        await limits.give_back(*spent)
    return outcome


def _claims(change: OrganizationChange, address: str) -> tuple[Claim, ...]:
    """For whom a message to an address counts: the sender, the organization, the address itself."""
    limits = change.limits
    return (
        (limits.inviter, change.tenant.principal.subject),
        (limits.inviting_organization, change.organization_id),
        (limits.invited_address, address.lower()),
    )


async def _make_and_send(
    change: OrganizationChange,
    wanted: InvitationInput,
    address: str,
    role_ids: Collection[str],
    links: InvitationLinks,
) -> Outcome:
    entry, call = _creation(change, wanted, address, role_ids)
    try:
        async with change.alone() as turn:
            try:
                invitation = await turn.carry_out(entry, call)
            except ManagementError as refusal:
                return _refused(address, refusal)
    except LogtoUnavailable:
        return Outcome(
            address,
            OutcomeKind.UNKNOWN,
            "Logto did not answer, so the invitation may or may not exist. Send the form again in a "
            "moment: nobody is invited twice.",
        )
    except (LimitReached, AccessChanged, SignInRequired, Busy) as error:
        return Outcome(address, OutcomeKind.NOT_TRIED, error.detail, error=error)
    return await _send(change, invitation, links)


def _creation(
    change: OrganizationChange, wanted: InvitationInput, address: str, role_ids: Collection[str]
) -> tuple[AuditEntry, Callable[[], Awaitable[Invitation]]]:
    expires_at = utc_now() + timedelta(days=wanted.days)
    inviter = change.tenant.principal
    entry = AuditEntry(
        actor=Actor.of(inviter),
        action=Action.INVITATION_CREATE,
        target=target_of(address),
        after={"roles": sorted(role.value for role in wanted.roles), "expires_at": expires_at.isoformat()},
    )

    async def call() -> Invitation:
        return await change.management.create_invitation(
            change.organization_id,
            await _as_the_account_spells_it(change.management, address),
            role_ids=role_ids,
            expires_at=int(expires_at.timestamp() * 1000),
            inviter_id=inviter.subject,
        )

    return entry, call


async def _as_the_account_spells_it(management: ManagementClient, address: str) -> str:
    """Logto lets nobody accept whose address is spelled otherwise, in A-labels for example (1.42)."""
    alternatives = spellings(address)
    for spelling in alternatives if len(alternatives) > 1 else ():
        user = await management.find_user_by_email(spelling)
        if user is not None and user.email:
            return user.email
    return address


async def _send(change: OrganizationChange, invitation: Invitation, links: InvitationLinks) -> Outcome:
    """Send the message, which is a step of its own. Whoever lost their right since is not given the link."""
    link = link_to(links.app_url, invitation.id)
    try:
        async with change.alone():
            try:
                await change.management.send_invitation(invitation.id, links.mailed(invitation))
            except ManagementError as refusal:
                why = _why_not_sent(refusal)
            else:
                return Outcome(
                    invitation.invitee, OutcomeKind.SENT, "Invited. The email is on its way.", link
                )
    except LogtoUnavailable:
        why = "Logto did not answer when it was asked to send the message."
    except Busy as error:
        why = error.detail
    except (AccessChanged, SignInRequired) as error:
        said = f"Invited, but no email was sent. {error.detail.shown}"
        return Outcome(invitation.invitee, OutcomeKind.LINK_ONLY, said)
    said = f"Invited, but no email was sent. {why}"
    return Outcome(invitation.invitee, OutcomeKind.LINK_ONLY, said, link, invitation_id=invitation.id)


def _refused(address: str, refusal: ManagementError) -> Outcome:
    if refusal.code == _SECOND_PENDING:
        return Outcome(
            address, OutcomeKind.ALREADY_INVITED, "Already invited. That invitation is still open."
        )
    if refusal.code == _SHARED_CODE and refusal.status == 422:
        return Outcome(address, OutcomeKind.ALREADY_MEMBER, "Already a member of the organization.")
    error = explained(refusal)
    is_all = isinstance(error, LogtoUnavailable | RateLimited)  # the others would fare no better
    return Outcome(address, OutcomeKind.NOT_TRIED if is_all else OutcomeKind.FAILED, error.detail)


def _why_not_sent(refusal: ManagementError) -> str:
    if refusal.status == 429:
        return "Logto sends only a few messages to one address within ten minutes. Copy the link instead."
    if refusal.code.startswith("connector.") and refusal.code != _NO_CONNECTOR:
        log.warning("logto could not send an invitation", status=refusal.status, logto_code=refusal.code)
        return "Logto's email service did not accept the message. Copy the link instead."
    return explained(refusal).detail
