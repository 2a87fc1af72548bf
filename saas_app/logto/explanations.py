"""Sentences for people about calls that Logto refused: one table, by status and code.

Logto's own messages are for developers. Where several refusals share a code, the table also looks at the
message (Logto 1.42). If Logto rejects our own credentials, people read that Logto cannot be used at the
moment, and the log tells the operator why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import structlog

from saas_app.errors import (
    AppError,
    BadRequest,
    Conflict,
    Invalid,
    LogtoUnavailable,
    NotFound,
    RateLimited,
)
from saas_app.logto.responses import ManagementError
from saas_app.text.translation import Sentence, _

log = structlog.get_logger(__name__)

_RETRY_AFTER: Final = 60  # seconds, if Logto does not say
_OWN_CREDENTIALS: Final = ("auth.", "oidc.")
_LIMIT: Final = ".limit_exceeded"  # of the subscription or of the system, with status 403 (Logto 1.42)


@dataclass(frozen=True, slots=True)
class _Case:
    """One refusal. ``says`` is part of its message, or "" if the code alone identifies it."""

    code: str
    says: str
    build: Callable[[Sentence], AppError]
    sentence: Sentence


_CASES: Final = (
    _Case(
        "connector.not_found",
        "",
        Conflict,
        _(
            "Logto has no email connector, so it cannot send emails. Copy the link and send it "
            "yourself, or ask the operator to add an email connector in Logto."
        ),
    ),
    _Case(
        "request.invalid_input",
        "must be in the future",
        Invalid,
        _("This time is in the past. Choose a time in the future."),
    ),
    _Case(
        "request.invalid_input",
        "already a member",
        Conflict,
        _("A person with this email address is already a member of the organization."),
    ),
    _Case(
        "request.invalid_input",
        "same email",
        Conflict,
        _("This invitation is for a different email address than the one in your account."),
    ),
    _Case(
        "request.invalid_input",
        "status of the invitation",
        Conflict,
        _("This invitation has already been accepted, was revoked, or has expired."),
    ),
    _Case(
        "organization.role_names_not_found",
        "",
        Conflict,
        _("A selected role does not exist in Logto. The operator can fix this with 'saas-app provision'."),
    ),
    _Case(
        "organization.require_membership",
        "",
        NotFound,
        _("This person is no longer a member of the organization."),
    ),
    _Case(
        "entity.db_constraint_violated",
        "",
        Invalid,
        _(
            "A selected role cannot be assigned here. Some roles are only for people, others "
            "only for API clients."
        ),
    ),
    _Case(
        "entity.relation_foreign_key_not_found",
        "",
        NotFound,
        _("The organization, the person or a selected role no longer exists."),
    ),
    _Case(
        "entity.unique_integrity_violation",
        "",
        Conflict,
        _("This already exists. The same request was made before and is still pending."),
    ),
    _Case("entity.value_too_long", "", Invalid, _("Something you entered is longer than Logto accepts.")),
    _Case("guard.invalid_input", "", Invalid, _("Logto does not accept something you entered.")),
    _Case("user.email_already_in_use", "", Conflict, _("An account with this email address already exists.")),
    _Case("user.username_already_in_use", "", Conflict, _("An account with this username already exists.")),
)


def explained(error: ManagementError) -> AppError:
    """Return the error to raise instead of a refusal, with a detail that people understand.

    A refusal that is not in the table gets a general sentence for its status, and a line in the log.
    """
    if error.code.endswith(_LIMIT):
        return Conflict(_("The limit in Logto has been reached. The operator can raise it."))
    if error.status in (401, 403) or error.code.startswith(_OWN_CREDENTIALS):
        log.error(
            "logto rejected our machine application; run 'saas-app doctor'",
            status=error.status,
            logto_code=error.code,
            reason=error.message,
        )
        return LogtoUnavailable(_("Logto is currently rejecting this application."), retry_after=_RETRY_AFTER)
    if error.status == 429:
        return RateLimited(
            _("Logto is receiving too many requests. Try again in a moment."),
            retry_after=error.retry_after or _RETRY_AFTER,
        )
    for case in _CASES:
        if error.code == case.code and case.says in error.message:
            return case.build(case.sentence)
    return _by_status(error)


@contextmanager
def explaining(gone: Callable[[], AppError] | None = None) -> Iterator[None]:
    """Within the block, replace a refusal by the error that :func:`explained` returns.

    ``gone`` creates the error for a 404, if a 404 has only one meaning there.
    """
    try:
        yield
    except ManagementError as refusal:
        if gone is not None and refusal.status == 404:
            raise gone() from None
        raise explained(refusal) from None


def _by_status(error: ManagementError) -> AppError:
    if error.status == 404:
        return NotFound(_("This item does not exist, or no longer exists."))
    log.warning("logto refused a call", status=error.status, logto_code=error.code, reason=error.message)
    if error.code.startswith("connector."):
        return Conflict(_("Logto could not send the email. Nothing was changed. Try again later."))
    if error.status == 422:
        return Conflict(_("Logto does not currently allow this."))
    if error.status == 400:
        return BadRequest(_("Logto did not accept this request."))
    return LogtoUnavailable(_("Logto could not complete this request. Try again in a moment."))
