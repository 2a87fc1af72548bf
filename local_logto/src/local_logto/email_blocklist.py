"""``emailBlocklistPolicy``: email addresses that people may not use on the pages. Pure except for its errors.

An item is an address, or a domain after ``@``. ``*`` matches any characters, and case is ignored. Addresses
that the Management API sets are not checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from local_logto.errors import RequestError
from local_logto.refusals import refusal
from local_logto.translation import _

_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_PLAIN: Final = re.compile(rf"(?:[^\s@]+)?@{_LABEL}(?:\.{_LABEL})+")
_LISTS: Final = ("customAllowlist", "customBlocklist")


def checked(policy: Mapping[str, Any]) -> dict[str, Any]:
    """Return the policy without duplicate items. Raises 400 for items that are neither an address nor a
    domain.
    """
    if policy.get("blockDisposableAddresses"):
        raise RequestError(
            400,
            "request.invalid_input",
            "Input is invalid. Disposable email domain validation is not supported in this environment",
        )
    return {**policy, **{name: _checked_items(policy[name]) for name in _LISTS if name in policy}}


def refuse_blocked(policy: Mapping[str, Any], email: str | None) -> None:
    """Raise 422 ``session.email_blocklist.…`` if the policy rejects the address."""
    if email is None:
        return
    local, _at, domain = email.partition("@")
    if not domain:
        raise refusal("session.email_blocklist.invalid_email")
    if policy.get("blockSubaddressing") and "+" in local:
        raise refusal("session.email_blocklist.email_subaddressing_not_allowed")
    allowed, blocked = (policy.get(name) or [] for name in _LISTS)
    if (allowed and not _is_among(email, allowed)) or _is_among(email, blocked):
        sentence = _(
            'The email address "%(email)s" is restricted. Please choose a different one.', email=email
        )
        raise RequestError(422, "session.email_blocklist.email_not_allowed", sentence)


def _checked_items(items: Iterable[str]) -> list[str]:
    unique = list(dict.fromkeys(items))
    wrong = [item for item in unique if not _is_item(item)]
    if wrong:
        listed = wrong[0] if len(wrong) == 1 else f"{', '.join(wrong[:-1])} and {wrong[-1]}"
        raise RequestError(
            400,
            "sign_in_experiences.invalid_custom_email_blocklist_format",
            f"Invalid custom email blocklist items: {listed}. Each item must be a valid email address or "
            "email domain, e.g., foo@example.com or @example.com.",
        )
    return unique


def _is_item(item: str) -> bool:
    if "*" not in item:
        return _PLAIN.fullmatch(item) is not None
    _, at, domain = item.partition("@")
    if not at or "@" in domain or re.search(r"\s", item):
        return False
    labels = domain.split(".")
    return len(labels) > 1 and all(labels) and set(domain) - set("*.") != set()


def _is_among(email: str, items: Iterable[str]) -> bool:
    address = email.lower()
    domain = address.split("@")[1]
    return any(
        _matches(item[1:], domain) if item.startswith("@") else _matches(item, address)
        for item in map(str.lower, items)
    )


def _matches(pattern: str, text: str) -> bool:
    return re.fullmatch(".*".join(re.escape(part) for part in pattern.split("*")), text) is not None
