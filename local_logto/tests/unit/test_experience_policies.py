"""Passwords and usernames that Logto's policies accept and refuse."""

from __future__ import annotations

import pytest

from local_logto.experience.password_policy import (
    PasswordPolicy,
    PersonalInformation,
    find_password_issues,
)
from local_logto.experience.username_policy import UsernamePolicy, find_username_violation

NINA = PersonalInformation(
    name="Nina Hagen", username="ninahagen", email="hagen@example.test", phone="4915112345678"
)


@pytest.mark.parametrize(
    ("password", "codes"),
    [
        ("Workroom-demo-1", []),
        ("tRz", ["too_short"]),
        ("12345", ["too_short", "restricted.sequence"]),
        ("aaaaaaaa", ["restricted.repetition"]),
        ("87654321", ["restricted.sequence"]),
        ("qwertyuiop", ["restricted.sequence"]),
        ("ninahagen", ["restricted.user_info"]),
        ("NinaHagen1", ["restricted.user_info"]),
        ("hagen123", ["restricted.sequence", "restricted.user_info"]),
        ("hagen123-and-much-more", []),
        ("pässwört-long", ["unsupported_characters"]),
        ("x-" * 129, ["too_long"]),
    ],
)
def test_refusal_of_a_password_names_every_reason(password: str, codes: list[str]) -> None:
    issues = find_password_issues(password, PasswordPolicy(), NINA)
    assert sorted(issue.code for issue in issues) == sorted(codes)


def test_refusal_of_too_few_character_types_names_the_minimum() -> None:
    issues = find_password_issues("onlylowercaze", PasswordPolicy(min_character_types=3), NINA)
    assert [issue.to_json() for issue in issues] == [
        {"code": "password_rejected.character_types", "interpolation": {"min": 3}}
    ]


def test_words_are_rejected_only_if_configured() -> None:
    policy = PasswordPolicy.from_json({"rejects": {"words": ["Workroom"]}})
    codes = [issue.code for issue in find_password_issues("workroom1", policy, NINA)]
    assert codes == ["restricted.words"]
    assert find_password_issues("workroom1", PasswordPolicy(), NINA) == []


def test_disabled_rules_accept_every_password_of_the_right_length() -> None:
    policy = PasswordPolicy.from_json({"rejects": {"repetitionAndSequence": False, "userInfo": False}})
    assert find_password_issues("12345678", policy, NINA) == []
    assert find_password_issues("ninahagen", policy, NINA) == []


@pytest.mark.parametrize(
    ("username", "violation"),
    [
        ("nina_1", None),
        ("_nina", None),
        ("", "required"),
        ("1nina", "starts_with_number"),
        ("nina-h", "invalid_charset_hard"),
        ("nina\n", "invalid_charset_hard"),
        ("n" * 129, "too_long"),
    ],
)
def test_username_is_checked_by_the_default_policy(username: str, violation: str | None) -> None:
    assert find_username_violation(username, UsernamePolicy()) == violation


@pytest.mark.parametrize(
    ("policy", "violation"),
    [
        ({"minLength": 7}, "too_short"),
        ({"allowedChars": {"uppercase": False}}, "uppercase_not_allowed"),
        ({"allowedChars": {"lowercase": False}}, "lowercase_not_allowed"),
        ({"allowedChars": {"numbers": False}}, "numbers_not_allowed"),
        ({"allowedChars": {"underscore": False}}, "underscore_not_allowed"),
    ],
)
def test_username_is_checked_by_the_configured_policy(policy: dict[str, object], violation: str) -> None:
    assert find_username_violation("Nina_1", UsernamePolicy.from_json(policy)) == violation
