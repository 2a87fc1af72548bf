"""The page that an authorization request requires, and the errors of ``prompt=none``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from local_logto.oidc.authorization.prompts import Situation, needed_prompt
from local_logto.oidc.authorization.request import AuthorizationRequest, from_interaction
from local_logto.oidc.clients import Client
from local_logto.oidc.grants import Grant

REPORTS = "https://api.example.test/reports"


def request_of(
    *, scope: str = "openid profile", client_type: str = "Traditional", **params: Any
) -> AuthorizationRequest:
    client = Client("web", client_type, {}, {}, is_third_party=False, has_management_access=False)
    given = {"redirect_uri": "http://localhost/cb", "response_type": "code", "scope": scope, **params}
    return from_interaction(client, given)


def grant_of(*oidc: str, **resources: tuple[str, ...]) -> Grant:
    return Grant("g", "alice", "web", oidc, {REPORTS: resources.get("reports", ())}, 0, 1)


CONSENTED = grant_of("openid", "profile")


@pytest.mark.parametrize(
    ("prompt", "situation", "expected"),
    [
        (None, Situation(), "login"),
        (None, Situation(user_id="alice"), "consent"),
        (None, Situation(user_id="alice", grant=CONSENTED), None),
        ("none", Situation(user_id="alice", grant=CONSENTED), None),
        ("consent", Situation(user_id="alice", grant=CONSENTED), "consent"),
        ("login", Situation(user_id="alice", grant=CONSENTED), "login"),
        ("login consent", Situation(user_id="alice", grant=CONSENTED), "login"),
        ("login consent", Situation(user_id="alice", grant=CONSENTED, result={"login": {}}), "consent"),
        (
            "login consent",
            Situation(user_id="alice", grant=CONSENTED, result={"login": {}, "consent": {}}),
            None,
        ),
        (None, Situation(user_id="alice", grant=CONSENTED, hinted_user_id="bob"), "login"),
        (None, Situation(user_id="alice", grant=CONSENTED, hinted_user_id="alice"), None),
    ],
)
def test_situation_decides_the_next_page(
    prompt: str | None, situation: Situation, expected: str | None
) -> None:
    params: Mapping[str, Any] = {} if prompt is None else {"prompt": prompt}
    needed = needed_prompt(request_of(**params), situation)
    assert (needed.name if needed else None) == expected


def test_old_sign_in_is_repeated_once() -> None:
    request = request_of(max_age="60")
    stale = Situation(user_id="alice", grant=CONSENTED, is_stale=True)
    needed = needed_prompt(request, stale)
    assert needed is not None
    assert (needed.error, needed.description) == (
        "login_required",
        "End-User authentication could not be obtained",
    )
    again = Situation(user_id="alice", grant=CONSENTED, is_stale=True, result={"login": {}})
    assert needed_prompt(request, again) is None


def test_prompt_none_without_a_session_is_login_required() -> None:
    needed = needed_prompt(request_of(prompt="none"), Situation())
    assert needed is not None
    assert (needed.error, needed.description) == ("login_required", "End-User authentication is required")


def test_consent_is_required_only_for_available_scopes_that_are_not_granted() -> None:
    request = request_of(scope="openid email read:reports write:reports", resource=[REPORTS])
    grant = grant_of("openid", reports=("read:reports",))
    available = {REPORTS: ["read:reports", "write:reports", "delete:reports"]}
    needed = needed_prompt(request, Situation(user_id="alice", grant=grant, available=available))
    assert needed is not None
    assert needed.error == "consent_required"
    assert needed.missing_oidc == ("email",)
    assert needed.missing_on == {REPORTS: ("write:reports",)}


def test_unavailable_scope_requires_no_consent() -> None:
    request = request_of(scope="openid write:reports", resource=[REPORTS])
    situation = Situation(user_id="alice", grant=grant_of("openid"), available={REPORTS: ["read:reports"]})
    assert needed_prompt(request, situation) is None


def test_native_application_always_requires_an_interaction() -> None:
    request = request_of(client_type="Native")
    needed = needed_prompt(request, Situation(user_id="alice", grant=CONSENTED))
    assert needed is not None
    assert needed.error == "interaction_required"


def test_api_scopes_are_ignored_without_a_resource() -> None:
    assert request_of(scope="openid read:reports").scopes == ("openid",)
    assert request_of(scope="openid read:reports", resource=[REPORTS]).scopes == ("openid", "read:reports")
