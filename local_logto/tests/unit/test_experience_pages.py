"""The sign-in pages: what they offer, where they lead, and what they refuse."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from unit.experience_app import (
    CODES_AND_PASSWORDS,
    PASSWORD,
    ExperienceApp,
)
from unit.experience_calls import last_code
from unit.page_reading import leads_to, page, text_of


def write_demo_people(tmp_path: Path, password: str = PASSWORD) -> None:
    people = [{"identifier": "alice", "password": password, "name": "Alice", "hint": "admin of Acme"}]
    (tmp_path / "people.json").write_text(json.dumps(people))


async def test_form_signs_in_and_returns_to_the_authorization_request(logto: ExperienceApp) -> None:
    user_id = await logto.add_user("alice")
    form = {"identifier": "alice", "password": PASSWORD}
    response = await logto.post("/sign-in?app_id=client", form)
    assert leads_to(response) == f"http://localhost/oidc/auth/{logto.interaction.uid}"
    assert await logto.signed_in_user() == user_id


async def test_wrong_password_keeps_the_username_and_never_the_password(logto: ExperienceApp) -> None:
    form = {"identifier": "<alice>", "password": "not-this-one"}
    response = await logto.post("/sign-in", form)
    html = await text_of(response)
    assert response.status_code == 422
    assert 'value="&lt;alice&gt;"' in html
    assert "not-this-one" not in html
    assert 'aria-describedby="password-error"' in html
    assert "Incorrect account or password. Please check your input." in html


async def test_empty_fields_are_named_and_the_first_has_the_focus(logto: ExperienceApp) -> None:
    html = await text_of(await logto.post("/sign-in", {"identifier": " ", "password": ""}))
    assert "Username is required." in html
    assert "Password is required." in html
    before_password = html.split('id="password"')[0]
    assert "autofocus" in before_password


async def test_suspended_person_sees_why_sign_in_fails(logto: ExperienceApp) -> None:
    await logto.add_user("alice", is_suspended=True)
    response = await logto.post("/sign-in", {"identifier": "alice", "password": PASSWORD})
    assert response.status_code == 401
    assert "This account is suspended." in await text_of(response)


async def test_login_hint_fills_the_field_and_is_passed_on_by_the_links(logto: ExperienceApp) -> None:
    query = "app_id=client&ui_locales=ko&organization_id=o1&login_hint=bob%40example.test"
    html = await page(logto, f"/register?{query}")
    assert 'value="bob@example.test"' in html
    link = html.split('href="/sign-in?')[1].split('"')[0].replace("&amp;", "&")
    assert parse_qs(link) == parse_qs(query)


@pytest.mark.parametrize(
    ("methods", "label"),
    [(["username"], "Username"), (["email"], "Email"), (["email", "username"], "Username / Email")],
)
async def test_label_names_every_way_to_sign_in(logto: ExperienceApp, methods: list[str], label: str) -> None:
    enabled = [{"identifier": name, "password": True, "verificationCode": False} for name in methods]
    await logto.configure(signIn={"methods": enabled})
    assert f'<label for="identifier">{label}</label>' in await page(logto, "/sign-in")


async def test_links_follow_the_configuration(logto: ExperienceApp) -> None:
    plain = await page(logto, "/sign-in")
    assert "Create account" in plain
    assert "Forgot your password?" not in plain
    await logto.configure(signInMode="SignIn", forgotPasswordMethods=["EmailVerificationCode"])
    invite_only = await page(logto, "/sign-in")
    assert "Create account" not in invite_only
    assert "Forgot your password?" in invite_only
    assert leads_to(await logto.browser.get("/register")) == "/sign-in"


async def test_passwords_that_differ_are_refused(logto: ExperienceApp) -> None:
    await logto.post("/register?app_id=client", {"identifier": "nina"})
    refused = await logto.post("/register/password", {"password": PASSWORD, "confirmPassword": "another"})
    assert refused.status_code == 422
    assert "Your passwords don’t match." in await text_of(refused)


async def test_sign_up_asks_for_username_and_then_password(logto: ExperienceApp) -> None:
    first = await logto.post("/register?app_id=client", {"identifier": "nina"})
    assert leads_to(first) == "/register/password?app_id=client"
    weak = await logto.post("/register/password", {"password": "12345", "confirmPassword": "12345"})
    assert weak.status_code == 422
    assert "Use at least 8 characters. Avoid sequences such as 123 or abc." in await text_of(weak)
    done = await logto.post("/register/password", {"password": PASSWORD, "confirmPassword": PASSWORD})
    assert "/oidc/auth/" in leads_to(done)
    user_id = await logto.signed_in_user()
    assert user_id is not None
    assert (await logto.user(user_id))["username"] == "nina"


async def test_taken_username_is_refused_on_the_first_page(logto: ExperienceApp) -> None:
    await logto.add_user("nina")
    response = await logto.post("/register", {"identifier": "nina"})
    assert response.status_code == 422
    assert "This username is already in use." in await text_of(response)


async def test_sign_up_continues_with_the_missing_email_address(logto: ExperienceApp) -> None:
    await logto.configure(**CODES_AND_PASSWORDS)
    await logto.post("/register", {"identifier": "nina"})
    password = await logto.post("/register/password", {"password": PASSWORD, "confirmPassword": PASSWORD})
    assert leads_to(password) == "/continue/email"
    sent = await logto.post("/continue/email", {"identifier": "nina@example.test"})
    assert leads_to(sent) == "/continue/verification-code"
    assert "nina@example.test" in await page(logto, "/continue/verification-code")
    done = await logto.post("/continue/verification-code", {"code": await last_code(logto)})
    assert "/oidc/auth/" in leads_to(done)
    user_id = await logto.signed_in_user()
    assert user_id is not None
    assert (await logto.user(user_id))["primary_email"] == "nina@example.test"


async def test_person_without_the_required_email_address_adds_it_at_sign_in(logto: ExperienceApp) -> None:
    await logto.configure(**CODES_AND_PASSWORDS)
    user_id = await logto.add_user("nina")
    await logto.post("/sign-in", {"identifier": "nina"})
    proven = await logto.post("/sign-in/password", {"password": PASSWORD})
    assert leads_to(proven) == "/continue/email"
    assert await logto.signed_in_user() is None
    await logto.post("/continue/email", {"identifier": "nina@example.test"})
    done = await logto.post("/continue/verification-code", {"code": await last_code(logto)})
    assert "/oidc/auth/" in leads_to(done)
    assert (await logto.user(user_id))["primary_email"] == "nina@example.test"


async def test_password_reset_that_is_not_configured_is_explained(logto: ExperienceApp) -> None:
    assert "Password reset isn’t available" in await page(logto, "/reset-password")


@pytest.mark.parametrize(
    ("path", "start"),
    [
        ("/sign-in/password", "/sign-in"),
        ("/sign-in/verification-code", "/sign-in"),
        ("/register/password", "/register"),
        ("/register/verification-code", "/register"),
        ("/continue/email", "/sign-in"),
        ("/forgot-password/reset", "/forgot-password"),
    ],
)
async def test_second_page_redirects_to_the_first_if_opened_directly(
    logto: ExperienceApp, path: str, start: str
) -> None:
    assert leads_to(await logto.browser.get(path)) == start


async def test_pages_without_an_interaction_redirect_to_unknown_session(logto: ExperienceApp) -> None:
    stranger = logto.app.test_client()
    for path in ("/sign-in", "/register", "/reset-password", "/identifier-sign-in", "/continue/email"):
        response = await stranger.get(path)
        assert (response.status_code, response.headers["Location"]) == (302, "/unknown-session")
    assert "This sign-in has expired" in await page(logto, "/unknown-session")


async def test_unknown_session_redirects_to_the_configured_address(logto: ExperienceApp) -> None:
    await logto.configure(unknownSessionRedirectUrl="http://localhost:3000/sign-in")
    response = await logto.app.test_client().get("/sign-in")
    assert response.headers["Location"] == "http://localhost:3000/sign-in"


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"X-Nothing": "1"},
    ],
)
async def test_form_of_another_site_is_refused(logto: ExperienceApp, headers: dict[str, str]) -> None:
    await logto.add_user("alice")
    form = {"identifier": "alice", "password": PASSWORD}
    response = await logto.post("/sign-in", form, **headers)
    assert response.status_code == 403
    assert await logto.signed_in_user() is None


async def test_form_with_the_servers_own_origin_is_accepted(logto: ExperienceApp) -> None:
    await logto.add_user("alice")
    form = {"identifier": "alice", "password": PASSWORD}
    response = await logto.post("/sign-in", form, Origin="http://localhost")
    assert response.status_code == 303


async def test_demo_person_signs_in_with_one_click(logto: ExperienceApp, tmp_path: Path) -> None:
    write_demo_people(tmp_path)
    user_id = await logto.add_user("alice")
    assert "admin of Acme" in await page(logto, "/sign-in")
    response = await logto.post("/demo-sign-in?app_id=client", {"person": "alice"})
    assert "/oidc/auth/" in leads_to(response)
    assert await logto.signed_in_user() == user_id


@pytest.mark.parametrize("person", ["alice", "mallory"])
async def test_demo_person_without_account_is_explained(
    logto: ExperienceApp, tmp_path: Path, person: str
) -> None:
    write_demo_people(tmp_path)
    response = await logto.post("/demo-sign-in", {"person": person})
    assert response.status_code == 422
    assert 'role="alert"' in await text_of(response)
    assert await logto.signed_in_user() is None


async def test_pages_run_no_inline_code_and_are_not_cached(logto: ExperienceApp) -> None:
    for path in ("/sign-in", "/", "/messages", "/unknown-session"):
        response = await logto.browser.get(path)
        html = await text_of(response)
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert set(re.findall("<script[^>]*>", html)) <= {'<script src="/static/form.js" defer>'}
        assert " style=" not in html
        assert response.headers["X-Frame-Options"] == "DENY"
        assert response.headers["Cache-Control"] == "no-store"
        assert "Development identity provider" in html


async def test_forms_may_redirect_only_to_the_application(logto: ExperienceApp) -> None:
    response = await logto.browser.get("/sign-in")
    directives = response.headers["Content-Security-Policy"].split("; ")
    assert "form-action 'self' http://localhost:3000" in directives


async def test_direct_sign_in_without_a_connector_redirects_to_the_fallback(logto: ExperienceApp) -> None:
    known = await logto.browser.get("/direct/social/naver?app_id=client&fallback=register")
    assert leads_to(known) == "/register?app_id=client"
    evil = await logto.browser.get("/direct/social/naver?fallback=/evil.example")
    assert leads_to(evil) == "/sign-in"


async def test_messages_page_shows_the_code(logto: ExperienceApp) -> None:
    assert "No messages yet." in await page(logto, "/messages")
    await logto.configure(**CODES_AND_PASSWORDS)
    await logto.post("/sign-in", {"identifier": "nina@example.test"})
    html = await page(logto, "/messages")
    assert await last_code(logto) in html
    assert "nina@example.test" in html


async def test_identifier_page_offers_only_the_requested_kind(logto: ExperienceApp) -> None:
    enabled = [{"identifier": n, "password": True, "verificationCode": False} for n in ("username", "email")]
    await logto.configure(signIn={"methods": enabled})
    assert ">Email</label>" in await page(logto, "/identifier-sign-in?identifier=email")
    assert ">Username / Email</label>" in await page(logto, "/identifier-sign-in?identifier=banana")
    assert ">Username / Email</label>" in await page(logto, "/sign-in?identifier=email")


async def test_page_without_sign_in_methods_has_no_form(logto: ExperienceApp) -> None:
    await logto.configure(signIn={"methods": []})
    for path in ("/sign-in", "/identifier-sign-in?identifier=email"):
        html = await page(logto, path)
        assert "Sign in" in html
        assert "<input" not in html
    assert (await logto.post("/sign-in", {"identifier": "alice"})).status_code == 200


async def test_identifier_page_links_to_all_options(logto: ExperienceApp) -> None:
    html = await page(logto, "/identifier-sign-in?identifier=username&login_hint=alice")
    assert "Enter your username to sign in." in html
    assert 'value="alice"' in html
    assert "All sign-in options" in html
    html = await page(logto, "/identifier-register?identifier=username")
    assert "Enter your username to create a new account." in html
    assert "All account creation options" in html


async def test_back_leads_to_the_identifier_page_until_all_options_are_chosen(logto: ExperienceApp) -> None:
    await logto.configure(**CODES_AND_PASSWORDS)
    first = "/identifier-sign-in?identifier=email"
    code_page = leads_to(await logto.post(first, {"identifier": "nina@example.test"}))
    assert f'href="{first}">Back</a>' in await page(logto, code_page)
    assert f'href="{first}">Back</a>' in await page(logto, "/sign-in/password?identifier=email")
    assert 'href="/sign-in">All sign-in options</a>' in await page(logto, first)
    code_page = leads_to(await logto.post("/sign-in?identifier=email", {"identifier": "nina@example.test"}))
    assert 'href="/sign-in">Back</a>' in await page(logto, code_page)


async def test_identifier_page_has_a_password_field_if_every_kind_on_it_has_passwords(
    logto: ExperienceApp,
) -> None:
    await logto.configure(**CODES_AND_PASSWORDS)
    assert 'name="password"' in await page(logto, "/identifier-sign-in?identifier=username")
    assert 'name="password"' not in await page(logto, "/identifier-sign-in?identifier=email")


async def test_static_files_are_served(logto: ExperienceApp) -> None:
    html = await page(logto, "/")
    stylesheet = html.split('rel="stylesheet" href="')[1].split('"')[0]
    response = await logto.browser.get(stylesheet)
    assert response.status_code == 200
    assert urlsplit(stylesheet).netloc == ""
    assert "prefers-color-scheme: dark" in await text_of(response)
