"""The frozen values that the parts of this feature hand to each other, and its errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from saas_app.errors import Conflict, Invalid, NotFound
from saas_app.logto import Invitation
from saas_app.rbac.permissions import Role
from saas_app.text.branding import UNBRANDED, Branding
from saas_app.text.translation import Sentence, _
from saas_app.text.visible import isolated


class InvitationState(StrEnum):
    """The state of an invitation. The names are Logto's, in lower case."""

    PENDING = "pending"
    EXPIRED = "expired"
    ACCEPTED = "accepted"
    REVOKED = "revoked"


def state_of(invitation: Invitation) -> InvitationState:
    """Return the state of an invitation, as Logto computed it when the invitation was read."""
    return InvitationState(invitation.status.lower())


@dataclass(frozen=True, slots=True)
class InvitationInput:
    """The content of an invite form. Addresses are normalized and unique."""

    addresses: tuple[str, ...]
    roles: frozenset[Role]
    days: int  # until the invitations expire


@dataclass(frozen=True, slots=True)
class InvitationRow:
    """An invitation in a list. ``inviter_name`` is None if its sender is unknown to Workroom."""

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
        """The sort key in a list."""
        return self.created_at, self.id


@dataclass(frozen=True, slots=True)
class Invitations:
    """All invitations in one state, the newest first, and the number in each state.

    ``is_cut`` says whether older ones were left out.
    """

    rows: tuple[InvitationRow, ...]
    counts: Mapping[InvitationState, int]
    is_cut: bool


@dataclass(frozen=True, slots=True)
class Offer:
    """An invitation for the invited person. ``is_mine`` says whether this account has accepted it.

    ``needs_name`` says whether the account has no name yet, so that the person is asked for one.
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
    branding: Branding = UNBRANDED


@dataclass(frozen=True, slots=True)
class WaitingInvitation:
    """A pending invitation for the caller, in the list of their organizations."""

    id: str
    organization_id: str
    organization_name: str
    role_names: frozenset[str]
    expires_at: datetime
    branding: Branding = UNBRANDED


class LinkState(StrEnum):
    """Whether an emailed link signs in, and if not, why."""

    LIVE = "live"
    USED = "used"
    EXPIRED = "expired"
    REPLACED = "replaced"  # by a newer one, or the invitation is no longer open


@dataclass(frozen=True, slots=True)
class LinkStanding:
    """The state of an emailed link, and when it ends, was used, or ended. None: nobody knows."""

    state: LinkState
    at: datetime | None = None

    @property
    def signs_in(self) -> bool:
        """Whether the link signs in the person whose address received it."""
        return self.state is LinkState.LIVE


class InvitationNotFound(NotFound):
    """The organization has no such invitation. An invitation of another organization looks the same."""

    code, title = "invitation-not-found", _("Invitation not found")


class InvitationSettled(Conflict):
    """The invitation is no longer pending, so it cannot be changed."""

    code, title = "invitation-settled", _("This invitation is no longer pending")

    def __init__(self, invitation: Invitation) -> None:
        super().__init__(_SETTLED[state_of(invitation)](invitation.invitee))


_SETTLED: Final[Mapping[InvitationState, Callable[[str], Sentence]]] = {
    InvitationState.PENDING: lambda address: _(
        "The invitation for %(address)s is pending. Nothing was changed.", address=isolated(address)
    ),
    InvitationState.EXPIRED: lambda address: _(
        "The invitation for %(address)s is expired. Nothing was changed.", address=isolated(address)
    ),
    InvitationState.ACCEPTED: lambda address: _(
        "The invitation for %(address)s is accepted. Nothing was changed.", address=isolated(address)
    ),
    InvitationState.REVOKED: lambda address: _(
        "The invitation for %(address)s is revoked. Nothing was changed.", address=isolated(address)
    ),
}


class NotSent(Conflict):
    """Logto could not send the email. The invitation remains."""

    code, title = "invitation-not-sent", _("No email was sent")


class NotInvited(NotFound):
    """There is no invitation with this id, or it is for somebody else. ``email`` is the caller's address."""

    code, title = "not-invited", _("Invitation not found")

    def __init__(self, email: str | None) -> None:
        super().__init__(_("It is for another address, or the link is not complete."))
        self.email = email


class NameNeeded(Invalid):
    """The account has no name, and members must be able to see who joins."""

    def __init__(self) -> None:
        super().__init__(fields={"name": _("Enter your name.")})
