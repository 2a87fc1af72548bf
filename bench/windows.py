"""Compares the cost of one count while others are counted, in our windows and in those of ``limits``.

Run it with ``python -m bench.windows``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter

from saas_app.config import Rate
from saas_app.limits.requests import Policy, ProcessCounters, Windows

COUNTS = 400
MANY = 1_000_000  # a limit that is never reached


async def microseconds(count: Callable[[], Awaitable[object]]) -> float:
    """Return the CPU time of one count, in microseconds."""
    began = time.process_time()
    for _ in range(COUNTS):
        await count()
        await asyncio.sleep(0)  # lets a background task of the library run, as between requests
    return (time.process_time() - began) / COUNTS * 1e6


async def compare(others: int) -> None:
    """Print the cost of a count and its reset time while this many others are counted too."""
    policy, windows = Policy("client", Rate(MANY, 60)), Windows(ProcessCounters())
    item, limiter = RateLimitItemPerMinute(MANY), FixedWindowRateLimiter(MemoryStorage())
    for number in range(others):
        await windows.count(policy, str(number))
        await limiter.hit(item, str(number))

    async def by_limits() -> None:
        await limiter.hit(item, "caller")
        await limiter.get_window_stats(item, "caller")

    ours = await microseconds(lambda: windows.count(policy, "caller"))
    theirs = await microseconds(by_limits)
    print(f"beside {others:,} others: {ours:.0f} µs by our windows, {theirs:.0f} µs by those of limits")  # noqa: T201


if __name__ == "__main__":
    for others in (10, 1_000, 10_000):
        asyncio.run(compare(others))
