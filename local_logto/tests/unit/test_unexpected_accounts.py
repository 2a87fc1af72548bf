"""A verified address that has no account, or that already has one."""

from __future__ import annotations

import pytest

from unit.experience_app import CODES_BY_EMAIL_AND_PHONE, ExperienceApp
from unit.experience_calls import last_code
from unit.page_reading import leads_to, page, text_of

NINA = {"identifier": "nina@example.test"}
NO_ACCOUNT = "/sign-in/no-account"
ACCOUNT_EXISTS = "/register/account-exists"


@pytest.fixture
async def logto(logto: ExperienceApp) -> ExperienceApp:
    await logto.configure(**CODES_BY_EMAIL_AND_PHONE)
    return logto


async def verify(logto: ExperienceApp, flow: str) -> str:
    """Prove Nina's address on this flow's pages; returns where that leads."""
    await logto.post(f"/{flow}", NINA)
    return leads_to(await logto.post(f"/{flow}/verification-code", {"code": await last_code(logto)}))


async def test_unknown_address_can_become_a_new_account(logto: ExperienceApp) -> None:
    assert await verify(logto, "sign-in") == NO_ACCOUNT
    assert await logto.signed_in_user() is None
    assert "No account found for nina@example.test. Create a new one?" in await page(logto, NO_ACCOUNT)
    assert "/oidc/auth/" in leads_to(await logto.post(NO_ACCOUNT, {}))
    user = await logto.user(await logto.signed_in_user() or "")
    assert user["primary_email"] == "nina@example.test"


async def test_new_account_is_asked_for_what_it_lacks(logto: ExperienceApp) -> None:
    sign_up = {"identifiers": ["username"], "password": True, "verify": True}
    email = [{"identifier": "email", "verify": True}]
    await logto.configure(**CODES_BY_EMAIL_AND_PHONE | {"signUp": {**sign_up, "secondaryIdentifiers": email}})
    assert await verify(logto, "sign-in") == NO_ACCOUNT
    assert leads_to(await logto.post(NO_ACCOUNT, {})) == "/continue/username"
    assert leads_to(await logto.post("/continue/username", {"identifier": "nina"})) == "/continue/password"


async def test_address_that_cannot_begin_an_account_is_explained(logto: ExperienceApp) -> None:
    sign_up = {"identifiers": ["username"], "password": True, "verify": False}
    await logto.configure(**CODES_BY_EMAIL_AND_PHONE | {"signUp": sign_up})
    assert await verify(logto, "sign-in") == NO_ACCOUNT
    html = await page(logto, NO_ACCOUNT)
    assert "The account with email nina@example.test does not exist." in html
    assert '<a href="/sign-in">Change email</a>' in html
    assert "<form" not in html
    await logto.post(NO_ACCOUNT, {})
    assert await logto.signed_in_user() is None


async def test_known_address_signs_in_instead_of_signing_up(logto: ExperienceApp) -> None:
    user_id = await logto.add_user("nina", primary_email="nina@example.test")
    assert await verify(logto, "register") == ACCOUNT_EXISTS
    assert await logto.signed_in_user() is None
    html = await page(logto, ACCOUNT_EXISTS)
    assert "An account with nina@example.test already exists. Continue to sign in." in html
    assert "/oidc/auth/" in leads_to(await logto.post(ACCOUNT_EXISTS, {}))
    assert await logto.signed_in_user() == user_id


async def test_suspended_person_is_not_signed_in(logto: ExperienceApp) -> None:
    await logto.add_user("nina", primary_email="nina@example.test", is_suspended=True)
    await verify(logto, "register")
    refused = await logto.post(ACCOUNT_EXISTS, {})
    assert refused.status_code == 401
    assert "This account is suspended." in await text_of(refused)
    assert await logto.signed_in_user() is None


async def test_known_address_that_cannot_sign_in_by_code_is_explained(logto: ExperienceApp) -> None:
    methods = [
        {"identifier": "email", "password": True, "verificationCode": False, "isPasswordPrimary": True}
    ]
    sign_up = {"identifiers": ["email"], "password": True, "verify": True}
    await logto.configure(signIn={"methods": methods}, signUp=sign_up)
    await logto.add_user("nina", primary_email="nina@example.test")
    assert await verify(logto, "register") == ACCOUNT_EXISTS
    html = await page(logto, ACCOUNT_EXISTS)
    assert "Please try another email." in html
    await logto.post(ACCOUNT_EXISTS, {})
    assert await logto.signed_in_user() is None


@pytest.mark.parametrize(("path", "start"), [(NO_ACCOUNT, "/sign-in"), (ACCOUNT_EXISTS, "/register")])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_nothing_happens_before_the_address_is_verified(
    logto: ExperienceApp, path: str, start: str, method: str
) -> None:
    await logto.add_user("nina", primary_email="nina@example.test")
    await logto.post(start, NINA)
    headers = {"Sec-Fetch-Site": "same-origin"}
    assert leads_to(await logto.browser.open(path, method=method, headers=headers)) == start
    assert await logto.signed_in_user() is None
