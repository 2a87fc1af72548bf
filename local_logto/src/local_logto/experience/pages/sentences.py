"""Error messages on pages: the error's own message, or one that says what to do next."""

from __future__ import annotations

from collections.abc import Mapping

from local_logto.errors import RequestError
from local_logto.experience.code_delivery import UnsentMessage
from local_logto.experience.json_access import mapping, mappings, text
from local_logto.translation import _, paragraph

_ON_PAGES = {
    "session.mfa.backup_code_can_not_be_alone": _("Add an authenticator app before you create backup codes."),
    "session.mfa.mfa_factor_not_enabled": _("This method isn’t available."),
    "session.mfa.invalid_totp_code": _(
        "That code is incorrect. Enter the code that your app shows now. Each code works once."
    ),
    "session.mfa.invalid_backup_code": _("That backup code is incorrect or was already used."),
    "request.message_rate_limited": _(
        "Too many messages were sent to this address. Wait ten minutes, or try another way."
    ),
    "verification_code.exceed_max_try": _("Too many incorrect codes. Request a new one."),
    "verification_code.expired": _("This code has expired. Request a new one."),
    "verification_code.not_found": _("This code was already used. Request a new one."),
}
_UNSENT = _("The message could not be sent. Try again in a moment, or try another way.")
_UNSENDABLE = _("This server can’t send messages of this kind: no connector is set up. Try another way.")


def sentence_of(error: RequestError) -> str:
    """Return the message for the person. A connector's report about its provider is not shown."""
    if isinstance(error, UnsentMessage):
        return _UNSENDABLE if error.code == "connector.not_found" else _UNSENT
    if error.code == "password.rejected":
        reasons = mappings({"reasons": error.data}, "reasons")
        return paragraph(*(_reason_sentence(reason) for reason in reasons))
    return _ON_PAGES.get(error.code, error.message)


def _reason_sentence(reason: Mapping[str, object]) -> str:
    code = (text(reason, "code") or "").removeprefix("password_rejected.")
    limits = mapping(reason, "interpolation")
    return {
        "too_short": _("Use at least %(min)s characters.", min=limits.get("min")),
        "too_long": _("Use at most %(max)s characters.", max=limits.get("max")),
        "character_types": _(
            "Use at least %(min)s of: lowercase letters, uppercase letters, digits, symbols.",
            min=limits.get("min"),
        ),
        "unsupported_characters": _("Use only letters without accents, digits and common symbols."),
        "restricted.repetition": _("Avoid repeated characters."),
        "restricted.sequence": _("Avoid sequences such as 123 or abc."),
        "restricted.user_info": _("Avoid your own name or address."),
        "restricted.words": _("Avoid words that belong to this product."),
    }[code]
