"""Validation of request bodies, with the messages of the validator that Logto uses."""

from __future__ import annotations

from typing import Any

import pytest

from local_logto.faults import Issue
from local_logto.management.guard import invalid_input
from local_logto.values import (
    AnyObject,
    Choice,
    Flag,
    Kind,
    ListOf,
    MapOf,
    Number,
    OrFalse,
    OrNull,
    Shape,
    Text,
)

PERSON = Shape({"name": Text(min=1, max=4)}, {"age": Number(is_integer=True), "note": OrNull(Text())})


def faults(kind: Kind, value: object) -> list[Issue]:
    issues: list[Issue] = []
    kind.check(value, (), issues)
    return issues


def cleaned(kind: Kind, value: object) -> Any:
    issues: list[Issue] = []
    result = kind.check(value, (), issues)
    assert issues == []
    return result


def test_unknown_members_are_dropped() -> None:
    assert cleaned(PERSON, {"name": "Ada", "shoe": 38}) == {"name": "Ada"}


def test_missing_optional_members_stay_missing_and_null_is_kept() -> None:
    assert cleaned(PERSON, {"name": "Ada", "note": None}) == {"name": "Ada", "note": None}


def test_missing_member_is_required() -> None:
    assert faults(PERSON, {}) == [
        {
            "code": "invalid_type",
            "expected": "string",
            "received": "undefined",
            "path": ["name"],
            "message": "Required",
        }
    ]


def test_patch_requires_no_member() -> None:
    assert cleaned(PERSON.partial(), {}) == {}


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        (Text(), 1, "Expected string, received number"),
        (Text(), None, "Expected string, received null"),
        (Text(min=2), "a", "String must contain at least 2 character(s)"),
        (Text(max=2), "abc", "String must contain at most 2 character(s)"),
        (Text(pattern=r"\d+"), "12a", "Invalid"),
        (Text(is_email=True), "a@b", "Invalid email"),
        (Text(is_url=True), "not a url", "Invalid url"),
        (Number(), True, "Expected number, received boolean"),
        (Number(), float("inf"), "Expected number, received null"),
        (Number(is_integer=True), 1.5, "Expected integer, received float"),
        (Flag(), "true", "Expected boolean, received string"),
        (Choice(("A", "B")), "C", "Invalid enum value. Expected 'A' | 'B', received 'C'"),
        (Choice(("A", "B")), 1, "Expected 'A' | 'B', received number"),
        (ListOf(Text()), {}, "Expected array, received object"),
        (ListOf(Text(), min=1), [], "Array must contain at least 1 element(s)"),
        (AnyObject(), [], "Expected object, received array"),
        (MapOf(Text()), {"x": 1}, "Expected string, received number"),
        (OrFalse(AnyObject()), True, "Expected object, received boolean"),
        (PERSON, [], "Expected object, received array"),
    ],
)
def test_each_issue_has_the_validators_message(kind: Kind, value: object, message: str) -> None:
    assert [issue["message"] for issue in faults(kind, value)] == [message]


def test_every_issue_has_its_path() -> None:
    kind = Shape({"people": ListOf(PERSON)})
    found = faults(kind, {"people": [{"name": ""}, {"name": "Ada", "age": "old"}]})
    assert [issue["path"] for issue in found] == [["people", 0, "name"], ["people", 1, "age"]]


def test_empty_text_is_accepted_only_where_allowed() -> None:
    assert cleaned(Text(pattern=r"\d+", may_be_empty=True), "") == ""
    assert faults(Text(pattern=r"\d+"), "") != []


def test_integer_may_be_written_as_a_fraction() -> None:
    assert cleaned(Number(is_integer=True), 3.0) == 3
    assert cleaned(Number(), 1.5) == 1.5


def test_details_have_a_line_for_each_issue() -> None:
    refusal = invalid_input("body", faults(PERSON, {"name": "", "age": "old"}))
    assert (refusal.status, refusal.code) == (400, "guard.invalid_input")
    assert refusal.message == "The request body is invalid."
    assert refusal.details == (
        'Error in key path "name": (too_small) String must contain at least 1 character(s)\n'
        'Error in key path "age": (invalid_type) Expected number but received string.'
    )
