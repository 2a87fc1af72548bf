"""What came of inviting one address, for the page and for a program."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import structlog

from saas_app.errors import AppError, LogtoUnavailable, RateLimited
from saas_app.logto import ManagementError, explained
from saas_app.text.sentences import Sentence

log = structlog.get_logger(__name__)

_SECOND_PENDING: Final = "entity.unique_integrity_violation"
_SHARED_CODE: Final = "request.invalid_input"
_NO_CONNECTOR: Final = "connector.not_found"


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


def refused(address: str, refusal: ManagementError) -> Outcome:
    """Return what a refusal by Logto to make an invitation means for its address."""
    if refusal.code == _SECOND_PENDING:
        return Outcome(
            address, OutcomeKind.ALREADY_INVITED, "Already invited. The invitation is still pending."
        )
    if refusal.code == _SHARED_CODE and refusal.status == 422:
        return Outcome(address, OutcomeKind.ALREADY_MEMBER, "Already a member of the organization.")
    error = explained(refusal)
    is_all = isinstance(error, LogtoUnavailable | RateLimited)  # the others would fare no better
    return Outcome(address, OutcomeKind.NOT_TRIED if is_all else OutcomeKind.FAILED, error.detail)


def why_not_sent(refusal: ManagementError) -> str:
    """Return why Logto did not send a message, and what to do instead."""
    if refusal.status == 429:
        return (
            "Logto limits how many emails it sends to one address within ten minutes. Copy the link instead."
        )
    if refusal.code.startswith("connector.") and refusal.code != _NO_CONNECTOR:
        log.warning("logto could not send an invitation", status=refusal.status, logto_code=refusal.code)
        return "Logto’s email service did not accept the message. Copy the link instead."
    return explained(refusal).detail
