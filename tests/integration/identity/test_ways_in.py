"""The ways to sign in on the front page lead to the pages of Logto that they name, over real HTTP."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html import unescape
from urllib.parse import parse_qs, urljoin, urlsplit

import aiohttp
import pytest
from quart import Quart

from saas_app.app import create_app
from saas_app.config import Settings
from saas_app.identity.offered_methods import OfferedMethods, SocialButton
from saas_app.logto import ManagementClient
from tests.clients import Browser
from tests.conftest import OpenBrowser
from tests.factories import Factory

EVERYTHING = OfferedMethods(email_code=True, sms_code=True, social=(SocialButton("naver", "Naver"),))


@pytest.fixture
async def declared_app(settings: Settings) -> AsyncIterator[Quart]:
    """The application with every way to sign in declared."""
    app = create_app(settings, EVERYTHING)
    async with app.test_app():
        yield app


async def _links(browser: Browser) -> dict[str, str]:
    """Return the buttons of the front page: text and target."""
    page = str(await (await browser.get("/")).get_data(as_text=True))
    found = re.findall(r'<a class="btn [^"]*" href="(/sign-[^"]*)">([^<]*)</a>', page)
    return {unescape(text): unescape(target) for target, text in found}


async def _first_page(browser: Browser, path: str) -> tuple[str, dict[str, list[str]]]:
    """Return path and query of the page that Logto opens for a link."""
    url = (await browser.get(path, 303)).headers["Location"]
    async with aiohttp.ClientSession() as http, http.get(url, allow_redirects=False) as response:
        assert response.status == 303, await response.text()
        parts = urlsplit(urljoin(url, response.headers["Location"]))
    return parts.path, parse_qs(parts.query)


@pytest.mark.parametrize(
    ("text", "page", "received"),
    [
        ("Sign in", "/sign-in", {}),
        ("Create account", "/register", {}),
        ("Continue with email code", "/identifier-sign-in", {"identifier": ["email"]}),
        ("Continue with SMS code", "/identifier-sign-in", {"identifier": ["phone"]}),
        ("Continue with Naver", "/direct/social/naver", {"fallback": ["sign-in"]}),
    ],
)
async def test_each_way_to_sign_in_leads_to_its_page(
    declared_app: Quart, settings: Settings, text: str, page: str, received: dict[str, list[str]]
) -> None:
    async with Browser(declared_app, settings.redirect_uri) as browser:
        path, query = await _first_page(browser, (await _links(browser))[text])

    assert path == page
    assert {name: query.get(name) for name in received} == received


async def test_only_declared_ways_to_sign_in_are_offered(
    open_browser: OpenBrowser, settings: Settings
) -> None:
    assert list(await _links(await open_browser())) == ["Sign in", "Create account"]
    app = create_app(settings, OfferedMethods(email_code=True))
    async with app.test_app(), Browser(app, settings.redirect_uri) as browser:
        assert list(await _links(browser)) == ["Sign in", "Create account", "Continue with email code"]


async def test_the_parameters_of_a_link_reach_logto(open_browser: OpenBrowser) -> None:
    link = (
        "/sign-in?first_screen=identifier:sign_in&identifier=email+phone&login_hint=ada%40example.test"
        "&ui_locales=es+en"
    )
    path, query = await _first_page(await open_browser(), link)

    assert path == "/identifier-sign-in"
    assert query["identifier"] == ["email phone"]
    assert query["login_hint"] == ["ada@example.test"]
    assert query["ui_locales"] == ["es en"]


async def test_logto_is_told_the_language_that_the_reader_chose(open_browser: OpenBrowser) -> None:
    browser = await open_browser()
    await browser.post("/language", {"language": "es"})

    _, query = await _first_page(browser, "/sign-in")

    assert query["ui_locales"] == ["es"]


async def test_an_invalid_parameter_does_not_affect_the_others(open_browser: OpenBrowser) -> None:
    path, query = await _first_page(
        await open_browser(), "/sign-in?first_screen=nonsense&login_hint=ada%40example.test"
    )

    assert path == "/sign-in"
    assert query["login_hint"] == ["ada@example.test"]  # Logto ignores it together with an unknown screen


async def test_the_account_page_shows_linked_identities_and_where_to_change_them(
    make: Factory, open_browser: OpenBrowser, management: ManagementClient, settings: Settings
) -> None:
    person = await make.person("Min")
    browser = await open_browser(person)
    page = await browser.text("/account")
    assert "No linked accounts. Accounts from other services that you sign in with appear here." in page
    assert f'href="{settings.logto_endpoint}/account"' in page

    identity = {"userId": "n-1", "details": {"id": "n-1", "name": "김민", "email": "min@naver.test"}}
    await management._body("PUT", f"/users/{person.id}/identities/naver", identity)

    page = await browser.text("/account")
    assert "Naver" in page
    assert "김민 · min@naver.test" in page
