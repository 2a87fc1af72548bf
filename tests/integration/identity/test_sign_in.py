"""Signing in, renewing and out, through a real provider."""

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


async def test_the_guard_redirects_pages_and_answers_401_to_programs(open_browser: OpenBrowser) -> None:
    browser = await open_browser()

    page = await browser.get("/account?tab=1", 303)
    assert page.headers["Location"] == "/sign-in?next=%2Faccount%3Ftab%3D1"
    program = await browser.get("/api/v1/me", 401)
    assert program.headers["WWW-Authenticate"].startswith("Bearer")
    assert program.content_type == "application/problem+json"
    assert (await program.get_json())["code"] == "sign-in-required"


async def test_json_for_who_is_signed_in(make: Factory, open_browser: OpenBrowser) -> None:
    person = await make.person()
    browser = await open_browser(person)

    body = await (await browser.get("/api/v1/me")).get_json()

    assert body["subject"] == person.id
    assert body["claims"]["username"] == person.username


async def test_the_way_back_leads_to_the_page_that_was_asked_for(
    make: Factory, open_browser: OpenBrowser
) -> None:
    browser = await open_browser()
    assert await browser.sign_in(await make.person(), "/sign-in?next=/account%3Ftab%3D1") == "/account?tab=1"


@pytest.mark.parametrize(
    "way_back", ["//evil.test", "/%5Cevil.test", "https:evil.test", "%2F%2Fevil.test", "/%09/evil.test"]
)
async def test_the_way_back_never_leads_away(make: Factory, open_browser: OpenBrowser, way_back: str) -> None:
    browser = await open_browser()
    assert await browser.sign_in(await make.person(), f"/sign-in?next={way_back}") == "/"


async def test_the_authorization_request_asks_for_all_it_needs(
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


async def test_two_tabs_that_sign_in_at_once_both_succeed(
    make: Factory, open_browser: OpenBrowser, settings: Settings
) -> None:
    person = await make.person()
    browser = await open_browser()
    first = await browser.get("/sign-in?next=/account", 303)
    second = await browser.get("/sign-in?next=/o", 303)

    for started, lands_at in ((second, "/o"), (first, "/account")):
        callback = await browser.logto.authorize(started.headers["Location"], person, settings.redirect_uri)
        done = await browser.get(callback.removeprefix(settings.app_url), 303)
        assert done.headers["Location"] == lands_at


async def test_a_new_session_id_at_every_sign_in(make: Factory, open_browser: OpenBrowser) -> None:
    person = await make.person()
    browser = await open_browser(person)
    before = _session_cookie(browser.app)
    await browser.sign_in(person)

    assert _session_cookie(browser.app) != before
    stale = browser.app.app.test_client()
    stale.set_cookie("localhost", "workroom_session", before)
    assert (await stale.get("/account")).status_code == 303


async def test_nothing_readable_is_stored(make: Factory, open_browser: OpenBrowser, runtime: Runtime) -> None:
    person = await make.person()
    browser = await open_browser(person)
    organization_id = await make.organization("Acme", admin=person)
    await browser.follow(f"/o/{organization_id}/projects")
    async with runtime.work.reading() as db:
        row = (await db.execute(sa.select(SessionRow).where(SessionRow.subject == person.id))).scalar_one()
        tokens = list(
            await db.scalars(sa.select(SessionToken.token).where(SessionToken.session_id == row.id))
        )

    cookie = _session_cookie(browser.app)
    assert cookie.encode() not in row.cookie_hash
    assert tokens
    for sealed in (row.id_token, row.refresh_token, *tokens):
        assert sealed is not None
        assert sealed.startswith(b"gAAAA")  # a Fernet token, not a JWT
        assert b"." not in sealed  # which every JWT has, and no Fernet token


async def test_cookie_flags(make: Factory, open_browser: OpenBrowser, settings: Settings) -> None:
    browser = await open_browser()
    started = await browser.get("/sign-in", 303)
    callback = await browser.logto.authorize(
        started.headers["Location"], await make.person(), settings.redirect_uri
    )
    done = await browser.get(callback.removeprefix(settings.app_url), 303)

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
    access = await runtime.sessions.find_access(_session_cookie(browser.app), None)
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


async def test_own_sessions_are_listed_and_ended(make: Factory, open_browser: OpenBrowser) -> None:
    person = await make.person()
    here, there = await open_browser(person), await open_browser(person)
    stranger = await open_browser(await make.person())
    listed = await (await here.get("/account")).get_data(as_text=True)
    ids = [part.split("/end")[0] for part in listed.split("/account/sessions/")[1:]]
    assert len(set(ids)) >= 1

    for session_id in set(ids):
        await stranger.post(f"/account/sessions/{session_id}/end", expect=404)
    await there.get("/account")
    await here.post("/account/sign-out-everywhere")
    await here.get("/account", 303)
    await there.get("/account", 303)


def _session_cookie(client: object) -> str:
    for cookie in client.cookie_jar:  # type: ignore[attr-defined]
        if cookie.name == "workroom_session":
            return str(cookie.value)
    raise AssertionError("no session cookie")


def test_the_application_under_test_is_the_real_one(app: Quart) -> None:
    assert app.name == "saas_app.app"
