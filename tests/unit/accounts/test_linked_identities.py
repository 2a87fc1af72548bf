"""Linked accounts, read from the userinfo response."""

from __future__ import annotations

from typing import Any

import pytest

from saas_app.accounts.linked_identities import LinkedIdentity, linked_identities
from saas_app.identity.offered_methods import OfferedMethods, SocialButton

OFFERED = OfferedMethods(social=(SocialButton("naver", "NAVER"),))


def test_a_linked_account_has_the_label_of_its_button_and_the_details_from_the_provider() -> None:
    told = {
        "naver": {"userId": "n-1", "details": {"id": "n-1", "name": "Min", "email": "min@naver.test"}},
        "hugging-face": {"userId": "h-1"},
    }
    assert linked_identities({"identities": told}, OFFERED) == (
        LinkedIdentity("Hugging Face", "h-1", "", ""),
        LinkedIdentity("NAVER", "n-1", "Min", "min@naver.test"),
    )


@pytest.mark.parametrize(
    "user_info",
    [{}, {"identities": None}, {"identities": {}}, {"identities": []}, {"identities": {"naver": "n-1"}}],
)
def test_a_user_without_identities_has_no_linked_accounts(user_info: dict[str, Any]) -> None:
    assert linked_identities(user_info, OFFERED) == ()


def test_details_that_are_not_strings_are_left_out() -> None:
    told = {"naver": {"userId": "n-1", "details": {"name": 7, "email": None}}}
    assert linked_identities({"identities": told}, OFFERED) == (LinkedIdentity("NAVER", "n-1", "", ""),)
