"""Rates as they are written in settings, windows as they pass, and Redis as it fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from cryptography.fernet import Fernet
from limits.errors import StorageError
from pydantic import SecretStr, ValidationError
from structlog.testing import capture_logs

from saas_app.config import Rate, Settings
from saas_app.config.settings import read_rate
from saas_app.limits.requests import Policy, ProcessCounters, RateLimits, RedisCounters, Standing


class Clock:
    """Time that passes when it is told to."""

    def __init__(self, now: float = 1_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def settings(**changes: object) -> Settings:
    given: dict[str, object] = {
        "encryption_keys": (SecretStr(Fernet.generate_key().decode()),),
        "logto_endpoint": "https://logto.example",
        "logto_app_id": "app",
        "logto_app_secret": SecretStr("secret"),
        **changes,
    }
    return Settings(**given)  # type: ignore[arg-type]


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
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must"):
        read_rate(text)


def test_rates_come_from_the_environment_and_a_wrong_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RATE_LIMIT_CLIENT", "7/second")
    assert settings().rate_limit_client == Rate(7, 1)
    monkeypatch.setenv("RATE_LIMIT_CLIENT", "lots")
    with pytest.raises(ValidationError, match=r"RATE_LIMIT_CLIENT\n.*must be a rate such as 300/minute"):
        settings()


@pytest.mark.parametrize(
    "address", ["", "redis", "redis:///0", "memcached://localhost", "file:///etc/passwd"]
)
def test_only_known_storages_are_accepted(address: str) -> None:
    with pytest.raises(ValidationError, match="memory:// or redis://"):
        settings(rate_limit_storage=address)


def test_a_redis_without_its_client_is_refused_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saas_app.config.settings.find_spec", lambda name: None)
    with pytest.raises(ValidationError, match="needs an extra package"):
        settings(rate_limit_storage="redis://localhost:6379/0")


def test_policies_and_standings_are_structured_fields() -> None:
    policy = Policy("client", Rate(300, 60))
    assert str(policy) == '"client";q=300;w=60'
    assert str(Standing(policy, "counter", used=1, reset=57)) == '"client";r=299;t=57'
    assert str(Standing(policy, "counter", used=301, reset=1)) == '"client";r=0;t=1'


@pytest.mark.parametrize(("used", "exceeded"), [(1, False), (300, False), (301, True)])
def test_the_quota_itself_is_still_within_the_limit(used: int, exceeded: bool) -> None:
    assert Standing(Policy("client", Rate(300, 60)), "counter", used, reset=1).is_exceeded is exceeded


async def test_a_window_begins_anew_when_its_reset_is_over_and_not_before() -> None:
    clock = Clock()
    limits = RateLimits(settings(rate_limit_client=Rate(2, 60)), ProcessCounters(clock), clock)
    first = await limits.count(limits.client, "robot")
    assert (first.used, first.is_exceeded) == (1, False)
    assert 1 <= first.reset <= 60

    clock.now += first.reset - 1
    again = [await limits.count(limits.client, "robot") for _ in range(2)]
    assert [standing.is_exceeded for standing in again] == [False, True]
    assert again[1].reset == 1

    clock.now += 1
    assert (await limits.count(limits.client, "robot")).used == 1


async def test_callers_and_policies_are_counted_apart_and_reset_at_different_moments() -> None:
    clock = Clock()
    limits = RateLimits(settings(), ProcessCounters(clock), clock)
    standings = [await limits.count(limits.client, f"robot {number}") for number in range(20)]
    standings.append(await limits.count(limits.user, "robot 0"))
    assert {standing.used for standing in standings} == {1}
    assert len({standing.reset for standing in standings}) > 5


async def test_what_is_given_back_can_be_used_again() -> None:
    limits = RateLimits(settings(), ProcessCounters(), Clock())
    await limits.give_back(await limits.count(limits.address, "192.0.2.1"))
    assert (await limits.count(limits.address, "192.0.2.1")).used == 1


async def test_counters_that_have_run_out_are_forgotten() -> None:
    clock = Clock()
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
    """A Redis that does what a test tells it to."""

    def __init__(self, act: Callable[[], None]) -> None:
        self.act = act
        self.asked = 0
        self.count = 0

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        self.asked += 1
        self.act()
        await asyncio.sleep(0)
        self.count += amount
        return self.count


def fails() -> None:
    raise StorageError(ConnectionError())


async def test_without_redis_a_worker_counts_by_itself_and_says_so_once_a_minute() -> None:
    clock = Clock()
    redis = Redis(fails)
    counters = RedisCounters(redis, clock)
    with capture_logs() as logs:
        for _second in range(50):
            await counters.incr("key", 3600)
            clock.now += 1
    assert await counters.incr("key", 3600) == 51
    assert redis.asked <= 6
    assert [line["log_level"] for line in logs] == ["warning"]

    clock.now += 60
    with capture_logs() as logs:
        await counters.incr("key", 3600)
    assert len(logs) == 1


async def test_while_redis_is_away_only_one_request_at_a_time_asks_for_it() -> None:
    clock = Clock()
    redis = Redis(fails)
    counters = RedisCounters(redis, clock)
    await counters.incr("key", 60)
    clock.now += 11
    await asyncio.gather(*(counters.incr("key", 60) for _ in range(40)))
    assert redis.asked == 2


async def test_when_redis_is_back_it_counts_again() -> None:
    clock = Clock()
    redis = Redis(fails)
    counters = RedisCounters(redis, clock)
    await counters.incr("key", 60)
    redis.act, redis.count = (lambda: None), 100
    assert await counters.incr("key", 60) == 2
    clock.now += 11
    with capture_logs() as logs:
        assert [await counters.incr("key", 60) for _ in range(2)] == [101, 102]
    assert len(logs) == 1
