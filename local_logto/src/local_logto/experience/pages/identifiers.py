"""The identifier field, and how identifiers are parsed and displayed. Pure.

Logto stores a phone number as bare digits with the country code. People type it in many ways.
"""

from __future__ import annotations

import re

from local_logto.errors import RequestError
from local_logto.experience.pages.forms import LONGEST_INPUT, Field
from local_logto.experience.sign_in_experience import IDENTIFIER_TYPES
from local_logto.experience.state import Identifier
from local_logto.translation import Sentence, _, either, joined

_LABELS = {"username": _("Username"), "email": _("Email"), "phone": _("Phone number")}
_KINDS = {"username": _("username"), "email": _("email"), "phone": _("phone number")}
_AUTOCOMPLETE = {"username": "username", "email": "email", "phone": "tel"}
_INPUT_TYPES = {"username": "text", "email": "email", "phone": "tel"}
_EMAIL = re.compile(r"\S+@\S+\.\S+")
_PHONE = re.compile(r"[1-9][0-9]{6,14}")  # E.164: the country code first, fifteen digits at most
_PHONE_PUNCTUATION = re.compile(r"\(0\)|[\s().\-–/]")
_INVALID = {
    "email": _("The email is invalid. Enter an address such as name@example.com."),
    "phone": _("The phone number is invalid. Start with the country code, such as +44 7700 900123."),
}


def identifier_field(types: tuple[str, ...], value: str = "") -> Field:
    """Return the field for the enabled identifiers: ``Username``, ``Email`` or ``Username / Email``."""
    ordered = [name for name in IDENTIFIER_TYPES if name in types]
    only = ordered[0] if len(ordered) == 1 else None
    return Field(
        "identifier",
        joined(" / ", [_LABELS[name] for name in ordered]),
        type=_INPUT_TYPES[only] if only else "text",
        autocomplete=_AUTOCOMPLETE[only] if only else "username",
        value=value[:LONGEST_INPUT],
    )


def read_identifier(typed: str, types: tuple[str, ...]) -> Identifier:
    """Parse what was typed into the form that Logto stores. Raises 422 if it matches no enabled type."""
    kind = _kind_of(typed, types)
    if kind == "email" and _EMAIL.fullmatch(typed):
        return Identifier("email", typed)
    if kind == "phone" and _PHONE.fullmatch(digits := _digits_of(typed)):
        return Identifier("phone", digits)
    if kind == "username":
        return Identifier("username", typed)
    sentence = _INVALID[kind] if kind else _("Enter a valid %(kinds)s.", kinds=kinds_of(types))
    raise RequestError(422, "guard.invalid_input", sentence)


def kinds_of(types: tuple[str, ...]) -> Sentence:
    """Return the types as a phrase: ``username, email, or phone number``."""
    return either([_KINDS[name] for name in IDENTIFIER_TYPES if name in types])


def shown(identifier: Identifier) -> str:
    """Return the identifier as people write it: a phone number with its plus sign."""
    return f"+{identifier.value}" if identifier.type == "phone" else identifier.value


def _kind_of(typed: str, types: tuple[str, ...]) -> str:
    """Return the type that the input looks like, or nothing if it looks like none."""
    if len(types) == 1:
        return types[0]
    if "email" in types and "@" in typed:
        return "email"
    digits = _digits_of(typed)
    if "phone" in types and digits.isascii() and digits.isdigit():
        return "phone"
    return "username" if "username" in types else ""


def _digits_of(typed: str) -> str:
    """Return a phone number without its punctuation: ``+44 (0)7700-900123``, ``0044 7700…``."""
    compact = _PHONE_PUNCTUATION.sub("", typed)
    return compact.removeprefix("+") if compact.startswith("+") else compact.removeprefix("00")
