"""Rate limits for requests: quotas, counted in this process or in Redis.

Each request is counted by one atomic increment of a fixed window, so a limit holds however many requests
arrive at once. The window's number comes from the clock and is part of the counter's key, so it resets on
every worker at the same moment. Windows of different callers begin at different moments, so that callers do
not all return at once. Independent of the web framework; :mod:`saas_app.web.limits` decides which requests
are counted for whom.
"""

from __future__ import annotations

import math
import time
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Protocol

from saas_app.config import MEMORY, Rate, Settings
from saas_app.limits.slow_lane import SlowLane

_SWEEP_INTERVAL: Final = 10.0  # seconds between two searches for expired counters


@dataclass(frozen=True, slots=True)
class Policy:
    """A quota of requests in a window of some seconds. ``name`` says who it is for."""

    name: str
    rate: Rate

    def __str__(self) -> str:
        """Return an item of ``RateLimit-Policy`` (draft-ietf-httpapi-ratelimit-headers-10 §3)."""
        return f'"{self.name}";q={self.rate.amount};w={self.rate.seconds}'


@dataclass(frozen=True, slots=True)
class Standing:
    """The state of a caller's quota. ``used`` includes this request; ``reset`` is in seconds, at least 1."""

    policy: Policy
    counter: str
    used: int
    reset: int

    @property
    def is_exceeded(self) -> bool:
        """Return whether this request exceeds the quota."""
        return self.used > self.policy.rate.amount

    def __str__(self) -> str:
        """Return an item of ``RateLimit`` (draft-ietf-httpapi-ratelimit-headers-10 §4)."""
        return f'"{self.policy.name}";r={max(0, self.policy.rate.amount - self.used)};t={self.reset}'


class Counters(Protocol):
    """A storage for counters; :class:`limits.aio.storage.Storage` is one."""

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Add to a counter that expires ``expiry`` seconds after its first use, and return its value."""


class ProcessCounters:
    """Counters of this process. The storage of ``limits`` would visit every counter in every call."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._counters: dict[str, tuple[int, float]] = {}
        self._sweep_at = clock() + _SWEEP_INTERVAL

    def __len__(self) -> int:
        return len(self._counters)

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Add to a counter. Nothing is awaited, so nothing comes between reading and writing."""
        now = self._clock()
        if now >= self._sweep_at:
            self._counters = {name: kept for name, kept in self._counters.items() if kept[1] > now}
            self._sweep_at = now + _SWEEP_INTERVAL
        used, until = self._counters.get(key, (0, 0.0))
        if until <= now:
            used, until = 0, now + expiry
        self._counters[key] = (used + amount, until)
        return used + amount


class Windows:
    """Counts a caller's uses of a policy, window by window. ``clock`` returns Unix seconds."""

    def __init__(self, counters: Counters, clock: Callable[[], float] = time.time) -> None:
        self._counters = counters
        self._clock = clock

    async def count(self, policy: Policy, who: str) -> Standing:
        """Count one request of a caller, even if it exceeds the quota."""
        window, key = policy.rate.seconds, f"{policy.name}:{who}"
        moment = self._clock() + zlib.crc32(key.encode()) % window
        counter = f"{key}:{int(moment // window)}"
        used = await self._counters.incr(counter, window)
        return Standing(policy, counter, used, max(1, math.ceil(window - moment % window)))

    async def give_back(self, *standings: Standing) -> None:
        """Undo a count that was made in advance for something that did not happen."""
        for standing in standings:
            await self._counters.incr(standing.counter, standing.policy.rate.seconds, -1)


class RateLimits(Windows):
    """The rate limits of this installation."""

    def __init__(
        self, settings: Settings, counters: Counters, clock: Callable[[], float] = time.time
    ) -> None:
        super().__init__(counters, clock)
        self.client = Policy("client", settings.rate_limit_client)
        self.user = Policy("user", settings.rate_limit_user)
        self.organization = Policy("organization", settings.rate_limit_organization)
        self.address = Policy("address", settings.rate_limit_address)
        self.slow_lane = SlowLane()


@asynccontextmanager
async def open_rate_limits(settings: Settings) -> AsyncIterator[RateLimits]:
    """Open the limits with the storage that the settings name. Redis need not be running yet."""
    if settings.rate_limit_storage == MEMORY:
        yield RateLimits(settings, ProcessCounters())
        return
    from saas_app.limits.redis_counters import open_redis  # imports a library that few installations need

    async with open_redis(settings.rate_limit_storage) as counters:
        yield RateLimits(settings, counters)
