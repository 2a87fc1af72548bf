"""Signing in, renewing and signing out, at a real provider."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
from quart import Quart

from saas_app.config import Settings
from saas_app.models import SessionRow, SessionToken
from saas_app.rbac.permissions import Permission
from saas_app.runtime import Runtime
from tests.conftest import OpenBrowser
from tests.factories import Factory


async def test_a_person_signs_in_and_sees_their_claims(make: Factory, open_browser: OpenBrowser) -> None:
    person = await make.person("Nora")
    browser = await open_browser()

    assert await browser.sign_in(person) == "/"
    page = await (await browser.get("/account")).get_data(as_text=True)

    assert "Nora" in page
    assert f"{person.username}@example.test" in page


async def test_a_page_redirects_visitors_to_sign_in_and_back(open_browser: OpenBrowser) -> None:
    answer = await (await open_browser()).get("/account?tab=1", 303)
    assert answer.headers["Location"] == "/sign-in?next=%2Faccount%3Ftab%3D1"


async def test_the_api_answers_visitors_with_401(open_browser: OpenBrowser) -> None:
    answer = await (await open_browser()).get("/api/v1/me", 401)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.content_type == "application/problem+json"
    assert (await answer.get_json())["code"] == "sign-in-required"


async def test_me_describes_the_signed_in_person(make: Factory, open_browser: OpenBrowser) -> None:
    person = await make.person()
    browser = await open_browser(person)

    body = await (await browser.get("/api/v1/me")).get_json()

    assert body["subject"] == person.id
    assert body["claims"]["username"] == person.username


async def test_a_sign_in_leads_back_to_the_requested_page(make: Factory, open_browser: OpenBrowser) -> None:
    browser = await open_browser()
    assert await browser.sign_in(await make.person(), "/sign-in?next=/account%3Ftab%3D1") == "/account?tab=1"


@pytest.mark.parametrize(
    "way_back", ["//evil.test", "/%5Cevil.test", "https:evil.test", "%2F%2Fevil.test", "/%09/evil.test"]
)
async def test_a_sign_in_never_leads_to_another_site(
    make: Factory, open_browser: OpenBrowser, way_back: str
) -> None:
    browser = await open_browser()
    assert await browser.sign_in(await make.person(), f"/sign-in?next={way_back}") == "/"


async def test_the_authorization_request_has_every_scope_and_parameter(
    open_browser: OpenBrowser, settings: Settings
) -> None:
    browser = await open_browser()
    response = await browser.get("/sign-in?direct_sign_in=social:naver&login_hint=a@b.test", 303)

    url = urlsplit(response.headers["Location"])
    query = parse_qs(url.query)
    scopes = set(query["scope"][0].split())
    assert {"openid", "offline_access", "profile", "email", "phone", "identities"} <= scopes
    assert {"urn:logto:scope:organizations", "urn:logto:scope:organization_roles"} <= scopes
    assert {permission.value for permission in Permission} <= scopes
    assert set(query["resource"]) == {settings.api_resource, "urn:logto:resource:organizations"}
    assert query["prompt"] == ["consent"]
    assert query["code_challenge_method"] == ["S256"]
    assert query["direct_sign_in"] == ["social:naver"]
    assert query["login_hint"] == ["a@b.test"]
    assert len(query["nonce"][0]) >= 32
    assert len(query["state"][0]) >= 32


async def test_sign_up_begins_at_the_registration_page(open_browser: OpenBrowser) -> None:
    browser = await open_browser()
    response = await browser.get("/sign-up", 303)
    assert "first_screen=register" in response.headers["Location"]


async def test_two_tabs_that_sign_in_at_once_both_succeed(make: Factory, open_browser: OpenBrowser) -> None:
    person, browser = await make.person(), await open_browser()
    first = await browser.get("/sign-in?next=/account", 303)
    second = await browser.get("/sign-in?next=/o", 303)

    for started, lands_at in ((second, "/o"), (first, "/account")):
        assert await browser.come_back(started.headers["Location"], person) == lands_at


async def test_every_sign_in_creates_a_new_session_and_ends_the_old_one(
    make: Factory, open_browser: OpenBrowser
) -> None:
    person = await make.person()
    browser, stale = await open_browser(person), await open_browser()
    before = browser.session_cookie

    await browser.sign_in(person)

    assert browser.session_cookie != before
    stale.session_cookie = before
    await stale.get("/account", 303)


async def test_cookies_and_tokens_are_stored_hashed_or_encrypted(
    make: Factory, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    person = await make.person()
    browser = await open_browser(person)
    organization_id = await make.organization("Acme", admin=person)
    await browser.follow(f"/o/{organization_id}/projects")
    async with runtime.jobs.writing() as db:
        row = (await db.execute(sa.select(SessionRow).where(SessionRow.subject == person.id))).scalar_one()
        tokens = list(
            await db.scalars(sa.select(SessionToken.token).where(SessionToken.session_id == row.id))
        )

    cookie = browser.session_cookie
    assert cookie.encode() not in row.cookie_hash
    assert tokens
    for sealed in (row.id_token, row.refresh_token, *tokens):
        assert sealed is not None
        assert sealed.startswith(b"gAAAA")  # a Fernet token, not a JWT
        assert b"." not in sealed  # which every JWT has, and no Fernet token


async def test_cookies_are_http_only_and_same_site(make: Factory, open_browser: OpenBrowser) -> None:
    browser = await open_browser()
    started = await browser.get("/sign-in", 303)
    done = await browser.get(await browser.callback_of(started.headers["Location"], await make.person()), 303)

    for response in (started, done):
        (cookie,) = response.headers.getlist("Set-Cookie")
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert "Path=/" in cookie


async def test_signing_out_ends_the_session_and_the_grant(
    make: Factory, open_browser: OpenBrowser, runtime: Runtime, settings: Settings
) -> None:
    person = await make.person()
    browser = await open_browser(person)
    access = await runtime.sessions.find_access(browser.session_cookie, None)
    assert access is not None
    refresh_token = await runtime.session_tokens.find_refresh_token(access.principal.session_id)
    provider = runtime.profiles._provider
    client = await provider.client({"refreshToken": refresh_token or ""})

    done = await browser.post("/sign-out")

    assert done.headers["Location"].startswith(f"{settings.logto_endpoint}/oidc/session/end?client_id=")
    assert (await browser.get("/account", 303)).headers["Location"].startswith("/sign-in")

    async def keep(_token: str) -> None:
        raise AssertionError("the grant is alive")

    with pytest.raises(Exception, match="invalid_grant"):
        await client.refresh(keep)


async def test_nobody_ends_the_sessions_of_another_person(make: Factory, open_browser: OpenBrowser) -> None:
    person = await make.person()
    here, there = await open_browser(person), await open_browser(person)
    stranger = await open_browser(await make.person())
    listed = await (await here.get("/account")).get_data(as_text=True)
    ids = {part.split("/end")[0] for part in listed.split("/account/sessions/")[1:]}
    assert ids

    for session_id in ids:
        await stranger.post(f"/account/sessions/{session_id}/end", expect=404)

    await there.get("/account")


async def test_signing_out_everywhere_ends_every_session(make: Factory, open_browser: OpenBrowser) -> None:
    person = await make.person()
    here, there = await open_browser(person), await open_browser(person)

    await here.post("/account/sign-out-everywhere")

    await here.get("/account", 303)
    await there.get("/account", 303)


def test_the_application_under_test_is_the_real_one(app: Quart) -> None:
    assert app.name == "saas_app.app"
