"""The page of a sign-in with a one-time token. Only its button consumes the token."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from local_logto.one_time_tokens import create_token
from unit.experience_app import (
    CODES_AND_PASSWORDS,
    PASSWORD,
    ExperienceApp,
)
from unit.page_reading import leads_to, page, text_of

NINA = "nina@example.test"


@pytest.fixture
async def logto(logto: ExperienceApp) -> ExperienceApp:
    await logto.configure(**CODES_AND_PASSWORDS)
    return logto


def path_with_token(logto: ExperienceApp, address: str = NINA, lifetime: int = 600) -> str:
    """Return the page to which an authorization request with a token for Nina redirects."""
    with logto.store.begin() as connection:
        token = create_token(connection, NINA, lifetime, {})["token"]
    return f"/sign-in?{urlencode({'one_time_token': token, 'login_hint': address})}"


async def test_opening_the_page_consumes_nothing_and_the_button_signs_in(logto: ExperienceApp) -> None:
    user_id = await logto.add_user("nina", primary_email=NINA)
    path = path_with_token(logto)
    for _ in range(2):
        assert f"You are signing in as {NINA}." in await page(logto, path)
    assert "/oidc/auth/" in leads_to(await logto.post(path, {}))
    assert await logto.signed_in_user() == user_id
    assert "The token has been consumed." in await text_of(await logto.post(path, {}))


async def test_new_person_creates_an_account_although_registration_is_closed(
    logto: ExperienceApp,
) -> None:
    await logto.configure(**CODES_AND_PASSWORDS | {"signInMode": "SignIn"})
    path = path_with_token(logto)
    assert leads_to(await logto.post(path, {})).startswith("/continue/username")
    assert leads_to(await logto.post("/continue/username", {"identifier": "nina"})) == "/continue/password"
    await logto.post("/continue/password", {"password": PASSWORD, "confirmPassword": PASSWORD})
    user = await logto.user(await logto.signed_in_user() or "")
    assert (user["primary_email"], user["username"]) == (NINA, "nina")


@pytest.mark.parametrize("case", ["another address", "expired"])
async def test_refusal_of_a_token_says_why(logto: ExperienceApp, case: str) -> None:
    other, lifetime = ("mia@example.test", 600) if case == "another address" else (NINA, 0)
    response = await logto.post(path_with_token(logto, other, lifetime), {})
    assert response.status_code == 400
    sentence = "Email mismatch" if case == "another address" else "The token is expired."
    assert sentence in await text_of(response)
    assert await logto.signed_in_user() is None
