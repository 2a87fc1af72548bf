"""The pages for second factors, and the factors' labels. Pure.

Paths and labels are those of Logto's own pages.
"""

from __future__ import annotations

from local_logto.errors import RequestError
from local_logto.experience.json_access import strings
from local_logto.experience.pages.forms import Choice
from local_logto.experience.pages.responses import page_url
from local_logto.second_factors import BACKUP_CODE, EMAIL_CODE, PHONE_CODE, TOTP
from local_logto.translation import _

_VERIFY = {
    TOTP: (_("Authenticator app OTP"), _("Enter the one-time code in app")),
    BACKUP_CODE: (_("Backup code"), _("Paste the backup code you saved")),
    EMAIL_CODE: (_("Email verification code"), _("Enter the code sent to your email")),
    PHONE_CODE: (_("SMS verification code"), _("Enter the code sent to your phone")),
}
_ENROLL = {
    TOTP: (_("Authenticator app OTP"), _("E.g., Google Authenticator, etc.")),
    EMAIL_CODE: (_("Email verification code"), _("Link your email address")),
    PHONE_CODE: (_("SMS verification code"), _("Link your phone number")),
}
_ENROLL_PATHS = {TOTP: f"/mfa-binding/{TOTP}", EMAIL_CODE: "/continue/email", PHONE_CODE: "/continue/phone"}


def path_demanded_by(error: RequestError) -> str | None:
    """Return the page that a rejected submission leads to, or None if no second factor was missing."""
    kinds = strings(error.data, "availableFactors") if isinstance(error.data, dict) else ()
    if error.code == "session.mfa.require_mfa_verification":
        return f"/mfa-verification/{kinds[0]}" if kinds else "/mfa-verification"
    if error.code == "user.missing_mfa":
        return _ENROLL_PATHS[kinds[0]] if len(kinds) == 1 else "/mfa-binding"
    return {
        "session.mfa.backup_code_required": f"/mfa-binding/{BACKUP_CODE}",
        "user.suggest_mfa": "/mfa-onboarding",
    }.get(error.code)


def ways_to_verify(kinds: tuple[str, ...]) -> tuple[Choice, ...]:
    return tuple(Choice(*_VERIFY[kind], page_url(f"/mfa-verification/{kind}")) for kind in kinds)


def ways_to_enroll(kinds: tuple[str, ...]) -> tuple[Choice, ...]:
    return tuple(Choice(*_ENROLL[kind], page_url(_ENROLL_PATHS[kind])) for kind in kinds)
