"""Limits on actions that cost others something: new organizations, invitations, changes in Logto.

Pages and the API count together, across workers, in the database, because these limits last a day and a
process may not. If one of several limits is reached, none of the others is counted.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from saas_app import signals
from saas_app.config import Rate, Settings
from saas_app.errors import RateLimited
from saas_app.limits.requests import Counters, Policy, Standing, Windows
from saas_app.text.translation import _

Claim: TypeAlias = tuple[Policy, str]
"""A policy, and who or what is counted."""

_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


class LimitReached(RateLimited):
    """The caller has reached a limit. ``resets_at`` is when the limit ends."""

    title = _("You have reached a limit")

    def __init__(self, standing: Standing, now: float) -> None:
        policy = standing.policy
        words, noun = _WORDS[policy.name]
        super().__init__(
            f"{words.format(count=_counted(policy.rate.amount, noun))} in "
            f"{_window(policy.rate)}. Try again in {in_words(standing.reset)}.",
            retry_after=standing.reset,
        )
        self.policy = policy
        self.resets_at = datetime.fromtimestamp(now, UTC) + timedelta(seconds=standing.reset)


_WORDS = {
    "new-organizations": ("One person can create {count}", "organization"),
    "inviter": ("One person can send {count}", "invitation"),
    "inviting-organization": ("An organization can send {count}", "invitation"),
    "invited-address": ("One address can receive {count}", "invitation"),
    "changes": ("You can make {count} to members, invitations, settings and API clients", "change"),
}


class ChangeLimits(Windows):
    """The limits of this installation on changes."""

    def __init__(
        self, settings: Settings, counters: Counters, clock: Callable[[], float] = time.time
    ) -> None:
        super().__init__(counters, clock)
        self.new_organizations = Policy("new-organizations", settings.rate_limit_new_organizations)
        self.inviter = Policy("inviter", settings.rate_limit_invitations_user)
        self.inviting_organization = Policy(
            "inviting-organization", settings.rate_limit_invitations_organization
        )
        self.invited_address = Policy("invited-address", settings.rate_limit_invitations_address)
        self.changes = Policy("changes", settings.rate_limit_changes)

    async def spend(self, *claims: Claim) -> tuple[Standing, ...]:
        """Count each claim once. Raises :class:`LimitReached`, and then counts none of them."""
        spent: list[Standing] = []
        for policy, who in claims:
            spent.append(await self.count(policy, who))
            if spent[-1].is_exceeded:
                await self.give_back(*spent)
                signals.limit_reached.send(limit=policy.name)
                raise LimitReached(spent[-1], self._clock())
        return tuple(spent)

    @asynccontextmanager
    async def spend_unless_failed(self, *claims: Claim) -> AsyncIterator[None]:
        """Count each claim, and undo the counts if the block raises, because then nothing was done."""
        spent = await self.spend(*claims)
        try:
            yield
        except BaseException:
            await self.give_back(*spent)
            raise


def in_words(seconds: int) -> str:
    """Return a duration in words, rounded up: ``40 seconds``, ``3 hours``."""
    for length, unit in _UNITS:
        if seconds >= length:
            return _counted(-(-seconds // length), unit)
    return "a moment"


def _window(rate: Rate) -> str:
    for length, unit in _UNITS:
        if rate.seconds % length == 0:
            count = rate.seconds // length
            return f"{'an' if unit == 'hour' else 'a'} {unit}" if count == 1 else _counted(count, unit)
    return f"{rate.seconds} seconds"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
