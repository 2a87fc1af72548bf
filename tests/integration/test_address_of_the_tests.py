"""The application of the tests over HTTP, and a browser's way through it while Logto signs somebody in."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from local_logto.testing.connections import brief_connector
from quart import Quart, make_response, redirect, request
from quart.typing import ResponseReturnValue

from saas_app.config import Settings
from saas_app.webhooks.events import BACKCHANNEL_LOGOUT_PATH, WEBHOOK_PATH
from tests.clients import Browser
from tests.served import APP_URL

pytestmark = pytest.mark.one_database


@pytest.fixture
async def http(app: Quart) -> AsyncIterator[aiohttp.ClientSession]:
    """A client over HTTP, while the application serves."""
    async with aiohttp.ClientSession(connector=brief_connector()) as http:
        yield http


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """A browser at an application that sets a cookie and looks for it later, on the way to its callback."""
    app = Quart(__name__)

    @app.get("/first")
    async def first() -> ResponseReturnValue:
        response = await make_response(redirect(f"{APP_URL}/second"))
        response.set_cookie("attempt", "mine")
        return response

    @app.get("/second")
    async def second() -> ResponseReturnValue:
        return redirect(f"{APP_URL}/callback?code={request.cookies.get('attempt')}", 303)

    @app.get("/refusal")
    async def refusal() -> ResponseReturnValue:
        return "This address is not verified.", 403

    async with Browser(app, f"{APP_URL}/callback") as browser:
        yield browser


async def test_the_application_answers_at_its_address(
    http: aiohttp.ClientSession, settings: Settings
) -> None:
    async with http.get(f"{settings.app_url}/sign-in", allow_redirects=False) as response:
        assert response.status == 303
        assert response.headers["Location"].startswith(settings.logto_endpoint)
        assert response.headers.getall("Set-Cookie")


@pytest.mark.parametrize("path", [WEBHOOK_PATH, BACKCHANNEL_LOGOUT_PATH])
async def test_notifications_of_logto_get_lost(http: aiohttp.ClientSession, path: str) -> None:
    async with http.post(APP_URL + path, data=b"{}") as response:
        assert response.status == 503


async def test_a_way_through_the_application_keeps_its_cookies(browser: Browser) -> None:
    assert await browser.callback_of(f"{APP_URL}/first", None) == "/callback?code=mine"


async def test_a_page_on_the_way_is_shown_in_the_failure(browser: Browser) -> None:
    with pytest.raises(AssertionError, match=r"403\nThis address is not verified"):
        await browser.callback_of(f"{APP_URL}/refusal", None)


async def test_a_page_that_a_test_expects_is_returned(browser: Browser) -> None:
    assert (await browser.stopped_at(f"{APP_URL}/refusal", None)).status_code == 403


async def test_a_page_that_a_test_expects_in_vain_is_a_failure(browser: Browser) -> None:
    with pytest.raises(AssertionError, match="nothing stopped the way to /callback"):
        await browser.stopped_at(f"{APP_URL}/first", None)
