"""Phone numbers as Logto stores them: digits with the country code, without the zero of a local number.

``61 0412 345 678`` and ``61 412 345 678`` are one number. Accounts from older versions may have either.
"""

from __future__ import annotations

from collections.abc import Sequence

import phonenumbers

from local_logto.refusals import refusal


def stored(phone: str) -> str:
    """Return the stored form. Raises 422 ``user.invalid_phone`` if it is not a phone number."""
    parsed = _parse(phone)
    if parsed is None:
        raise refusal("user.invalid_phone")
    return f"{parsed.country_code}{phonenumbers.national_significant_number(parsed)}"


def spellings(phone: str) -> Sequence[str]:
    """Return every form in which an account may have the number, or only the input if it is not a phone
    number.
    """
    parsed = _parse(phone)
    if parsed is None:
        return [phone]
    local = phonenumbers.national_significant_number(parsed)
    return [f"{parsed.country_code}{local}", f"{parsed.country_code}0{local}"]


def _parse(phone: str) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(phone if phone.startswith("+") else f"+{phone}")
    except phonenumbers.NumberParseException:
        return None
