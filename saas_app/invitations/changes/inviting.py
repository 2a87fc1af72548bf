"""Invites people, one address after the other.

* Nobody invites into a role with a permission that they lack themselves, or into a role for API clients.
* An invitation is created first and emailed second, because the link contains its id. If no email can be
  sent, the invitation remains, and the sender can share its link.
* The email is in the language of the sender, because nothing is known of the person who is invited.
* Each address gets its own invitation. If one fails, the others do not. If Logto does not answer, the rest is
  skipped, so that nobody waits for each of them.
* Each invitation and each email takes a turn, in which the sender's permission is checked again. A sender who
  is demoted in between creates no further invitations.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from saas_app.audit.recorder import Action, AuditEntry
from saas_app.changes.organization_change import MemberChange
from saas_app.db.base import utc_now
from saas_app.db.session import WritingSession
from saas_app.errors import Busy, Conflict, Invalid, LogtoUnavailable, SignInRequired
from saas_app.identity.standing import AccessChanged
from saas_app.invitations import queries
from saas_app.invitations.changes.pending import message_limits, target_of
from saas_app.invitations.links import InvitationLinks, link_to
from saas_app.invitations.outcomes import Outcome, OutcomeKind, refused, why_not_sent
from saas_app.invitations.service import find_account
from saas_app.invitations.values import InvitationInput
from saas_app.limits.changes import LimitReached
from saas_app.logto import Invitation, LogtoUser, ManagementClient, ManagementError
from saas_app.notifications.recorder import notify_of_invitation
from saas_app.rbac.permissions import Role, RoleType
from saas_app.text.languages import current_language
from saas_app.text.translation import Sentence, _


async def invite(change: MemberChange, wanted: InvitationInput, links: InvitationLinks) -> list[Outcome]:
    """Invite every address, one after the other, and return the outcomes in the same order.

    Raises, before anything is changed, :class:`AssignmentDenied` for a role with permissions the caller
    lacks, :class:`Invalid` for a role for API clients, :class:`Conflict` for a role that Logto does not have,
    and :class:`LogtoUnavailable`.
    """
    refuse_machine_roles(wanted.roles)
    change.caller.require_assignable([role.value for role in wanted.roles])
    with change.explain():
        role_ids = await _role_ids(change.management, wanted.roles)
    inviting = _Inviting(change, wanted, role_ids, links)
    outcomes: list[Outcome] = []
    for address in wanted.addresses:
        if outcomes and outcomes[-1].kind in (OutcomeKind.UNKNOWN, OutcomeKind.NOT_TRIED):
            explanation = _("Not sent, because the invitation before it failed.")
            outcomes.append(Outcome(address, OutcomeKind.NOT_TRIED, explanation))
        else:
            outcomes.append(await inviting.invite(address))
    return outcomes


def refuse_machine_roles(roles: Collection[Role]) -> None:
    """Raise :class:`Invalid` for a role that Logto assigns only to machines."""
    for role in roles:
        if role.type is not RoleType.USER:
            raise Invalid(
                fields={"roles": _("The %(role)s role is for API clients, not for people.", role=role.value)}
            )


@dataclass(frozen=True, slots=True)
class _Inviting:
    """One form: the caller, the input, and Logto's ids of the roles."""

    change: MemberChange
    wanted: InvitationInput
    role_ids: Collection[str]
    links: InvitationLinks

    async def invite(self, address: str) -> Outcome:
        """Invite one address, within the limits. A failure does not count toward them."""
        limits = self.change.limits
        try:
            spent = await limits.spend(*message_limits(self.change, address))
        except LimitReached as error:
            is_of_address = error.policy == limits.invited_address  # others may still be invited
            kind = OutcomeKind.FAILED if is_of_address else OutcomeKind.NOT_TRIED
            return Outcome(address, kind, error.detail, error=error)
        outcome = await self._create_and_send(address)
        if outcome.kind not in (OutcomeKind.SENT, OutcomeKind.LINK_ONLY, OutcomeKind.UNKNOWN):
            await limits.give_back(*spent)
        return outcome

    async def _create_and_send(self, address: str) -> Outcome:
        creation = _Creation(self, address)
        try:
            async with self.change.alone() as turn:
                try:
                    invitation = await turn.carry_out(creation.event(), creation.call, also=creation.notify)
                except ManagementError as refusal:
                    return refused(address, refusal)
        except LogtoUnavailable:
            return Outcome(
                address,
                OutcomeKind.UNKNOWN,
                _(
                    "Logto did not respond, so it is not known whether the invitation was "
                    "created. Submit the form again in a moment. Nobody is invited twice."
                ),
            )
        except (LimitReached, AccessChanged, SignInRequired, Busy) as error:
            return Outcome(address, OutcomeKind.NOT_TRIED, error.detail, error=error)
        return await self._send(invitation)

    async def _send(self, invitation: Invitation) -> Outcome:
        """Email the invitation, in a second turn. A sender without the permission does not get the link."""
        address, link = invitation.invitee, link_to(self.links.app_url, invitation.id)
        try:
            async with self.change.alone() as turn:
                emailed = self.links.mailed(invitation)
                async with turn.work.writing(turn.organization_id) as db:
                    await queries.store_link(db, emailed, utc_now())
                try:
                    await turn.management.send_invitation(invitation.id, emailed.url, current_language())
                except ManagementError as refusal:
                    why = why_not_sent(refusal)
                else:
                    return Outcome(address, OutcomeKind.SENT, _("Invitation sent."), link)
        except LogtoUnavailable:
            why = _("Logto did not respond. Copy the link instead.")
        except Busy as error:
            why = error.detail
        except (AccessChanged, SignInRequired) as error:
            return Outcome(address, OutcomeKind.LINK_ONLY, _created_only(error.detail))
        return Outcome(address, OutcomeKind.LINK_ONLY, _created_only(why), link, invitation_id=invitation.id)


