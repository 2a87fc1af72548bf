"""Rate limits: rates in settings, windows over time, and failures of Redis."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, MutableMapping
from typing import Any

import pytest
from limits.errors import StorageError
from pydantic import ValidationError
from structlog.testing import capture_logs

from saas_app.config import Rate
from saas_app.config.values import read_rate
from saas_app.limits.redis_counters import RedisCounters
from saas_app.limits.requests import Policy, ProcessCounters, RateLimits, Standing
from tests.settings import bare_settings
from tests.unit.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock(1_000_000.0)


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("300/minute", Rate(300, 60)),
        ("1 per second", Rate(1, 1)),
        ("20/5 seconds", Rate(20, 5)),
        ("10000/day", Rate(10_000, 86_400)),
    ],
)
def test_a_rate_is_read_from_its_text(text: str, rate: Rate) -> None:
    assert read_rate(text) == rate


@pytest.mark.parametrize(
    "text",
    [
        "",
        "many",
        "300",
        "/minute",
        "-3/minute",
        "0/minute",
        "1/year",
        "5/second;9/minute",
        "5/eon",
    ],
)
def test_a_text_that_is_not_a_rate_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match="must"):
        read_rate(text)


def test_rates_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RATE_LIMIT_CLIENT", "7/second")
    assert bare_settings().rate_limit_client == Rate(7, 1)


def test_an_invalid_rate_in_the_environment_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RATE_LIMIT_CLIENT", "lots")
    with pytest.raises(ValidationError, match=r"RATE_LIMIT_CLIENT\n.*must be a rate such as 300/minute"):
        bare_settings()


@pytest.mark.parametrize(
    "address", ["", "redis", "redis:///0", "memcached://localhost", "file:///etc/passwd"]
)
def test_an_unknown_storage_is_rejected(address: str) -> None:
    with pytest.raises(ValidationError, match="memory:// or redis://"):
        bare_settings(rate_limit_storage=address)


def test_redis_storage_without_its_python_package_is_rejected_at_startup(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("saas_app.config.settings.find_spec", lambda name: None)
    with pytest.raises(ValidationError, match="needs an extra package"):
        bare_settings(rate_limit_storage="redis://localhost:6379/0")


def test_policies_and_standings_are_structured_fields() -> None:
    policy = Policy("client", Rate(300, 60))
    assert str(policy) == '"client";q=300;w=60'
    assert str(Standing(policy, "counter", used=1, reset=57)) == '"client";r=299;t=57'
    assert str(Standing(policy, "counter", used=301, reset=1)) == '"client";r=0;t=1'


@pytest.mark.parametrize(("used", "exceeded"), [(1, False), (300, False), (301, True)])
def test_using_the_whole_quota_does_not_exceed_the_limit(used: int, exceeded: bool) -> None:
    assert Standing(Policy("client", Rate(300, 60)), "counter", used, reset=1).is_exceeded is exceeded


@pytest.fixture
def two_per_minute(clock: Clock) -> RateLimits:
    """Limits of two requests a minute for each client."""
    return RateLimits(bare_settings(rate_limit_client=Rate(2, 60)), ProcessCounters(clock), clock)


@pytest.fixture
async def first(two_per_minute: RateLimits) -> Standing:
    """The state of a client's limit after its first request."""
    return await two_per_minute.count(two_per_minute.client, "robot")


async def test_the_first_request_starts_a_window_that_ends_within_its_length(first: Standing) -> None:
    assert (first.used, first.is_exceeded) == (1, False)
    assert 1 <= first.reset <= 60


async def test_requests_count_until_the_last_second_of_the_window(
    two_per_minute: RateLimits, clock: Clock, first: Standing
) -> None:
    clock.now += first.reset - 1
    again = [await two_per_minute.count(two_per_minute.client, "robot") for _ in range(2)]
    assert [standing.is_exceeded for standing in again] == [False, True]
    assert again[1].reset == 1


async def test_a_window_begins_again_at_its_reset(
    two_per_minute: RateLimits, clock: Clock, first: Standing
) -> None:
    clock.now += first.reset
    assert (await two_per_minute.count(two_per_minute.client, "robot")).used == 1


async def test_callers_and_policies_are_counted_separately_and_reset_at_different_times(clock: Clock) -> None:
    limits = RateLimits(bare_settings(), ProcessCounters(clock), clock)
    standings = [await limits.count(limits.client, f"robot {number}") for number in range(20)]
    standings.append(await limits.count(limits.user, "robot 0"))
    assert {standing.used for standing in standings} == {1}
    assert len({standing.reset for standing in standings}) > 5


async def test_a_request_that_is_given_back_does_not_count() -> None:
    limits = RateLimits(bare_settings(), ProcessCounters(), Clock())
    await limits.give_back(await limits.count(limits.address, "192.0.2.1"))
    assert (await limits.count(limits.address, "192.0.2.1")).used == 1


async def test_expired_counters_are_removed(clock: Clock) -> None:
    counters = ProcessCounters(clock)
    for number in range(1000):
        await counters.incr(f"address {number}", 60)
    clock.now += 59
    await counters.incr("late", 60)
    assert len(counters) == 1001
    clock.now += 20
    await counters.incr("later", 60)
    assert len(counters) == 2


class Redis:
    """A stand-in for Redis that fails or works as a test says."""

    def __init__(self, act: Callable[[], None]) -> None:
        self.act = act
        self.calls = 0
        self.count = 0

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        self.calls += 1
        self.act()
        await asyncio.sleep(0)
        self.count += amount
        return self.count


def fails() -> None:
    raise StorageError(ConnectionError())


@pytest.fixture
def redis() -> Redis:
    """A Redis that is down."""
    return Redis(fails)


@pytest.fixture
def counters(redis: Redis, clock: Clock) -> RedisCounters:
    return RedisCounters(redis, clock)


async def count_for_50_seconds(counters: RedisCounters, clock: Clock) -> list[MutableMapping[str, Any]]:
    """Count one request a second while Redis is down, and return what was logged."""
    with capture_logs() as logs:
        for _second in range(50):
            await counters.incr("key", 3600)
            clock.now += 1
    return logs


async def test_while_redis_is_down_a_worker_counts_by_itself(
    counters: RedisCounters, redis: Redis, clock: Clock
) -> None:
    await count_for_50_seconds(counters, clock)
    assert await counters.incr("key", 3600) == 51
    assert redis.calls <= 6


async def test_while_redis_is_down_a_worker_logs_a_warning_once_a_minute(
    counters: RedisCounters, clock: Clock
) -> None:
    first_minute = await count_for_50_seconds(counters, clock)
    assert [line["log_level"] for line in first_minute] == ["warning"]

    clock.now += 60
    with capture_logs() as second_minute:
        await counters.incr("key", 3600)
    assert len(second_minute) == 1


async def test_while_redis_is_down_only_one_request_at_a_time_probes_it(
    counters: RedisCounters, redis: Redis, clock: Clock
) -> None:
    await counters.incr("key", 60)
    clock.now += 11
    await asyncio.gather(*(counters.incr("key", 60) for _ in range(40)))
    assert redis.calls == 2


async def test_redis_counts_again_once_it_is_back(
    counters: RedisCounters, redis: Redis, clock: Clock
) -> None:
    await counters.incr("key", 60)
    redis.act, redis.count = (lambda: None), 100
    assert await counters.incr("key", 60) == 2
    clock.now += 11
    with capture_logs() as logs:
        assert [await counters.incr("key", 60) for _ in range(2)] == [101, 102]
    assert len(logs) == 1
