"""Continue with Naver on the pages: the way there and back, accounts, and failures."""

from __future__ import annotations

import asyncio
import re
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from local_logto.connectors.registry import connectors
from local_logto.fakes.naver import NaverAccount
from local_logto.second_factors import new_totp_secret, totp_factor
from local_logto.store import now_ms
from unit.experience_app import PASSWORD
from unit.experience_calls import last_code
from unit.page_reading import leads_to, moves_on_to, text_of
from unit.social_app import (
    BY_EMAIL,
    CALLBACK,
    CONNECTOR,
    OFFERED,
    SUJIN,
    SocialApp,
    is_signed_in,
)

QUIET = NaverAccount("naver-quiet")


# --- the button


@pytest.mark.parametrize("path", ["/sign-in", "/register"])
async def test_first_pages_have_the_button(app: SocialApp, path: str) -> None:
    response = await app.logto.browser.get(f"{path}?app_id=client")
    html = await text_of(response)
    assert "Continue with Naver" in html
    assert 'action="/direct/social/naver?app_id=client"' in html
    assert (
        f"form-action 'self' http://localhost:3000 {app.naver.base_url};"
        in (response.headers["Content-Security-Policy"])
    )


async def test_button_is_missing_without_a_target(app: SocialApp) -> None:
    await app.logto.configure(**{**BY_EMAIL, "socialSignInConnectorTargets": []})
    response = await app.logto.browser.get("/sign-in")
    assert "Continue with Naver" not in await text_of(response)
    assert app.naver.base_url not in response.headers["Content-Security-Policy"]


async def test_first_page_names_naver_and_the_identifier_page_does_not(app: SocialApp) -> None:
    first = await text_of(await app.logto.browser.get("/sign-in"))
    assert "You can sign in with an email code or Naver." in first
    narrowed = await text_of(await app.logto.browser.get("/identifier-sign-in?identifier=email"))
    assert "Naver" not in narrowed


async def test_button_leads_to_naver_with_a_new_state(app: SocialApp) -> None:
    first, second = urlsplit(await app.leave()), urlsplit(await app.leave())
    assert f"{first.scheme}://{first.netloc}{first.path}" == f"{app.naver.base_url}/oauth2.0/authorize"
    asked, again = parse_qs(first.query), parse_qs(second.query)
    assert asked["redirect_uri"] == [CALLBACK]
    assert len(asked["state"][0]) >= 43
    assert asked["state"] != again["state"]


async def test_application_can_send_the_browser_to_naver_directly(app: SocialApp) -> None:
    response = await app.logto.browser.get("/direct/social/naver?app_id=client&fallback=register")
    assert (await moves_on_to(response)).startswith(app.naver.base_url)


async def test_form_of_another_site_begins_nothing(app: SocialApp) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    response = await app.logto.post("/direct/social/naver", {}, **headers)
    assert response.status_code == 403
    assert "Location" not in response.headers


# --- accounts


async def test_first_sign_in_creates_an_account_with_the_verified_address(app: SocialApp) -> None:
    assert is_signed_in(await app.round_trip())
    account = await app.signed_in()
    assert account["primary_email"] == "sujin@naver.example"
    assert (account["name"], account["avatar"]) == ("Sujin", "https://images.example/sujin.png")
    assert account["identities"] == {
        "naver": {
            "userId": "naver-sujin",
            "details": {
                "id": "naver-sujin",
                "avatar": "https://images.example/sujin.png",
                "email": "sujin@naver.example",
                "name": "Sujin",
                "rawData": {"resultcode": "00", "message": "success", "response": SUJIN.profile},
            },
        }
    }
    assert await app.logto.messages() == []


async def test_second_sign_in_finds_the_account_and_does_not_change_it(app: SocialApp) -> None:
    identity = {"naver": {"userId": "naver-sujin", "details": {"id": "naver-sujin"}}}
    user_id = await app.logto.add_user("sujin", name="Su", primary_email="su@work.test", identities=identity)
    assert is_signed_in(await app.round_trip())
    account = await app.signed_in()
    assert account["id"] == user_id
    assert (account["name"], account["primary_email"]) == ("Su", "su@work.test")
    assert account["identities"] == identity


async def test_person_without_an_address_at_naver_adds_one_with_a_code(app: SocialApp) -> None:
    app.naver.account = QUIET
    assert leads_to(await app.round_trip()) == "/continue/email?app_id=client"
    await app.logto.post("/continue/email?app_id=client", {"identifier": "q@work.test"})
    done = await app.logto.post(
        "/continue/verification-code?app_id=client", {"code": await last_code(app.logto)}
    )
    assert is_signed_in(done)
    account = await app.signed_in()
    assert account["primary_email"] == "q@work.test"
    assert account["identities"]["naver"]["userId"] == "naver-quiet"


async def test_sign_up_asks_for_a_username_and_not_for_a_password(app: SocialApp) -> None:
    sign_up = {"identifiers": ["username"], "password": True, "verify": False}
    await app.logto.configure(signUp=sign_up, **OFFERED)
    assert leads_to(await app.round_trip()) == "/continue/username?app_id=client"
    done = await app.logto.post("/continue/username?app_id=client", {"identifier": "sujin"})
    assert is_signed_in(done)
    account = await app.signed_in()
    assert (account["username"], account["password_hash"]) == ("sujin", None)


async def test_required_address_can_be_waived(app: SocialApp) -> None:
    app.naver.account = QUIET
    await app.logto.configure(**BY_EMAIL, socialSignIn={"skipRequiredIdentifiers": True})
    assert is_signed_in(await app.round_trip())
    assert (await app.signed_in())["primary_email"] is None


