"""When a refresh token is replaced, how long the next one lives, and when reuse counts as theft. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

LEEWAY_MS: Final = 3_000
ROTATE_FROM_PERCENT: Final = 70
LONGEST_CHAIN_MS: Final = int(365.25 * 24 * 3600 * 1000)


@dataclass(frozen=True)
class RefreshTokenAge:
    """The times of a refresh token in epoch milliseconds. ``chain_started_at`` is when the first one was
    issued.
    """

    created_at: int
    expires_at: int
    chain_started_at: int
    consumed_at: int | None


def is_reuse(age: RefreshTokenAge, now: int) -> bool:
    """Return whether the token was replaced so long ago that concurrent requests don't explain this use."""
    return age.consumed_at is not None and age.consumed_at + LEEWAY_MS < now


def is_rotation_due(age: RefreshTokenAge, now: int, *, is_public: bool) -> bool:
    """Return whether to rotate: at every use for public clients, after 70 % of the lifetime for others.

    A chain of tokens is not extended after a year.
    """
    if now - age.chain_started_at >= LONGEST_CHAIN_MS:
        return False
    lifetime = max(age.expires_at - age.created_at, 1)
    return is_public or (now - age.created_at) * 100 // lifetime >= ROTATE_FROM_PERCENT


def lifetime_of_next(age: RefreshTokenAge, now: int, full_ms: int, *, keeps_expiry: bool) -> int:
    """Return milliseconds: the full lifetime, or the rest of it for a single-page application."""
    return max(age.expires_at - now, 0) if keeps_expiry else full_ms
