"""Single sign-on on the pages: which addresses lead to a company, the way there and back, and failures."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from quart import Response

from local_logto.connectors.enterprise import sso_connectors
from local_logto.fakes.openid import OpenIdPerson
from unit.company_app import CALLBACK, CONNECTOR, DOMAIN, MARIA, SSO, CompanyApp, company_app
from unit.experience_app import CODES_AND_PASSWORDS, PASSWORD
from unit.experience_calls import last_code
from unit.page_reading import leads_to, moves_on_to, page, text_of
from unit.social_app import is_signed_in

EMAIL = str(MARIA.claims["email"])
CHOICE = "/single-sign-on/connectors?app_id=client"
WITHOUT_EMAIL = {"signIn": {"methods": []}}


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[CompanyApp]:
    async with company_app(tmp_path) as running:
        yield running


async def enter(app: CompanyApp, path: str, email: str = EMAIL, **more: str) -> Response:
    return await app.logto.post(f"{path}?app_id=client", {"identifier": email, **more})


# --- which addresses lead to a company


@pytest.mark.parametrize("path", ["/sign-in", "/identifier-sign-in", "/register", "/single-sign-on/email"])
async def test_address_of_the_domain_leads_to_the_company(app: CompanyApp, path: str) -> None:
    await app.logto.configure(**SSO, **CODES_AND_PASSWORDS)
    assert leads_to(await enter(app, path, EMAIL.upper())) == CHOICE


@pytest.mark.parametrize("password", ["", "guessed"])
async def test_address_leads_to_the_company_whatever_the_password(app: CompanyApp, password: str) -> None:
    assert leads_to(await enter(app, "/sign-in", password=password)) == CHOICE


@pytest.mark.parametrize("email", [f"maria@sub.{DOMAIN}", "maria@elsewhere.example", "maria", DOMAIN])
async def test_other_identifier_leads_to_the_password(app: CompanyApp, email: str) -> None:
    response = await enter(app, "/sign-in", email)
    assert response.status_code == 422
    assert "Password is required." in await text_of(response)


async def test_nothing_leads_to_the_company_while_single_sign_on_is_off(app: CompanyApp) -> None:
    await app.logto.configure(**CODES_AND_PASSWORDS)
    assert "single sign-on" not in await page(app.logto, "/sign-in")
    assert leads_to(await enter(app, "/sign-in")).startswith("/sign-in/verification-code")
    assert leads_to(await app.logto.browser.get(f"/direct/sso/{CONNECTOR}")) == "/sign-in"


async def test_sign_in_page_names_single_sign_on_and_links_to_it(app: CompanyApp) -> None:
    html = await page(app.logto, "/sign-in?app_id=client")
    assert "You can sign in with a password or single sign-on." in html
    assert 'href="/single-sign-on/email?app_id=client">Use single sign-on<' in html


async def test_sign_in_page_without_a_connector_names_none(app: CompanyApp) -> None:
    app.change_connector(domains=[])
    assert "single sign-on" not in await page(app.logto, "/sign-in")
    notice = await page(app.logto, "/single-sign-on")
    assert "No enterprise connector is configured on this server." in notice


async def test_first_screen_of_an_application_asks_for_the_address(app: CompanyApp) -> None:
    response = await app.logto.browser.get("/single-sign-on?app_id=client")
    assert leads_to(response) == "/single-sign-on/email?app_id=client"


async def test_unknown_domain_is_explained(app: CompanyApp) -> None:
    response = await enter(app, "/single-sign-on/email", "maria@elsewhere.example")
    assert response.status_code == 422
    assert "Single sign-on is not enabled for this email account." in await text_of(response)


async def test_malformed_address_is_explained(app: CompanyApp) -> None:
    response = await enter(app, "/single-sign-on/email", "maria")
    assert response.status_code == 422
    assert "The email is invalid." in await text_of(response)


async def test_server_with_nothing_but_single_sign_on_offers_it(app: CompanyApp) -> None:
    await app.logto.configure(**SSO, **WITHOUT_EMAIL)
    html = await page(app.logto, "/sign-in")
    assert "Use single sign-on" in html
    assert "<input" not in html


async def test_demo_person_of_the_domain_is_led_to_the_company(app: CompanyApp, tmp_path: Path) -> None:
    person = {"identifier": EMAIL, "password": PASSWORD, "name": "Maria"}
    (tmp_path / "people.json").write_text(json.dumps([person]))
    await app.logto.add_user("maria", primary_email=EMAIL)
    await app.logto.configure(**SSO, **CODES_AND_PASSWORDS)
    response = await app.logto.post("/demo-sign-in?app_id=client", {"person": EMAIL})
    assert leads_to(response) == CHOICE
    assert EMAIL in await page(app.logto, CHOICE)


async def test_code_that_was_sent_before_the_domain_was_added_leads_to_the_company(app: CompanyApp) -> None:
    await app.logto.add_user("maria", primary_email=EMAIL)
    await app.logto.configure(**SSO, **CODES_AND_PASSWORDS)
    app.change_connector(domains=["later.example"])
    assert leads_to(await enter(app, "/sign-in")).startswith("/sign-in/verification-code")
    app.change_connector(domains=[DOMAIN])
    path = "/sign-in/verification-code?app_id=client"
    assert leads_to(await app.logto.post(path, {"code": await last_code(app.logto)})) == CHOICE


# --- the page of the address's providers


async def test_page_offers_the_only_provider(app: CompanyApp) -> None:
    await enter(app, "/sign-in")
    html = await page(app.logto, CHOICE)
    assert f"Your enterprise has enabled single sign-on for {EMAIL}." in html
    assert "<span>Continue with single sign-on</span> <small>Corp</small>" in html
    assert f'href="/direct/sso/{CONNECTOR}?app_id=client"' in html
    assert 'href="/sign-in?app_id=client">Other ways to sign in<' in html


async def test_page_offers_every_provider_by_name(app: CompanyApp) -> None:
    await app.add_connector("second000001", branding={})
    await enter(app, "/sign-in")
    html = await page(app.logto, CHOICE)
    host = urlsplit(app.provider.issuer).netloc
    assert "<span>Continue with Corp</span>" in html
    assert f"<span>Continue with {host}</span>" in html
    assert "second000001</span>" not in html


async def test_page_without_an_address_asks_for_one(app: CompanyApp) -> None:
    assert leads_to(await app.logto.browser.get(CHOICE)) == "/single-sign-on/email?app_id=client"


async def test_pages_speak_spanish(app: CompanyApp) -> None:
    await enter(app, "/sign-in")
    response = await app.logto.browser.get(CHOICE, headers={"Accept-Language": "es"})
    html = await text_of(response)
    assert f"Tu empresa ha activado el inicio de sesión único para {EMAIL}." in html
    assert "Continuar con el inicio de sesión único" in html


# --- the way there and back


async def test_link_leads_to_the_provider_with_a_new_state_and_nonce(app: CompanyApp) -> None:
    first, second = await app.leave(), await app.leave()
    asked, again = (parse_qs(urlsplit(url).query) for url in (first, second))
    assert first.startswith(f"{app.provider.base_url}/auth?")
    assert asked["redirect_uri"] == [CALLBACK]
    assert asked["scope"] == ["openid profile email"]
    assert len(asked["state"][0]) >= 43
    assert not {*asked["state"], *asked["nonce"]} & {*again["state"], *again["nonce"]}


async def test_moving_page_has_a_link_for_browsers_that_stay(app: CompanyApp) -> None:
    response = await app.logto.browser.get(f"/direct/sso/{CONNECTOR}?app_id=client")
    html = await text_of(response)
    assert html.count(f"{app.provider.base_url}/auth?") == 2
    assert re.search(r'<a href="http[^"]+/auth\?[^"]+">Continue</a>', html)
    assert response.headers["Referrer-Policy"] == "same-origin"


async def test_first_sign_in_creates_an_account(app: CompanyApp) -> None:
    assert is_signed_in(await app.round_trip())
    account = await app.signed_in()
    assert (account["primary_email"], account["name"]) == (EMAIL, "Maria")
    assert app.identities() == [(account["id"], app.provider.issuer, MARIA.id)]


async def test_account_with_the_address_is_linked_without_a_question(app: CompanyApp) -> None:
    maria = await app.logto.add_user("maria", primary_email=EMAIL)
    assert is_signed_in(await app.round_trip())
    assert (await app.signed_in())["id"] == maria
    assert app.identities() == [(maria, app.provider.issuer, MARIA.id)]


async def test_second_sign_in_finds_the_account(app: CompanyApp) -> None:
    maria = await app.logto.add_user("maria")
    app.link(maria, MARIA)
    assert is_signed_in(await app.round_trip())
    assert (await app.signed_in())["id"] == maria


async def test_person_without_a_verified_address_gets_an_account(app: CompanyApp) -> None:
    app.provider.person = OpenIdPerson("quiet")
    assert is_signed_in(await app.round_trip())
    assert (await app.signed_in())["primary_email"] is None


async def test_return_with_another_state_is_refused(app: CompanyApp) -> None:
    back = await app.visit(await app.leave())
    forged = re.sub(r"state=[^&]+", f"state={'x' * 43}", back)
    response = await app.come_back(forged)
    assert response.status_code == 403
    assert "This sign-in is no longer valid" in await text_of(response)
    assert is_signed_in(await app.come_back(back))


async def test_return_is_accepted_once(app: CompanyApp) -> None:
    back = await app.visit(await app.leave())
    assert is_signed_in(await app.come_back(back))
    heard = len(app.provider.received)
    assert (await app.come_back(back)).status_code == 403
    assert len(app.provider.received) == heard


async def test_return_in_another_browser_leads_to_unknown_session(app: CompanyApp) -> None:
    back = await app.visit(await app.leave())
    response = await app.logto.app.test_client().get(back)
    assert (response.status_code, response.headers["Location"]) == (302, "/unknown-session")


async def test_return_after_the_connector_was_deleted_is_refused(app: CompanyApp) -> None:
    back = await app.visit(await app.leave())
    with app.logto.store.begin() as connection:
        connection.execute(sso_connectors.delete())
    assert (await app.come_back(back)).status_code == 403


@pytest.mark.parametrize("target", ["unknown", ""])
async def test_unknown_connector_leads_to_the_fallback(app: CompanyApp, target: str) -> None:
    path = "/".join(["/direct/sso", target] if target else ["/direct/sso"])
    response = await app.logto.browser.get(f"{path}?app_id=client&fallback=register")
    assert leads_to(response) == "/register?app_id=client"


# --- failures


async def test_closed_sign_up_is_explained(app: CompanyApp) -> None:
    await app.logto.configure(**SSO, signInMode="SignIn")
    response = await app.round_trip()
    html = await text_of(response)
    assert response.status_code == 404
    assert "You cannot sign in with Corp" in html
    assert "The enterprise SSO account has not been registered yet." in html
    assert await app.logto.signed_in_user() is None


async def test_suspended_person_sees_why_sign_in_fails(app: CompanyApp) -> None:
    app.link(await app.logto.add_user("maria", is_suspended=True), MARIA)
    response = await app.round_trip()
    assert response.status_code == 401
    assert "This account is suspended." in await text_of(response)


async def test_refusal_at_the_provider_is_explained_in_our_words(app: CompanyApp) -> None:
    state = parse_qs(urlsplit(await app.leave()).query)["state"][0]
    query = urlencode({"error": "access_denied", "error_description": "Call +44 now", "state": state})
    response = await app.come_back(f"/callback/{CONNECTOR}?{query}")
    html = await text_of(response)
    assert response.status_code == 403
    assert "You did not continue with Corp" in html
    assert "Call +44 now" not in html
    assert f'href="/direct/sso/{CONNECTOR}?app_id=client">Continue with Corp again<' in html


@pytest.mark.parametrize("day", ["slow", "broken", "malformed", "wrong key", "gone"])
async def test_failure_of_the_provider_is_explained(app: CompanyApp, day: str) -> None:
    back = await app.visit(await app.leave())
    bad_days = {
        "slow": app.provider.answer_slowly,
        "broken": lambda: app.provider.refuse(500, "oops"),
        "malformed": app.provider.answer_malformed,
        "wrong key": lambda: setattr(app.provider, "client_secret", "another"),
        "gone": app.provider.drop_connections,
    }
    bad_days[day]()
    response = await app.come_back(back)
    html = await text_of(response)
    assert response.status_code == 502
    assert "Signing in with Corp failed" in html
    assert "oops" not in html


async def test_provider_that_is_down_is_explained_before_anyone_is_sent_there(app: CompanyApp) -> None:
    app.provider.refuse(503)
    response = await app.logto.browser.get(f"/direct/sso/{CONNECTOR}?app_id=client")
    assert response.status_code == 502
    assert "Signing in with Corp failed" in await text_of(response)
    app.provider.behave()
    assert (await moves_on_to(await app.logto.browser.get(f"/direct/sso/{CONNECTOR}"))).startswith("http")
