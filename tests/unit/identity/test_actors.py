"""Tokens with two names: which forms of ``act`` are accepted, and from which application."""

from __future__ import annotations

from typing import Any

import pytest

from saas_app.identity.actors import actor_of, require_expected_actor
from saas_app.identity.bearer import BearerToken
from saas_app.identity.token_verifier import TokenRejected
from saas_app.rbac.permissions import Carrier

SUPPORT = "support-app"


def token(**changes: Any) -> BearerToken:
    """Return a token of the support application, for one organization, with an agent."""
    claims: dict[str, Any] = {
        "fingerprint": b"",
        "subject": "carol",
        "client_id": SUPPORT,
        "carrier": Carrier.API_TOKEN,
        "organization_id": "acme",
        "scopes": frozenset(),
        "issued_at": 0,
        "expires_at": 0,
        "actor": "sam",
    }
    return BearerToken(**{**claims, **changes})


def test_one_person_may_act_for_the_subject() -> None:
    assert actor_of({"act": {"sub": "sam"}}) == "sam"
    assert actor_of({}) is None


@pytest.mark.parametrize(
    "act",
    [
        None,
        "sam",
        [],
        ["sam"],
        {},
        {"sub": ""},
        {"sub": 7},
        {"sub": "sam/../ada"},
        {"sub": ["sam"]},
        {"client_id": "sam"},
        {"sub": "sam", "iss": "https://evil.example"},
        {"sub": "sam", "act": {"sub": "ada"}},
        {"sub": "sam", "act": None},
    ],
    ids=repr,
)
def test_anything_but_exactly_one_person_is_rejected(act: object) -> None:
    with pytest.raises(TokenRejected):
        actor_of({"act": act})


def test_a_token_of_the_support_application_for_an_agent_and_a_token_of_another_without_are_expected() -> (
    None
):
    require_expected_actor(token(), SUPPORT)
    require_expected_actor(token(client_id="another", actor=None), SUPPORT)
    require_expected_actor(token(client_id="another", actor=None), "")
    require_expected_actor(token(client_id="", actor=None), "")


@pytest.mark.parametrize(
    ("support_app_id", "changes"),
    [
        (SUPPORT, {"actor": None}),
        (SUPPORT, {"actor": None, "subject": SUPPORT}),
        (SUPPORT, {"client_id": "another"}),
        (SUPPORT, {"client_id": ""}),
        (SUPPORT, {"organization_id": None}),
        (SUPPORT, {"actor": "carol"}),
        ("", {}),
        ("", {"client_id": ""}),
    ],
    ids=[
        "no agent",
        "the application itself",
        "another application",
        "no application",
        "no organization",
        "the subject",
        "no support team",
        "no support team and no application",
    ],
)
def test_other_tokens_with_two_names_are_rejected(support_app_id: str, changes: dict[str, Any]) -> None:
    with pytest.raises(TokenRejected):
        require_expected_actor(token(**changes), support_app_id)
