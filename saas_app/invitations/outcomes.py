"""The outcome of inviting one address, for pages and the API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import structlog

from saas_app.errors import AppError, LogtoUnavailable, RateLimited
from saas_app.logto import ManagementError, explained
from saas_app.text.translation import Sentence, _, pgettext

log = structlog.get_logger(__name__)

_SECOND_PENDING: Final = "entity.unique_integrity_violation"
_SHARED_CODE: Final = "request.invalid_input"
_NO_CONNECTOR: Final = "connector.not_found"


class OutcomeKind(StrEnum):
    """The kind of an outcome."""

    SENT = "sent"
    LINK_ONLY = "link only"
    ALREADY_MEMBER = "already a member"
    ALREADY_INVITED = "already invited"
    FAILED = "failed"
    UNKNOWN = "not known"
    NOT_TRIED = "not invited"

    @property
    def label(self) -> Sentence:
        """The kind for a badge. The value itself belongs to the API."""
        return _LABELS[self]


_LABELS: Final[Mapping[OutcomeKind, Sentence]] = {
    OutcomeKind.SENT: pgettext("invitation", "sent"),
    OutcomeKind.LINK_ONLY: pgettext("invitation", "link only"),
    OutcomeKind.ALREADY_MEMBER: pgettext("invitation", "already a member"),
    OutcomeKind.ALREADY_INVITED: pgettext("invitation", "already invited"),
    OutcomeKind.FAILED: pgettext("invitation", "failed"),
    OutcomeKind.UNKNOWN: pgettext("invitation", "not known"),
    OutcomeKind.NOT_TRIED: pgettext("invitation", "not invited"),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of inviting one address. ``link`` is set for a new invitation, unless it must not be shown.

    ``error`` is the error for a program that invited only this address, if it is more than a conflict.
    """

    address: str
    kind: OutcomeKind
    explanation: Sentence
    link: str | None = None
    error: AppError | None = None
    invitation_id: str | None = None  # of a new invitation that can be revoked from the page

    @property
    def is_open(self) -> bool:
        """Whether the address is not invited yet, so that it stays in the form."""
        return self.kind in (OutcomeKind.FAILED, OutcomeKind.UNKNOWN, OutcomeKind.NOT_TRIED)


def refused(address: str, refusal: ManagementError) -> Outcome:
    """Return the outcome for an address whose invitation Logto rejected."""
    if refusal.code == _SECOND_PENDING:
        return Outcome(
            address, OutcomeKind.ALREADY_INVITED, _("Already invited. The invitation is still pending.")
        )
    if refusal.code == _SHARED_CODE and refusal.status == 422:
        return Outcome(address, OutcomeKind.ALREADY_MEMBER, _("Already a member of the organization."))
    error = explained(refusal)
    concerns_all = isinstance(error, LogtoUnavailable | RateLimited)
    return Outcome(address, OutcomeKind.NOT_TRIED if concerns_all else OutcomeKind.FAILED, error.detail)


def why_not_sent(refusal: ManagementError) -> Sentence:
    """Return why Logto did not send an email, and what to do instead."""
    if refusal.status == 429:
        return _(
            "Logto limits how many emails it sends to one address within ten minutes. Copy the link instead."
        )
    if refusal.code.startswith("connector.") and refusal.code != _NO_CONNECTOR:
        log.warning("logto could not send an invitation", status=refusal.status, logto_code=refusal.code)
        return _("Logto’s email service did not accept the message. Copy the link instead.")
    return explained(refusal).detail