class _Creation:
    """The creation of one invitation: its audit event, the call to Logto, and the notification."""

    def __init__(self, inviting: _Inviting, address: str) -> None:
        self._inviting = inviting
        self._address = address
        self._expires_at = utc_now() + timedelta(days=inviting.wanted.days)
        self._roles = sorted(role.value for role in inviting.wanted.roles)
        self._account: LogtoUser | None = None
        self._invitation_id = ""

    def event(self) -> AuditEntry:
        """Return the audit event. It does not say whether an account has the address."""
        after = {"roles": self._roles, "expires_at": self._expires_at.isoformat()}
        return self._inviting.change.event(Action.INVITATION_CREATE, target_of(self._address), after=after)

    async def call(self) -> Invitation:
        """Create the invitation in Logto, for the address as the account that has it spells it."""
        change = self._inviting.change
        self._account = await find_account(change.management, self._address)
        spelling = self._account.email if self._account else None
        created = await change.management.create_invitation(
            change.organization_id,
            spelling or self._address,
            role_ids=self._inviting.role_ids,
            expires_at=int(self._expires_at.timestamp() * 1000),
            inviter_id=change.caller.principal.subject,
        )
        self._invitation_id = created.id
        return created

    async def notify(self, db: WritingSession) -> None:
        """Notify the person with this email address, if they have an account."""
        if self._account is not None:
            organization_id = self._inviting.change.organization_id
            await notify_of_invitation(
                db, organization_id, self._account.id, self._invitation_id, self._roles
            )


def _created_only(why: Sentence) -> Sentence:
    return _("Invitation created, but no email was sent. %(reason)s", reason=why)


async def _role_ids(management: ManagementClient, roles: Collection[Role]) -> list[str]:
    known = {role.name: role.id for role in await management.list_organization_roles()}
    missing = [role.value for role in roles if role.value not in known]
    if missing:
        raise Conflict(
            _(
                "The %(role)s role does not exist in Logto. The operator can fix this with "
                "'saas-app provision'.",
                role=missing[0],
            )
        )
    return [known[role.value] for role in roles]
