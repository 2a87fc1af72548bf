"""Linking a Naver identity to an account with the same address: by a button, automatically, or declined."""

from __future__ import annotations

import pytest

from local_logto.fakes.naver import NaverAccount
from local_logto.second_factors import new_totp_secret, totp_factor
from local_logto.store import now_ms
from unit.experience_app import CODES_AND_PASSWORDS, PASSWORD
from unit.experience_calls import last_code
from unit.page_reading import leads_to, text_of
from unit.social_app import (
    BY_EMAIL,
    CONNECTOR,
    OFFERED,
    SocialApp,
    is_signed_in,
)

QUIET = NaverAccount("naver-quiet")


async def test_account_with_the_address_is_linked_by_a_button(app: SocialApp) -> None:
    user_id = await app.logto.add_user("sujin", primary_email="Sujin@Naver.example", name="Su")
    assert leads_to(await app.round_trip()) == f"/social/link/{CONNECTOR}?app_id=client"
    assert await app.logto.signed_in_user() is None
    page = await text_of(await app.logto.browser.get(f"/social/link/{CONNECTOR}?app_id=client"))
    assert "Link with su****@naver.example" in page
    assert "Link another email" in page
    assert is_signed_in(await app.logto.post(f"/social/link/{CONNECTOR}?app_id=client", {}))
    account = await app.signed_in()
    assert (account["id"], account["name"]) == (user_id, "Su")
    assert account["identities"]["naver"]["userId"] == "naver-sujin"
    assert account["primary_email"] == "Sujin@Naver.example"


async def test_linking_keeps_other_identities(app: SocialApp) -> None:
    other = {"github": {"userId": "1", "details": {"id": "1"}}}
    await app.logto.add_user("sujin", primary_email="sujin@naver.example", identities=other)
    await app.round_trip()
    await app.logto.post(f"/social/link/{CONNECTOR}", {})
    identities = (await app.signed_in())["identities"]
    assert identities["github"] == other["github"]
    assert identities["naver"]["userId"] == "naver-sujin"


async def test_linking_can_be_automatic(app: SocialApp) -> None:
    user_id = await app.logto.add_user("sujin", primary_email="sujin@naver.example")
    await app.logto.configure(**BY_EMAIL, socialSignIn={"automaticAccountLinking": True})
    assert is_signed_in(await app.round_trip())
    account = await app.signed_in()
    assert (account["id"], account["identities"]["naver"]["userId"]) == (user_id, "naver-sujin")


@pytest.mark.parametrize("is_automatic", [False, True])
async def test_linking_requires_the_accounts_second_factor(app: SocialApp, is_automatic: bool) -> None:
    factor = totp_factor(new_totp_secret(), now_ms())
    user_id = await app.logto.add_user(
        "sujin", primary_email="sujin@naver.example", mfa_verifications=[factor]
    )
    linking = {"automaticAccountLinking": is_automatic}
    await app.logto.configure(
        **BY_EMAIL, mfa={"factors": ["Totp"], "policy": "NoPrompt"}, socialSignIn=linking
    )
    response = await app.round_trip()
    if not is_automatic:
        response = await app.logto.post(f"/social/link/{CONNECTOR}", {})
    assert leads_to(response).startswith("/mfa-verification/Totp")
    assert await app.logto.signed_in_user() is None
    assert (await app.logto.user(user_id))["identities"] == {}


async def test_linking_can_be_declined_for_an_account_with_another_address(app: SocialApp) -> None:
    user_id = await app.logto.add_user("sujin", primary_email="sujin@naver.example")
    await app.round_trip()
    declined = await app.logto.post(f"/social/link/{CONNECTOR}?app_id=client", {"create": "1"})
    assert leads_to(declined) == "/continue/email?app_id=client"
    await app.logto.post("/continue/email", {"identifier": "other@work.test"})
    assert is_signed_in(
        await app.logto.post("/continue/verification-code", {"code": await last_code(app.logto)})
    )
    account = await app.signed_in()
    assert account["id"] != user_id
    assert account["primary_email"] == "other@work.test"
    assert account["identities"]["naver"]["userId"] == "naver-sujin"
    assert (await app.logto.user(user_id))["identities"] == {}


async def test_declining_is_not_offered_where_registration_is_closed(app: SocialApp) -> None:
    await app.logto.add_user("sujin", primary_email="sujin@naver.example")
    await app.logto.configure(**BY_EMAIL, signInMode="SignIn")
    await app.round_trip()
    page = await text_of(await app.logto.browser.get(f"/social/link/{CONNECTOR}"))
    assert "Link with su****@naver.example" in page
    assert "Link another email" not in page


async def test_address_of_an_account_is_linked_after_its_code(app: SocialApp) -> None:
    user_id = await app.logto.add_user("sujin", primary_email="su@work.test")
    app.naver.account = QUIET
    await app.round_trip()
    await app.logto.post("/continue/email", {"identifier": "su@work.test"})
    proved = await app.logto.post("/continue/verification-code", {"code": await last_code(app.logto)})
    assert leads_to(proved) == "/continue/link-account"
    page = await text_of(await app.logto.browser.get("/continue/link-account"))
    assert "The account with email su@work.test already exists." in page
    assert is_signed_in(await app.logto.post("/continue/link-account", {}))
    account = await app.signed_in()
    assert (account["id"], account["identities"]["naver"]["userId"]) == (user_id, "naver-quiet")


async def test_address_is_not_linked_before_its_code(app: SocialApp) -> None:
    await app.logto.add_user("sujin", primary_email="su@work.test")
    app.naver.account = QUIET
    await app.round_trip()
    await app.logto.post("/continue/email", {"identifier": "su@work.test"})
    assert leads_to(await app.logto.post("/continue/link-account", {})) == "/sign-in"
    assert await app.logto.signed_in_user() is None


async def test_linking_page_without_a_proof_redirects_to_sign_in(app: SocialApp) -> None:
    await app.logto.add_user("sujin", primary_email="sujin@naver.example")
    assert leads_to(await app.logto.post(f"/social/link/{CONNECTOR}", {})) == "/sign-in"
    await app.leave()
    assert leads_to(await app.logto.post(f"/social/link/{CONNECTOR}", {})) == "/sign-in"
    assert await app.logto.signed_in_user() is None


async def test_taken_address_is_refused_without_a_social_identity(app: SocialApp) -> None:
    await app.logto.add_user("sujin", primary_email="su@work.test")
    await app.logto.configure(**{**CODES_AND_PASSWORDS, **OFFERED})
    await app.logto.post("/register", {"identifier": "nina"})
    await app.logto.post("/register/password", {"password": PASSWORD, "confirmPassword": PASSWORD})
    await app.logto.post("/continue/email", {"identifier": "su@work.test"})
    response = await app.logto.post("/continue/verification-code", {"code": await last_code(app.logto)})
    assert response.status_code == 422
    assert "This email is associated with an existing account." in await text_of(response)
