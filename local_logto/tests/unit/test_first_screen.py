"""The first page of a sign-in, by Logto's own parameters."""

from __future__ import annotations

import pytest

from local_logto.oidc.authorization.first_screen import consent_location, shared_by_pages, sign_in_location


@pytest.mark.parametrize(
    ("params", "location"),
    [
        ({}, "/sign-in?app_id=web"),
        ({"first_screen": "register"}, "/register?app_id=web"),
        ({"first_screen": "reset_password"}, "/reset-password?app_id=web"),
        ({"first_screen": "single_sign_on"}, "/single-sign-on?app_id=web"),
        ({"interaction_mode": "signUp"}, "/register?app_id=web"),
        ({"interaction_mode": "signUp", "first_screen": "sign_in"}, "/sign-in?app_id=web"),
        (
            {"first_screen": "identifier:sign_in", "identifier": "email phone"},
            "/identifier-sign-in?app_id=web&identifier=email+phone",
        ),
        (
            {
                "first_screen": "register",
                "login_hint": "bob@example.test",
                "ui_locales": "ko",
                "organization_id": "9rbq6tjabsfx",
            },
            "/register?app_id=web&organization_id=9rbq6tjabsfx&ui_locales=ko&login_hint=bob%40example.test",
        ),
        ({"direct_sign_in": "social:naver"}, "/direct/social/naver?app_id=web&fallback=sign-in"),
        (
            {"direct_sign_in": "sso:abc", "first_screen": "register"},
            "/direct/sso/abc?app_id=web&fallback=register",
        ),
        ({"first_screen": "nowhere", "login_hint": "bob@example.test"}, "/sign-in?app_id=web"),
        ({"interaction_mode": "register", "first_screen": "register"}, "/sign-in?app_id=web"),
    ],
)
def test_parameters_decide_the_first_page(params: dict[str, str], location: str) -> None:
    assert sign_in_location(params, "web") == location


def test_pages_share_application_organization_and_languages() -> None:
    assert shared_by_pages({"organization_id": "acme", "ui_locales": "ko"}, "web") == {
        "appId": "web",
        "organizationId": "acme",
        "uiLocales": "ko",
    }
    assert shared_by_pages({"organization_id": "acme", "first_screen": "x"}, "web") == {"appId": "web"}


def test_consent_page_gets_the_application() -> None:
    assert consent_location("web") == "/consent?app_id=web"
