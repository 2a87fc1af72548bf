"""What is said of a person to Logto, of all that a provider said."""

from __future__ import annotations

from typing import Any

import pytest

from saas_app.single_sign_on.broker.claims import claims_for_logto, verified_email

EMAIL = "carol@corp.example"


@pytest.mark.parametrize("verified", [True, "true"])
def test_an_address_that_is_called_verified_counts(verified: object) -> None:
    assert verified_email({"email": EMAIL, "email_verified": verified}) == EMAIL


@pytest.mark.parametrize("verified", [False, None, "True", "1", 1, 1.0, [True], {"email": True}])
def test_nothing_else_counts_as_verified(verified: object) -> None:
    assert verified_email({"email": EMAIL, "email_verified": verified}) is None


@pytest.mark.parametrize(
    "email", [None, "", " ", ".", "\u200b", 7, [EMAIL], {EMAIL: True}, " " * 310 + EMAIL]
)
def test_an_address_is_a_text(email: object) -> None:
    assert verified_email({"email": email, "email_verified": True}) is None


@pytest.mark.parametrize(
    "email", [f" {EMAIL}\n", f"{EMAIL}.", "ca\u200brol@corp.example", "carol@corp.\u00adexample"]
)
def test_an_address_is_written_in_one_way(email: str) -> None:
    assert verified_email({"email": email, "email_verified": True}) == EMAIL


@pytest.mark.parametrize(
    ("written", "said_to_logto"),
    [
        ("Carol@CORP.Example", "Carol@corp.example"),
        ("carol@MÜLLER.example", "carol@müller.example"),
        ("carol@xn--mller-kva.example", "carol@xn--mller-kva.example"),
        ("carol@acm\u0130.example", "carol@acmi\u0307.example"),  # to PostgreSQL, the first is acmi.example
        ("carol@ac\u212a.example", "carol@ack.example"),  # the sign for kelvin
    ],
)
def test_its_domain_is_written_as_its_owner_chose(written: str, said_to_logto: str) -> None:
    assert verified_email({"email": written, "email_verified": True}) == said_to_logto


def said(**claims: Any) -> dict[str, Any]:
    return claims_for_logto(claims, group_claim="member_of")


def test_only_name_picture_and_groups_are_passed_on() -> None:
    person = {"name": "Carol", "picture": "https://a.example/c.png", "member_of": ["b", "a"]}
    others = {
        "sub": "1",
        "email": EMAIL,
        "email_verified": True,
        "groups": ["admins"],
        "phone": "1",
        "ID": "2",
    }

    assert said(**person, **others) == {
        "name": "Carol",
        "picture": "https://a.example/c.png",
        "groups": ["a", "b"],
    }


@pytest.mark.parametrize("name", [None, "", " \n", "\u200b", 7, ["Carol"]])
def test_a_name_that_shows_nothing_is_left_out(name: object) -> None:
    assert said(name=name) == {}


def test_an_address_longer_than_logto_stores_does_not_count() -> None:
    longest = f"{'c' * 115}@corp.example"

    assert verified_email({"email": longest, "email_verified": True}) == longest
    assert verified_email({"email": f"c{longest}", "email_verified": True}) is None


def test_a_long_name_is_cut_to_what_logto_stores() -> None:
    assert said(name="x" * 127 + " y")["name"] == "x" * 127


@pytest.mark.parametrize(
    "picture",
    [
        "http://a.example/c.png",
        "data:image/png;base64,AA==",
        "javascript:alert(1)",
        "//a.example/c.png",
        "https://[",
        f"https://a.example/{'c' * 2048}",
        7,
        None,
        "",
    ],
)
def test_a_picture_that_is_no_secure_address_is_left_out(picture: object) -> None:
    assert said(picture=picture) == {}


def test_without_the_claim_nothing_is_said_of_groups() -> None:
    assert said(groups=["staff"]) == {}


@pytest.mark.parametrize(
    ("claim", "groups"),
    [("staff", ["staff"]), ([], []), (None, []), (["b", 7, "a", "b", {}], ["a", "b"]), ({"a": 1}, [])],
)
def test_groups_are_a_list_of_texts(claim: object, groups: list[str]) -> None:
    assert said(member_of=claim) == {"groups": groups}


def test_where_no_claim_was_chosen_there_are_no_groups() -> None:
    assert claims_for_logto({"": ["staff"], "groups": ["staff"]}, group_claim="") == {}
