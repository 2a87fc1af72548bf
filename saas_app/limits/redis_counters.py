"""Counters in Redis, with those of the process for the time in which Redis does not answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import structlog
from limits.aio.storage import RedisStorage
from limits.errors import StorageError

from saas_app.limits.requests import Counters, ProcessCounters

log = structlog.get_logger(__name__)

_PATIENCE: Final = 0.5  # seconds a request waits for Redis
_PAUSE: Final = 10.0  # seconds without a call to Redis after a failure
_LOG_INTERVAL: Final = 60.0  # seconds between two log lines about it
_CONNECTIONS: Final = 16


class RedisCounters:
    """Counters that all workers share. While Redis does not answer, each worker counts alone.

    A request waits for Redis for a moment at most. For ten seconds after a failure, only one request at a
    time checks whether Redis is back.
    """

    def __init__(self, redis: Counters, clock: Callable[[], float] = time.monotonic) -> None:
        self._redis = redis
        self._own = ProcessCounters(clock)
        self._clock = clock
        self._ask_again_at: float | None = None
        self._log_again_at = clock()

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Add to a counter in Redis, or in this process if Redis does not answer. Never fails."""
        if self._may_ask():
            try:
                async with asyncio.timeout(_PATIENCE):
                    count = await self._redis.incr(key, expiry, amount)
            except (StorageError, TimeoutError) as failure:
                self._failed(failure)
            else:
                self._answered()
                return count
        return await self._own.incr(key, expiry, amount)

    def _may_ask(self) -> bool:
        if self._ask_again_at is None:
            return True
        if self._clock() < self._ask_again_at:
            return False
        self._ask_again_at = self._clock() + _PAUSE  # meanwhile the others continue without it
        return True

    def _failed(self, failure: Exception) -> None:
        now = self._clock()
        self._ask_again_at = now + _PAUSE
        if now >= self._log_again_at:
            log.warning("rate limits are counted by this worker alone", reason=type(failure).__name__)
            self._log_again_at = now + _LOG_INTERVAL

    def _answered(self) -> None:
        if self._ask_again_at is not None:
            log.info("rate limits are counted in Redis again")
        self._ask_again_at = None


@asynccontextmanager
async def open_redis(url: str) -> AsyncIterator[RedisCounters]:
    """Open counters in Redis, which need not be running yet.

    Its storage fails at once, because :class:`RedisCounters` decides when to try again.
    """
    from redis.asyncio import BlockingConnectionPool  # an optional dependency
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=_CONNECTIONS,
        timeout=_PATIENCE,
        socket_connect_timeout=_PATIENCE,
        retry=Retry(NoBackoff(), 0),
    )
    storage = RedisStorage(
        f"async+{url}",
        wrap_exceptions=True,
        implementation="redispy",
        key_prefix="workroom-limits",
        connection_pool=pool,  # type: ignore[arg-type]  # passed on by limits
    )
    try:
        yield RedisCounters(storage)
    finally:
        await pool.aclose()
