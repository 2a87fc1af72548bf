"""Error messages on pages: the error's own message, or one that says what to do next."""

from __future__ import annotations

from collections.abc import Mapping

from local_logto.errors import RequestError
from local_logto.experience.code_delivery import UnsentMessage
from local_logto.experience.json_access import mapping, mappings, text

_ON_PAGES = {
    "session.mfa.backup_code_can_not_be_alone": "Add an authenticator app before you create backup codes.",
    "session.mfa.mfa_factor_not_enabled": "This method isn’t available.",
    "session.mfa.invalid_totp_code": (
        "That code is incorrect. Enter the code that your app shows now. Each code works once."
    ),
    "session.mfa.invalid_backup_code": "That backup code is incorrect or was already used.",
    "request.message_rate_limited": (
        "Too many messages were sent to this address. Wait ten minutes, or try another way."
    ),
    "verification_code.exceed_max_try": "Too many incorrect codes. Request a new one.",
    "verification_code.expired": "This code has expired. Request a new one.",
    "verification_code.not_found": "This code was already used. Request a new one.",
}
_UNSENT = "The message could not be sent. Try again in a moment, or try another way."
_UNSENDABLE = "This server can’t send messages of this kind: no connector is set up. Try another way."


def sentence_of(error: RequestError) -> str:
    """Return the message for the person. A connector's report about its provider is not shown."""
    if isinstance(error, UnsentMessage):
        return _UNSENDABLE if error.code == "connector.not_found" else _UNSENT
    if error.code == "password.rejected":
        reasons = mappings({"reasons": error.data}, "reasons")
        return " ".join(_reason_sentence(reason) for reason in reasons)
    return _ON_PAGES.get(error.code, error.message)


def _reason_sentence(reason: Mapping[str, object]) -> str:
    code = (text(reason, "code") or "").removeprefix("password_rejected.")
    limits = mapping(reason, "interpolation")
    return {
        "too_short": f"Use at least {limits.get('min')} characters.",
        "too_long": f"Use at most {limits.get('max')} characters.",
        "character_types": (
            f"Use at least {limits.get('min')} of: lowercase letters, uppercase letters, digits, symbols."
        ),
        "unsupported_characters": "Use only letters without accents, digits and common symbols.",
        "restricted.repetition": "Avoid repeated characters.",
        "restricted.sequence": "Avoid sequences such as 123 or abc.",
        "restricted.user_info": "Avoid your own name or address.",
        "restricted.words": "Avoid words that belong to this product.",
    }[code]
