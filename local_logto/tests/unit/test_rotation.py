"""When a refresh token is rotated, and when its reuse counts as theft."""

from __future__ import annotations

import pytest

from local_logto.oidc.token.rotation import RefreshTokenAge, is_reuse, is_rotation_due, lifetime_of_next

DAY = 24 * 3600 * 1000
FORTNIGHT = 14 * DAY


def age(*, chain_started_at: int = 0, consumed_at: int | None = None) -> RefreshTokenAge:
    return RefreshTokenAge(0, FORTNIGHT, chain_started_at, consumed_at)


@pytest.mark.parametrize(
    ("now", "is_public", "expected"),
    [
        (0, False, False),
        (int(FORTNIGHT * 0.69), False, False),
        (int(FORTNIGHT * 0.70), False, True),
        (FORTNIGHT - 1, False, True),
        (0, True, True),
    ],
)
def test_rotation_begins_at_seventy_percent(now: int, is_public: bool, expected: bool) -> None:
    assert is_rotation_due(age(), now, is_public=is_public) is expected


def test_chain_older_than_a_year_is_no_longer_rotated() -> None:
    old = age(chain_started_at=-366 * DAY)
    assert not is_rotation_due(old, FORTNIGHT - 1, is_public=False)
    assert not is_rotation_due(old, 0, is_public=True)


@pytest.mark.parametrize(
    ("consumed_at", "now", "expected"),
    [(None, 10_000, False), (1_000, 4_000, False), (1_000, 4_001, True)],
)
def test_rotated_token_works_for_three_seconds(consumed_at: int | None, now: int, expected: bool) -> None:
    assert is_reuse(age(consumed_at=consumed_at), now) is expected


def test_next_token_has_the_full_lifetime_except_for_single_page_applications() -> None:
    assert lifetime_of_next(age(), 10 * DAY, FORTNIGHT, keeps_expiry=False) == FORTNIGHT
    assert lifetime_of_next(age(), 10 * DAY, FORTNIGHT, keeps_expiry=True) == 4 * DAY
    assert lifetime_of_next(age(), 15 * DAY, FORTNIGHT, keeps_expiry=True) == 0