async def test_new_person_is_refused_where_registration_is_closed(app: SocialApp) -> None:
    await app.logto.configure(**BY_EMAIL, signInMode="SignIn")
    response = await app.round_trip()
    html = await text_of(response)
    assert response.status_code == 404
    assert "You cannot sign in with Naver" in html
    assert "The social account has not been registered yet." in html
    assert "Try another way" in html
    assert await app.logto.signed_in_user() is None


async def test_suspended_person_sees_why_sign_in_fails(app: SocialApp) -> None:
    await app.logto.add_user("sujin", identities={"naver": {"userId": "naver-sujin"}}, is_suspended=True)
    response = await app.round_trip()
    assert response.status_code == 401
    assert "This account is suspended." in await text_of(response)
    assert await app.logto.signed_in_user() is None


async def test_second_factor_is_required_after_naver(app: SocialApp) -> None:
    factor = totp_factor(new_totp_secret(), now_ms())
    identity = {"naver": {"userId": "naver-sujin"}}
    known = {"primary_email": "su@work.test", "identities": identity}
    await app.logto.add_user("sujin", mfa_verifications=[factor], **known)
    await app.logto.configure(**BY_EMAIL, mfa={"factors": ["Totp"], "policy": "UserControlled"})
    assert leads_to(await app.round_trip()).startswith("/mfa-verification/")
    assert await app.logto.signed_in_user() is None


# --- the state


async def test_return_with_another_state_is_refused(app: SocialApp) -> None:
    back = await app.agree(await app.leave())
    forged = re.sub(r"state=[^&]+", f"state={'x' * 43}", back)
    response = await app.come_back(forged)
    assert response.status_code == 403
    assert "This sign-in is no longer valid" in await text_of(response)
    assert app.naver.received[-1].path != "/oauth2.0/token"
    assert is_signed_in(await app.come_back(back))


async def test_return_to_another_connector_is_refused(app: SocialApp) -> None:
    mail = {"id": "mail00000001", "connector_id": "mailgun-email", "type": "Email"}
    with app.logto.store.begin() as connection:
        connection.execute(connectors.insert().values(**mail, target="mailgun", created_at=now_ms()))
    back = await app.agree(await app.leave())
    response = await app.come_back(back.replace(CONNECTOR, mail["id"]))
    assert response.status_code == 403
    assert is_signed_in(await app.come_back(back))


async def test_return_is_accepted_once(app: SocialApp) -> None:
    back = await app.agree(await app.leave())
    assert is_signed_in(await app.come_back(back))
    heard = len(app.naver.received)
    assert (await app.come_back(back)).status_code == 403
    assert len(app.naver.received) == heard


async def test_return_of_an_older_sign_in_is_refused(app: SocialApp) -> None:
    older = await app.agree(await app.leave())
    await app.leave()
    assert (await app.come_back(older)).status_code == 403
    assert await app.logto.signed_in_user() is None


async def test_return_in_another_browser_leads_to_unknown_session(app: SocialApp) -> None:
    back = await app.agree(await app.leave())
    stranger = app.logto.app.test_client()
    response = await stranger.get(back)
    assert (response.status_code, response.headers["Location"]) == (302, "/unknown-session")


async def test_state_of_the_api_is_not_accepted_by_the_pages(app: SocialApp) -> None:
    await app.logto.call("PUT", "", {"interactionEvent": "SignIn"})
    await app.call("authorization-uri", state="known", redirectUri=CALLBACK)
    query = urlencode({"code": "c", "state": "known"})
    assert (await app.come_back(f"/callback/{CONNECTOR}?{query}")).status_code == 403


# --- failures of Naver


async def test_refused_consent_is_explained_with_other_ways(app: SocialApp) -> None:
    response = await app.round_trip("cancel")
    html = await text_of(response)
    assert response.status_code == 403
    assert "You did not continue with Naver" in html
    assert 'href="/sign-in?app_id=client">Try another way<' in html
    assert 'href="/direct/social/naver?app_id=client">Continue with Naver again<' in html


@pytest.mark.parametrize("day", ["slow", "broken", "malformed", "wrong key", "error in 200", "gone"])
async def test_failure_of_naver_is_explained_and_another_way_works(app: SocialApp, day: str) -> None:
    await app.logto.add_user("alice")
    back = await app.agree(await app.leave())
    bad_days = {
        "slow": app.naver.answer_slowly,
        "broken": lambda: app.naver.refuse(500, "oops"),
        "malformed": app.naver.answer_malformed,
        "wrong key": lambda: setattr(app.naver, "client_secret", "another"),
        "error in 200": app.naver.expire,
        "gone": app.naver.drop_connections,
    }
    bad_days[day]()
    async with asyncio.timeout(5):
        response = await app.come_back(back)
    html = await text_of(response)
    assert response.status_code == 502
    assert "Signing in with Naver failed" in html
    assert "Try another way" in html
    assert "oops" not in html
    await app.logto.configure()
    signed_in = await app.logto.post("/sign-in", {"identifier": "alice", "password": PASSWORD})
    assert is_signed_in(signed_in)


async def test_sign_in_works_again_after_a_failure(app: SocialApp) -> None:
    back = await app.agree(await app.leave())
    app.naver.refuse(503)
    assert (await app.come_back(back)).status_code == 502
    app.naver.behave()
    assert is_signed_in(await app.round_trip())


async def test_text_of_the_provider_is_not_shown(app: SocialApp) -> None:
    state = parse_qs(urlsplit(await app.leave()).query)["state"][0]
    query = urlencode({"error": "access_denied", "error_description": "Call +44 now", "state": state})
    html = await text_of(await app.come_back(f"/callback/{CONNECTOR}?{query}"))
    assert "Call +44 now" not in html
