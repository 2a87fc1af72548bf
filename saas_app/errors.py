"""The types of all errors that people and programs can see. Independent of the web framework.

They are raised where a rule is broken, and rendered in one place (:mod:`saas_app.web.error_pages`): as a
page, or as ``application/problem+json`` (RFC 9457) below ``/api``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from saas_app.text.translation import Sentence, _

if TYPE_CHECKING:
    from datetime import datetime

    from saas_app.rbac.decision import Decision

NOTHING: Final = Sentence("")
"""The detail of an error whose title says everything."""


class AppError(Exception):
    """An error with an HTTP status, a stable code, a title, and a sentence for the reader."""

    status = 500
    code = "internal"
    title: Sentence = _("Something went wrong")

    def __init__(
        self, detail: Sentence = NOTHING, *, title: Sentence = NOTHING, retry_after: int | None = None
    ) -> None:
        """Create an error. Put ``isolated()`` around names in both texts; see :class:`Sentence`."""
        if title:
            self.title = Sentence(title)
        self.detail = Sentence(detail)
        super().__init__(self.detail or self.title)
        self.retry_after = retry_after  # seconds, sent as Retry-After


class BadRequest(AppError):
    """The request cannot be understood."""

    status, code, title = 400, "bad-request", _("The request could not be understood")


class SignInRequired(AppError):
    """There is no credential, or it has expired. Pages redirect to sign-in and back."""

    status, code, title = 401, "sign-in-required", _("Sign in to continue")


class InvalidToken(AppError):
    """The bearer token is rejected (``invalid_token``, RFC 6750). The detail never contains the token."""

    status, code, title = 401, "invalid-token", _("The token is not accepted")


class FreshSignInRequired(AppError):
    """The sign-in is older than ``max_age`` seconds, which this action requires (RFC 9470 §3)."""

    status, code, title = 401, "insufficient-user-authentication", _("Sign in again to continue")

    def __init__(self, detail: Sentence, *, max_age: int) -> None:
        super().__init__(detail)
        self.max_age = max_age


class SignatureRejected(AppError):
    """A webhook has no valid signature."""

    status, code, title = 401, "signature-rejected", _("Invalid signature")


class CrossSiteRequest(AppError):
    """A request that changes something did not come from our own pages."""

    status, code, title = 403, "cross-site-request", _("This request came from another site")


class PermissionDenied(AppError):
    """The member lacks the permission. ``decision`` explains the denial.

    ``names_attempt``: the missing permission says what the member tried to do.
    """

    names_attempt = True

    status, code, title = 403, "permission-denied", _("Your role does not allow this")

    def __init__(self, decision: Decision, detail: Sentence = NOTHING, *, title: Sentence = NOTHING) -> None:
        super().__init__(detail or decision.decided_by.explanation, title=title)
        self.decision = decision


class AssignmentDenied(PermissionDenied):
    """The role grants a permission that the caller does not hold, so they may not assign it."""

    title = _("You cannot assign this role")
    names_attempt = False


class AssignmentTooLong(AssignmentDenied):
    """The role would outlast the caller's own permissions. ``latest`` is the last end they can give it."""

    def __init__(self, decision: Decision, detail: Sentence, latest: datetime) -> None:
        super().__init__(decision, detail)
        self.latest = latest


class MfaRequired(AppError):
    """The organization requires a second factor, and the member has none (Logto 1.42: 403)."""

    status, code, title = 403, "mfa-required", _("This organization requires a second factor")


class SsoRequired(AppError):
    """The organization requires its single sign-on, and the caller did not sign in that way.

    Only members get it. ``connector_id`` is the enterprise connector at Logto, ``provider`` its name for
    people, and ``organization`` the organization's name.
    """

    status, code, title = 403, "sso-required", _("This organization requires single sign-on")

    def __init__(
        self, detail: Sentence, *, connector_id: str, provider: str, organization_id: str, organization: str
    ) -> None:
        super().__init__(detail)
        self.connector_id, self.provider = connector_id, provider
        self.organization_id, self.organization = organization_id, organization


class NotFound(AppError):
    """The item does not exist, or the caller may not know about it. A stranger cannot tell the two apart."""

    status, code, title = 404, "not-found", _("Not found")


class UnsupportedMediaType(AppError):
    """The body has a format that is not accepted there."""

    status, code, title = 415, "unsupported-media-type", _("Unsupported format")


