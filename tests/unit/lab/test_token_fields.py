"""The fields of tokens side by side: aligned, readable and compared."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from saas_app.lab.claims import CLAIMS, HEADER, meaning_of_claim, meaning_of_header
from saas_app.lab.token_fields import Difference, Field, claim_fields, header_fields


def field(name: str, first: dict[str, Any] | None, second: dict[str, Any] | None) -> Field:
    found = {one.name: one for one in claim_fields(first, second)}
    return found[name]


def texts(one: Field, side: int) -> list[str]:
    value = one.values[side]
    assert value is not None
    assert value.items is not None
    return [item.text for item in value.items]


def test_fields_of_both_tokens_are_aligned_by_name() -> None:
    found = claim_fields({"exp": 1, "aud": "a"}, {"aud": "b", "sub": "c"})

    assert [one.name for one in found] == ["sub", "aud", "exp"]
    assert [[value is not None for value in one.values] for one in found] == [
        [False, True],
        [True, True],
        [True, False],
    ]


def test_unknown_claims_come_last() -> None:
    found = claim_fields({"department": "x", "aud": "a", "zzz": 1})

    assert [one.name for one in found] == ["aud", "department", "zzz"]


@pytest.mark.parametrize(
    ("first", "second", "difference"),
    [
        ({"aud": "a"}, {"aud": "a"}, Difference.SAME),
        ({"aud": "a"}, {"aud": "b"}, Difference.CHANGED),
        ({"aud": "a"}, {}, Difference.ONLY_FIRST),
        ({}, {"aud": "a"}, Difference.ONLY_SECOND),
        ({"iat": 1}, {"iat": 2}, Difference.EVERY_TIME),
        ({"scope": "a b"}, {"scope": "b a"}, Difference.SAME),
        ({"organizations": ["a", "b"]}, {"organizations": ["b", "a"]}, Difference.SAME),
        ({"scope": ""}, {"scope": "a"}, Difference.CHANGED),
        ({"name": None}, {"name": ""}, Difference.CHANGED),
    ],
)
def test_a_difference_is_found(first: dict[str, Any], second: dict[str, Any], difference: Difference) -> None:
    (found,) = claim_fields(first, second)

    assert found.difference is difference


def test_a_token_beside_none_differs_in_nothing() -> None:
    (found,) = claim_fields({"aud": "a"}, None)

    assert found.difference is Difference.SAME
    assert found.values[1] is None


def test_scopes_that_only_one_token_has_are_marked() -> None:
    found = field("scope", {"scope": "read write"}, {"scope": "read invite"})

    marked = [
        [(item.text, item.only_here) for item in value.items or ()]
        for value in found.values
        if value is not None
    ]
    assert marked == [[("write", True), ("read", False)], [("invite", True), ("read", False)]]


def test_what_is_new_in_every_token_says_nothing() -> None:
    assert not field("jti", {"jti": "a"}, {"jti": "b"}).tells
    assert field("sub", {"sub": "a"}, {"sub": "b"}).tells


def test_seconds_and_milliseconds_are_times() -> None:
    found = claim_fields({"iat": 1_700_000_000, "updated_at": 1_700_000_000_000})

    moments = [one.values[0].moment for one in found if one.values[0]]
    assert moments == [datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)] * 2


@pytest.mark.parametrize("value", [1e30, -1e30, float("nan"), float("inf"), True, "soon", None, [1]])
def test_a_time_that_is_none_is_shown_as_it_is(value: Any) -> None:
    (found,) = claim_fields({"exp": value})

    assert found.values[0] is not None
    assert found.values[0].moment is None


def test_many_entries_are_counted_and_those_that_differ_are_shown() -> None:
    many = [f"organization{number}" for number in range(5000)]

    found = field("organizations", {"organizations": many}, {"organizations": many[:-1]})

    assert texts(found, 0)[0] == "organization4999"
    assert found.values[0] is not None
    assert found.values[0].left_out == 5000 - len(texts(found, 0))


def test_a_long_text_is_cut() -> None:
    (found,) = claim_fields({"custom": {"deep": "x" * 100_000}})

    assert found.values[0] is not None
    assert len(found.values[0].text) < 2000
    assert found.values[0].left_out > 98_000


@pytest.mark.parametrize("name", [*CLAIMS, "department"])
def test_each_claim_is_explained(name: str) -> None:
    label, meaning = meaning_of_claim(name)

    assert label
    assert meaning.endswith(".")


@pytest.mark.parametrize("name", [*HEADER, "x5c"])
def test_each_field_of_a_header_is_explained(name: str) -> None:
    label, meaning = meaning_of_header(name)

    assert label
    assert meaning.endswith(".")


def test_fields_of_a_header_stand_in_their_order() -> None:
    assert [one.name for one in header_fields({"kid": "k", "b64": False, "typ": "JWT", "alg": "ES384"})] == [
        "alg",
        "typ",
        "kid",
        "b64",
    ]
