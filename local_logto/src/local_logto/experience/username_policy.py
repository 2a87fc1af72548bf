"""Which usernames Logto accepts. Pure: no database, no request."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from local_logto.experience.json_access import boolean, integer, mapping

USERNAME_PATTERN = r"^[A-Z_a-z][A-Za-z0-9_]*$"
_USERNAME = re.compile(r"[A-Z_a-z][A-Za-z0-9_]*")


@dataclass(frozen=True)
class UsernamePolicy:
    """``usernamePolicy`` of the sign-in experience."""

    case_sensitive: bool = True
    min_length: int = 1
    max_length: int = 128
    allows_lowercase: bool = True
    allows_uppercase: bool = True
    allows_numbers: bool = True
    allows_underscore: bool = True

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> UsernamePolicy:
        allowed = mapping(value, "allowedChars")
        return cls(
            case_sensitive=boolean(value, "caseSensitive", default=True),
            min_length=integer(value, "minLength", 1),
            max_length=integer(value, "maxLength", 128),
            allows_lowercase=boolean(allowed, "lowercase", default=True),
            allows_uppercase=boolean(allowed, "uppercase", default=True),
            allows_numbers=boolean(allowed, "numbers", default=True),
            allows_underscore=boolean(allowed, "underscore", default=True),
        )


def find_username_violation(username: str, policy: UsernamePolicy) -> str | None:
    """Return the first violation, as the end of Logto's code ``user.username_<violation>``, or None."""
    rules = (
        ("required", username == ""),
        ("starts_with_number", username[:1].isdigit()),
        ("invalid_charset_hard", not _USERNAME.fullmatch(username)),
        ("too_short", len(username) < policy.min_length),
        ("too_long", len(username) > policy.max_length),
        ("uppercase_not_allowed", not policy.allows_uppercase and _has(r"[A-Z]", username)),
        ("lowercase_not_allowed", not policy.allows_lowercase and _has(r"[a-z]", username)),
        ("numbers_not_allowed", not policy.allows_numbers and _has(r"[0-9]", username)),
        ("underscore_not_allowed", not policy.allows_underscore and "_" in username),
    )
    return next((violation for violation, broken in rules if broken), None)


def _has(pattern: str, username: str) -> bool:
    return re.search(pattern, username) is not None
