"""Counts that stop at a bound, as people read them."""

from __future__ import annotations

import pytest

from saas_app.projects.values import Count


@pytest.mark.parametrize(
    ("count", "shown"), [(Count(0), "0"), (Count(1000), "1,000"), (Count(1000, has_more=True), "1,000+")]
)
def test_a_count_says_that_there_are_more(count: Count, shown: str) -> None:
    assert str(count) == shown


def test_a_sum_has_more_if_one_of_the_counts_has() -> None:
    assert Count(1) + Count(2, has_more=True) == Count(3, has_more=True)
