"""Limits on actions that cost others something, such as organizations, invitations and changes in Logto.

Pages and the API count together, across workers, in the database, because these limits last a day and a
process may not. If one of several limits is reached, none of the others is counted.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

from saas_app import signals
from saas_app.config import Rate, Settings
from saas_app.errors import RateLimited
from saas_app.limits.requests import Counters, Policy, Standing, Windows
from saas_app.text.translation import Sentence, _, ngettext

_NEW_CLASSES: Final = Rate(20, 86_400)
_NEW_LINKS: Final = Rate(10, 86_400)
_ACCESS_REQUESTS: Final = Rate(20, 86_400)  # each is emailed to everybody who could approve it
_CLASS_JOINS: Final = Rate(20, 3_600)  # of 25 billion codes

Claim: TypeAlias = tuple[Policy, str]
"""A policy, and who or what is counted."""

_UNITS: Final[tuple[tuple[int, Sentence, Callable[[int], Sentence]], ...]] = (
    (86_400, _("a day"), lambda count: ngettext("%(num)s day", "%(num)s days", count)),
    (3_600, _("an hour"), lambda count: ngettext("%(num)s hour", "%(num)s hours", count)),
    (60, _("a minute"), lambda count: ngettext("%(num)s minute", "%(num)s minutes", count)),
    (1, _("a second"), lambda count: ngettext("%(num)s second", "%(num)s seconds", count)),
)
"""Units of time, from the largest: their seconds, one of them, and several."""


class LimitReached(RateLimited):
    """The caller has reached a limit. ``resets_at`` is when the limit ends."""

    title = _("You have reached a limit")

    def __init__(self, standing: Standing, now: float) -> None:
        policy = standing.policy
        limit = _LIMITS[policy.name](policy.rate.amount, _window(policy.rate))
        super().__init__(
            _("%(limit)s Try again in %(time)s.", limit=limit, time=in_words(standing.reset)),
            retry_after=standing.reset,
        )
        self.policy = policy
        self.resets_at = datetime.fromtimestamp(now, UTC) + timedelta(seconds=standing.reset)


_LIMITS: Final[Mapping[str, Callable[[int, Sentence], Sentence]]] = {
    "new-organizations": lambda count, window: ngettext(
        "One person can create %(num)s organization in %(window)s.",
        "One person can create %(num)s organizations in %(window)s.",
        count,
        window=window,
    ),
    "inviter": lambda count, window: ngettext(
        "One person can send %(num)s invitation in %(window)s.",
        "One person can send %(num)s invitations in %(window)s.",
        count,
        window=window,
    ),
    "inviting-organization": lambda count, window: ngettext(
        "An organization can send %(num)s invitation in %(window)s.",
        "An organization can send %(num)s invitations in %(window)s.",
        count,
        window=window,
    ),
    "invited-address": lambda count, window: ngettext(
        "One address can receive %(num)s invitation in %(window)s.",
        "One address can receive %(num)s invitations in %(window)s.",
        count,
        window=window,
    ),
    "new-links": lambda count, window: ngettext(
        "One address can receive %(num)s new link in %(window)s.",
        "One address can receive %(num)s new links in %(window)s.",
        count,
        window=window,
    ),
    "access-requests": lambda count, window: ngettext(
        "One person can ask for access %(num)s time in %(window)s.",
        "One person can ask for access %(num)s times in %(window)s.",
        count,
        window=window,
    ),
    "changes": lambda count, window: ngettext(
        "You can make %(num)s change to members, invitations, settings and API clients in %(window)s.",
        "You can make %(num)s changes to members, invitations, settings and API clients in %(window)s.",
        count,
        window=window,
    ),
    "new-classes": lambda count, window: ngettext(
        "One person can start %(num)s class in %(window)s.",
        "One person can start %(num)s classes in %(window)s.",
        count,
        window=window,
    ),
    "class-joins": lambda count, window: ngettext(
        "One person can enter %(num)s join code in %(window)s.",
        "One person can enter %(num)s join codes in %(window)s.",
        count,
        window=window,
    ),
}
"""What each limit allows: a number, and the time in which it counts."""


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
        self.new_links = Policy("new-links", _NEW_LINKS)
        self.access_requests = Policy("access-requests", _ACCESS_REQUESTS)
        self.changes = Policy("changes", settings.rate_limit_changes)
        self.new_classes = Policy("new-classes", _NEW_CLASSES)
        self.class_joins = Policy("class-joins", _CLASS_JOINS)

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


def in_words(seconds: int) -> Sentence:
    """Return a duration in words, rounded up: ``40 seconds``, ``3 hours``."""
    for length, _one, counted in _UNITS:
        if seconds >= length:
            return counted(-(-seconds // length))
    return _("a moment")


def _window(rate: Rate) -> Sentence:
    for length, one, counted in _UNITS:
        if rate.seconds % length == 0:
            count = rate.seconds // length
            return one if count == 1 else counted(count)
    return _UNITS[-1][2](rate.seconds)
