"""The Redis of the tests: ``TEST_REDIS_URL``, or the one on this machine."""

from __future__ import annotations

import functools
import os
from typing import Final

import redis

REDIS_URL: Final = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/0")
MISSING: Final = (
    "Redis: none. To run its tests too, start one on 127.0.0.1:6379 or set TEST_REDIS_URL=redis://…"
)


@functools.cache
def find_redis() -> str | None:
    """Return its URL. None: nothing answers there."""
    try:
        with redis.Redis.from_url(REDIS_URL, socket_connect_timeout=2) as connection:
            connection.ping()
    except redis.RedisError:
        return None
    return REDIS_URL
