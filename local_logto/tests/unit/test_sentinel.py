"""Lockout: how many failures lock what, and for how long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine

from local_logto.errors import RequestError
from local_logto.experience.sentinel import LockoutPolicy, Pool, sentinel_activities, watch
from local_logto.refusals import refusal
from local_logto.store import Store

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
POLICY = LockoutPolicy(max_attempts=3, lockout_minutes=10)
WRONG = "session.invalid_credentials"
BLOCKED = "session.verification_blocked_too_many_attempts"


async def _succeed() -> str:
    return "in"


async def _fail() -> str:
    raise refusal(WRONG)


async def attempt(
    store: Store, *, right: bool = False, who: str = "alice", pool: Pool = Pool.FIRST_FACTOR
) -> str:
    """Make one attempt. Returns ``in``, or the code of the refusal."""
    try:
        return await watch(store, POLICY, pool, who, _succeed() if right else _fail())
    except RequestError as error:
        return error.code


def test_policy_has_logtos_defaults() -> None:
    assert LockoutPolicy.from_json({}) == LockoutPolicy(100, 60)
    assert LockoutPolicy.from_json({"maxAttempts": 5, "lockoutDuration": 1}) == LockoutPolicy(5, 1)
    assert [LockoutPolicy(5, 1).locks_out(failures) for failures in (4, 5)] == [False, True]


async def test_third_failure_locks_the_right_answer_out_too(store: Store) -> None:
    assert [await attempt(store) for _ in range(4)] == [WRONG, WRONG, BLOCKED, BLOCKED]
    assert await attempt(store, right=True) == BLOCKED


async def test_refusal_says_when_the_lockout_ends(store: Store) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        for _ in range(3):
            await attempt(store)
        clock.shift(timedelta(minutes=4))
        with pytest.raises(RequestError) as refused:
            await watch(store, POLICY, Pool.FIRST_FACTOR, "alice", _succeed())
    assert refused.value.status == 400
    assert refused.value.message.endswith("Please try again in 6 minutes.")


async def test_lockout_ends(store: Store) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        for _ in range(3):
            await attempt(store)
        clock.shift(timedelta(minutes=10, seconds=-1))
        assert await attempt(store, right=True) == BLOCKED
        clock.shift(timedelta(seconds=2))
        assert await attempt(store, right=True) == "in"


async def test_failures_of_an_hour_ago_no_longer_count(store: Store) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        await attempt(store)
        await attempt(store)
        clock.shift(timedelta(minutes=59))
        assert await attempt(store, who="bob") == WRONG
        clock.shift(timedelta(minutes=2))
        assert [await attempt(store) for _ in range(3)] == [WRONG, WRONG, BLOCKED]


async def test_success_does_not_reset_the_failures(store: Store) -> None:
    await attempt(store)
    await attempt(store)
    assert await attempt(store, right=True) == "in"
    assert await attempt(store) == BLOCKED


async def test_lockout_affects_one_identifier_in_any_case_and_one_kind_of_proof(store: Store) -> None:
    for who in ("Alice", "ALICE ", "alice"):
        await attempt(store, who=who)
    assert await attempt(store, right=True) == BLOCKED
    assert await attempt(store, right=True, who="bob") == "in"
    assert await attempt(store, right=True, pool=Pool.TOTP) == "in"


async def test_no_identifier_is_stored(store: Store) -> None:
    await attempt(store)
    with store.begin() as connection:
        rows = connection.execute(sa.select(sentinel_activities)).all()
    assert len(rows) == 1
    assert "alice" not in str(rows)