class MisdirectedRequest(AppError):
    """The request names a host that is not ours (RFC 9110 §15.5.20)."""

    status, code, title = 421, "misdirected-request", _("Unknown host name")


class VersionConflict(AppError):
    """Another change was saved first. Nothing was overwritten. The page shows both versions."""

    status, code, title = 409, "version-conflict", _("This has changed since you opened it")

    def __init__(self, detail: Sentence = NOTHING) -> None:
        super().__init__(
            detail or _("Another change was saved after you opened it. Nothing was overwritten.")
        )


class Busy(AppError):
    """Another change of the same item is in progress. Trying again helps."""

    status, code, title = 409, "busy", _("Another change is in progress")


class Conflict(AppError):
    """The request is valid and allowed, but conflicts with the current state."""

    status, code, title = 409, "conflict", _("Conflict with the current state")


class ManagementNotSetUp(AppError):
    """The application has no credentials for Logto's Management API."""

    status, code, title = 409, "management-not-set-up", _("Logto’s Management API is not set up")

    def __init__(self) -> None:
        super().__init__(
            _(
                "This installation has no credentials for the Logto Management API, which is "
                "needed to change organizations, members and invitations. The operator can set "
                "LOGTO_MANAGEMENT_APP_ID and its secret, or use Logto Console."
            )
        )


class PreconditionFailed(AppError):
    """``If-Match`` names a version that is not the current one (RFC 9110 §15.5.13). Nothing was changed."""

    status, code, title = 412, "precondition-failed", _("This has changed since you opened it")


class PreconditionRequired(AppError):
    """An edit has no ``If-Match`` (RFC 6585 §3), so it could overwrite another change."""

    status, code, title = 428, "precondition-required", _("Version required")


class Invalid(AppError):
    """The input is well-formed but breaks a rule. ``fields`` maps field names to error messages."""

    status, code, title = 422, "invalid", _("Check what you entered")

    def __init__(self, detail: Sentence = NOTHING, *, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.fields: dict[str, str] = {name: Sentence(wrong) for name, wrong in (fields or {}).items()}


class RateLimited(AppError):
    """The caller has sent too many requests. ``retry_after`` says when to try again."""

    status, code, title = 429, "too-many-requests", _("Too many requests")


class LogtoUnavailable(AppError):
    """Logto did not respond in time, or has an internal problem. Usually temporary."""

    status, code, title = 503, "logto-unavailable", _("The sign-in provider is unavailable")

    def __init__(self, detail: Sentence = NOTHING, *, retry_after: int = 5) -> None:
        super().__init__(detail, retry_after=retry_after)


class DatabaseUnavailable(AppError):
    """The database did not respond. Usually temporary. A change in progress may or may not be saved."""

    status, code, title = 503, "database-unavailable", _("The database is unavailable")

    def __init__(self, detail: Sentence = NOTHING, *, retry_after: int = 5) -> None:
        super().__init__(detail, retry_after=retry_after)


class DatabaseBusy(DatabaseUnavailable):
    """Too many requests wait for the database, or another program holds its lock. Nothing was changed."""

    code, title = "database-busy", _("The database is busy")


class SignInFailed(AppError):
    """Logto rejected a sign-in, or its response is invalid.

    ``next_path`` is the page that the sign-in would have opened, if it is known, for another attempt.
    ``connector_id`` is the organization's connector through which another attempt may succeed, or "".
    ``is_test``: it was only a test of single sign-on, by a person who was signed in.
    """

    status, code, title = 400, "sign-in-failed", _("Sign-in failed")

    def __init__(self, detail: Sentence = NOTHING, *, next_path: str = "", connector_id: str = "") -> None:
        super().__init__(detail)
        self.next_path = next_path
        self.connector_id = connector_id
        self.is_test = False


class SignInAgain(SignInFailed):
    """Logto no longer knows how the browser signed in there, so the person has to sign in again."""


class FormOfAnotherAccount(AppError):
    """The form's page was made for a different person than the one who is signed in now."""

    status, code, title = 409, "opened-by-somebody-else", _("This page was opened by another account")


class ConfigurationError(Exception):
    """A setting or file that is needed to start is missing or wrong. ``message`` says what to do."""

    def __init__(self, message: str) -> None:
        self.message = Sentence(message)
        super().__init__(self.message)
