"""The age of a sign-in, from the claim ``auth_time``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from saas_app.identity.step_up import authentication_time, is_fresh

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def test_the_time_of_a_sign_in_is_auth_time() -> None:
    an_hour_ago = int(NOW.timestamp()) - 3600
    assert authentication_time({"auth_time": an_hour_ago}, NOW) == NOW - timedelta(hours=1)


def test_an_auth_time_in_the_future_counts_as_now() -> None:
    assert authentication_time({"auth_time": int(NOW.timestamp()) + 86_400}, NOW) == NOW


@pytest.mark.parametrize("auth_time", [None, "1795253492", True, 0, -1, 1795253492.5, [1]])
def test_an_auth_time_that_is_not_a_timestamp_counts_as_unknown(auth_time: object) -> None:
    assert authentication_time({"auth_time": auth_time}, NOW) is None
    assert authentication_time({"iat": 1795253492}, NOW) is None


@pytest.mark.parametrize(("seconds", "fresh"), [(0, True), (600, True), (601, False)])
def test_a_sign_in_is_fresh_up_to_the_maximum_age(seconds: int, fresh: bool) -> None:
    assert is_fresh(NOW - timedelta(seconds=seconds), 600, NOW) is fresh


def test_a_sign_in_of_unknown_age_is_not_fresh() -> None:
    assert not is_fresh(None, 600, NOW)


@pytest.mark.parametrize(
    ("behind", "counts_from"), [(0, 0), (5, 0), (29, 0), (31, -31), (3600, -3600)], ids=str
)
def test_a_small_lag_of_the_clock_at_logto_is_compensated(behind: int, counts_from: int) -> None:
    asked_at = NOW.timestamp()
    counted = authentication_time({"auth_time": int(asked_at) - behind}, NOW, asked_at)
    assert counted == NOW + timedelta(seconds=counts_from)
