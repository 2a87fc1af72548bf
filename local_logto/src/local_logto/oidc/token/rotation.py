"""When a refresh token is replaced, how long the next lives, when a used one counts as stolen. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

LEEWAY_MS: Final = 3_000
ROTATE_FROM_PERCENT: Final = 70
LONGEST_CHAIN_MS: Final = int(365.25 * 24 * 3600 * 1000)


@dataclass(frozen=True)
class RefreshTokenAge:
    """A refresh token in time, in epoch milliseconds; ``chain_started_at`` is the first one's issue."""

    created_at: int
    expires_at: int
    chain_started_at: int
    consumed_at: int | None


def is_reuse(age: RefreshTokenAge, now: int) -> bool:
    """Whether the token was replaced longer ago than concurrent requests explain."""
    return age.consumed_at is not None and age.consumed_at + LEEWAY_MS < now


def is_rotation_due(age: RefreshTokenAge, now: int, *, is_public: bool) -> bool:
    """Public clients rotate at every use, others once 70 % of the lifetime has passed; a year at most."""
    if now - age.chain_started_at >= LONGEST_CHAIN_MS:
        return False
    lifetime = max(age.expires_at - age.created_at, 1)
    return is_public or (now - age.created_at) * 100 // lifetime >= ROTATE_FROM_PERCENT


def lifetime_of_next(age: RefreshTokenAge, now: int, full_ms: int, *, keeps_expiry: bool) -> int:
    """Milliseconds: the full lifetime again, or what is left of it for a single-page application."""
    return max(age.expires_at - now, 0) if keeps_expiry else full_ms
