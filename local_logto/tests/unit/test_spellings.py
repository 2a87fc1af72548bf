"""Identifiers in several spellings: usernames in either case, phone numbers with an extra zero."""

from __future__ import annotations

import pytest

from local_logto import phone_numbers
from local_logto.errors import RequestError
from local_logto.experience.state import Identifier
from local_logto.experience.users import find_user
from unit.management_app import ManagementApp

WITHOUT_CASE = {
    "caseSensitive": False,
    "minLength": 1,
    "maxLength": 128,
    "allowedChars": {"lowercase": True, "uppercase": True, "numbers": True, "underscore": True},
}
CONFLICTS = "/sign-in-exp/username-policy/case-sensitivity-conflicts"


async def test_taken_username_in_another_case_is_refused_if_case_does_not_matter(api: ManagementApp) -> None:
    await api.made("/users", username="Ada")
    ben = await api.made("/users", username="ben")
    changed = await api.call("PATCH", "/sign-in-exp", {"usernamePolicy": WITHOUT_CASE})
    assert changed.status == 200
    for method, path in (("POST", "/users"), ("PATCH", f"/users/{ben['id']}")):
        answer = await api.call(method, path, {"username": "ADA"})
        assert answer.refusal == (422, "user.username_already_in_use")


async def test_case_of_ones_own_username_can_change(api: ManagementApp) -> None:
    ada = await api.made("/users", username="ada")
    await api.call("PATCH", "/sign-in-exp", {"usernamePolicy": WITHOUT_CASE})
    answer = await api.call("PATCH", f"/users/{ada['id']}", {"username": "Ada"})
    assert (answer.status, answer.body["username"]) == (200, "Ada")


async def test_case_matters_by_default(api: ManagementApp) -> None:
    await api.made("/users", username="ada")
    assert (await api.made("/users", username="ADA"))["username"] == "ADA"


async def test_policy_that_makes_usernames_equal_is_refused(api: ManagementApp) -> None:
    ids = [(await api.made("/users", username=name))["id"] for name in ("ada", "ADA")]
    await api.made("/users", username="ben")
    answer = await api.call("PATCH", "/sign-in-exp", {"usernamePolicy": WITHOUT_CASE})
    code = "sign_in_experiences.username_policy_case_conflicts_exist"
    assert answer.refusal == (409, code)
    assert (await api.get("/sign-in-exp")).body["usernamePolicy"]["caseSensitive"] is True
    shown = (await api.get(CONFLICTS, limit="5")).body
    assert shown == answer.body["data"]
    assert shown["totalConflicts"] == 1
    [sample] = shown["samples"]
    assert (sample["usernameLower"], sorted(sample["userIds"])) == ("ada", sorted(ids))


async def test_impossible_number_of_conflicts_is_refused(api: ManagementApp) -> None:
    assert (await api.get(CONFLICTS)).body == {"totalConflicts": 0, "samples": []}
    for limit in ("0", "101", "many"):
        assert (await api.get(CONFLICTS, limit=limit)).code == "guard.invalid_input"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("610412345678", "61412345678"),
        ("61412345678", "61412345678"),
        ("15550100001", "15550100001"),
        ("447700900123", "447700900123"),
        ("390612345678", "390612345678"),  # Italy: this zero belongs to the number
    ],
)
def test_number_is_stored_without_the_zero_before_its_local_part(typed: str, kept: str) -> None:
    assert phone_numbers.stored(typed) == kept
    assert kept in phone_numbers.spellings(typed)


@pytest.mark.parametrize("typed", ["0123456789", "999123456", "1", "6" * 40])
def test_malformed_number_is_refused(typed: str) -> None:
    with pytest.raises(RequestError, match="invalid_phone"):
        phone_numbers.stored(typed)
    assert phone_numbers.spellings(typed) == [typed]


@pytest.mark.parametrize("typed", ["610412345678", "61412345678"])
async def test_account_is_found_by_its_number_in_both_spellings(api: ManagementApp, typed: str) -> None:
    ada = await api.made("/users", username="ada", primaryPhone="610412345678")
    found = find_user(api.store, Identifier("phone", typed), case_sensitive=True)
    assert found is not None
    assert (found.id, found.phone) == (ada["id"], "61412345678")


async def test_changed_number_is_stored_in_the_same_form(api: ManagementApp) -> None:
    ada = await api.made("/users", username="ada")
    answer = await api.call("PATCH", f"/users/{ada['id']}", {"primaryPhone": "610412345678"})
    assert answer.body["primaryPhone"] == "61412345678"
