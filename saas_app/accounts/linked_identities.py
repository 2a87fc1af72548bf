"""Social accounts that a person signs in with, from userinfo (scope ``identities``). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from saas_app.identity.offered_methods import OfferedMethods
from saas_app.text.order import order_key


@dataclass(frozen=True, slots=True)
class LinkedIdentity:
    """An account at a social provider. ``name`` and ``email`` are "" if the provider did not give any.

    Logto 1.42 does not store when an account was linked.
    """

    provider: str
    account_id: str
    name: str
    email: str


def linked_identities(user_info: Mapping[str, Any], offered: OfferedMethods) -> tuple[LinkedIdentity, ...]:
    """Read ``identities: {target: {userId, details?}}`` (Logto 1.42), sorted by the provider's name."""
    known = {button.target: button.name for button in offered.social}
    identities = user_info.get("identities")
    found = [
        _identity(known.get(target) or target.replace("-", " ").title(), identity)
        for target, identity in (identities.items() if isinstance(identities, dict) else ())
        if isinstance(identity, dict)
    ]
    return tuple(sorted(found, key=lambda identity: order_key(identity.provider)))


def _identity(provider: str, identity: Mapping[str, Any]) -> LinkedIdentity:
    details = identity.get("details")
    details = details if isinstance(details, dict) else {}
    return LinkedIdentity(
        provider=provider,
        account_id=_text(identity.get("userId")),
        name=_text(details.get("name")),
        email=_text(details.get("email")),
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
