"""Every error a person or a program may be shown, as types. No web framework here.

Raised where a rule is broken, rendered in one place (:mod:`saas_app.web.error_pages`): as a page, or as
``application/problem+json`` (RFC 9457) below ``/api``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from saas_app.text.sentences import Sentence

if TYPE_CHECKING:
    from saas_app.rbac.decision import Decision


class AppError(Exception):
    """A refusal or failure with an HTTP status, a stable code, a title and a sentence for the reader."""

    status = 500
    code = "internal"
    title = "Something went wrong"

    def __init__(self, detail: str = "", *, title: str = "", retry_after: int | None = None) -> None:
        """``detail`` and ``title`` are written with ``isolated`` around names; see :class:`Sentence`."""
        if title:
            self.title = Sentence(title)
        self.detail = Sentence(detail)
        super().__init__(self.detail or self.title)
        self.retry_after = retry_after  # seconds, sent as Retry-After


class BadRequest(AppError):
    """The request cannot be understood."""

    status, code, title = 400, "bad-request", "The request could not be understood"


class SignInRequired(AppError):
    """No credential, or one that has ended. Pages answer with a way to sign in and back."""

    status, code, title = 401, "sign-in-required", "Sign in to continue"


class InvalidToken(AppError):
    """A bearer token that is not acceptable: RFC 6750's ``invalid_token``. Says why, never the token."""

    status, code, title = 401, "invalid-token", "The token is not accepted"


class FreshSignInRequired(AppError):
    """The sign-in is older than this action allows (RFC 9470 §3). ``max_age`` in seconds."""

    status, code, title = 401, "insufficient-user-authentication", "Sign in again to continue"

    def __init__(self, detail: str, *, max_age: int) -> None:
        super().__init__(detail)
        self.max_age = max_age


class SignatureRejected(AppError):
    """A program's request that does not carry the signature it must carry."""

    status, code, title = 401, "signature-rejected", "Invalid signature"


class CrossSiteRequest(AppError):
    """A changing request that did not come from our own pages."""

    status, code, title = 403, "cross-site-request", "This request came from another site"


class PermissionDenied(AppError):
    """A member without the permission. Carries the decision, so that the refusal explains itself."""

    status, code, title = 403, "permission-denied", "Your role does not allow this"

    def __init__(self, decision: Decision, detail: str = "") -> None:
        super().__init__(detail or decision.decided_by.explanation)
        self.decision = decision


class AssignmentDenied(PermissionDenied):
    """A role that holds more than the caller: nobody gives what they do not have."""

    title = "You cannot assign this role"


class MfaRequired(AppError):
    """The organization asks for a second factor and the member has none (Logto 1.42: 403)."""

    status, code, title = 403, "mfa-required", "This organization requires a second factor"


class NotFound(AppError):
    """No such thing, or nothing the caller may know of: a stranger cannot tell the two apart."""

    status, code, title = 404, "not-found", "Not found"


class UnsupportedMediaType(AppError):
    """A body in a format that is not accepted there."""

    status, code, title = 415, "unsupported-media-type", "Unsupported format"


class MisdirectedRequest(AppError):
    """The request names a host that is not ours (RFC 9110 §15.5.20)."""

    status, code, title = 421, "misdirected-request", "Unknown host name"


class VersionConflict(AppError):
    """Somebody else saved first. The page shows both sides; nothing was overwritten."""

    status, code, title = 409, "version-conflict", "This has changed since you opened it"

    def __init__(
        self, detail: str = "Another change was saved after you opened it. Nothing was overwritten."
    ) -> None:
        super().__init__(detail)


class Busy(AppError):
    """Somebody else is at it; trying again helps."""

    status, code, title = 409, "busy", "Another change is in progress"


class Conflict(AppError):
    """The request is understood and allowed, but does not fit how things stand now."""

    status, code, title = 409, "conflict", "Conflict with the current state"


class ManagementNotSetUp(AppError):
    """The application runs without credentials for Logto's Management API."""

    status, code, title = 409, "management-not-set-up", "Logto’s Management API is not set up"

    def __init__(self) -> None:
        super().__init__(
            "This installation has no credentials for the Logto Management API, which is "
            "needed to change organizations, members and invitations. The operator can set "
            "LOGTO_MANAGEMENT_APP_ID and its secret, or use Logto Console."
        )


class PreconditionFailed(AppError):
    """``If-Match`` names a version that is not the current one (RFC 9110 §15.5.13). Nothing was changed."""

    status, code, title = 412, "precondition-failed", "This has changed since you opened it"


class PreconditionRequired(AppError):
    """An edit without ``If-Match`` (RFC 6585 §3): it could overwrite what somebody else saved."""

    status, code, title = 428, "precondition-required", "Version required"


class Invalid(AppError):
    """Well-formed input that breaks a rule. ``fields`` maps a field's name to what is wrong with it."""

    status, code, title = 422, "invalid", "Check what you entered"

    def __init__(self, detail: str = "", *, fields: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.fields: dict[str, str] = {name: Sentence(wrong) for name, wrong in (fields or {}).items()}


class RateLimited(AppError):
    """Asked too often. ``retry_after`` says when asking again makes sense."""

    status, code, title = 429, "too-many-requests", "Too many requests"


class LogtoUnavailable(AppError):
    """Logto did not answer in time, or answered with a failure of its own. It heals by itself."""

    status, code, title = 503, "logto-unavailable", "The sign-in provider is unavailable"

    def __init__(self, detail: str = "", *, retry_after: int = 5) -> None:
        super().__init__(detail, retry_after=retry_after)


class DatabaseUnavailable(AppError):
    """The database did not answer. It heals by itself; a change under way may or may not be saved."""

    status, code, title = 503, "database-unavailable", "The database is unavailable"

    def __init__(self, detail: str = "", *, retry_after: int = 5) -> None:
        super().__init__(detail, retry_after=retry_after)


class DatabaseBusy(DatabaseUnavailable):
    """Too much is waiting for the database, or another program holds its lock. Nothing was changed."""

    code, title = "database-busy", "The database is busy"


class SignInFailed(AppError):
    """Logto refused a sign-in, or what came back from it is not acceptable.

    ``next_path`` is where it would have led, where that is known: another sign-in can lead there.
    """

    status, code, title = 400, "sign-in-failed", "Sign-in failed"

    def __init__(self, detail: str = "", *, next_path: str = "") -> None:
        super().__init__(detail)
        self.next_path = next_path


class OpenedBySomebodyElse(AppError):
    """A form of a page that was made for another person than the one who is signed in now."""

    status, code, title = 409, "opened-by-somebody-else", "This page was opened by another account"


class ConfigurationError(Exception):
    """Something needed to start is missing or wrong; the text says what to do."""
