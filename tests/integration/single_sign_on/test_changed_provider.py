"""A session at Logto from before single sign-on was last turned on: the provider may be another one now."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from local_logto.fakes.openid import FakeOpenId, fake_openid

from saas_app.db.base import utc_now
from tests.clients import Browser, text_of
from tests.conftest import OpenBrowser
from tests.integration.single_sign_on.company import Company


@pytest.fixture
async def next_provider() -> AsyncIterator[FakeOpenId]:
    """The provider that the company uses next."""
    async with fake_openid() as running:
        yield running


@pytest.fixture
async def browser(open_browser: OpenBrowser, connection_on: Company) -> Browser:
    """A browser that came through the provider, and whose session at Logto is open."""
    browser = await open_browser()
    connection_on.asserts(connection_on.address("carol"))
    await connection_on.arrive(browser)
    return browser


async def come_back(browser: Browser, expect: int) -> str:
    """Sign in again without the provider, by the session at Logto. Returns the page."""
    started = await browser.get("/sign-in", 303)
    callback = await browser.callback_of(started.headers["Location"], None)
    return await text_of(await browser.get(callback, expect))


async def test_a_sign_in_at_an_earlier_provider_does_not_count_at_the_next_one(
    connection_on: Company, browser: Browser, next_provider: FakeOpenId
) -> None:
    now = utc_now()
    await connection_on.change(issuer=next_provider.issuer, on_at=now, required_at=now)

    page = await come_back(browser, 400)

    assert "has turned on single sign-on since you signed in" in page
    (event,) = await connection_on.events("sso.refuse")
    assert event.after is not None
    assert event.after["reason"] == "they signed in before single sign-on was last turned on"


async def test_it_does_not_count_either_when_the_account_has_come_through_the_next_one(
    connection_on: Company, browser: Browser, next_provider: FakeOpenId, open_browser: OpenBrowser
) -> None:
    """Logto has forgotten how the browser signed in, and knows only what was last said of the account."""
    await come_back(browser, 303)
    now = utc_now()
    await connection_on.change(
        issuer=next_provider.issuer, client_id=next_provider.client_id, on_at=now, required_at=now
    )
    after = replace(connection_on, provider=next_provider)
    await after.save_secret()
    after.asserts(after.address("carol"))
    await after.arrive(await open_browser())

    page = await come_back(browser, 400)

    assert "has turned on single sign-on since you signed in" in page


async def test_the_next_sign_in_at_the_provider_counts_again(
    connection_on: Company, browser: Browser
) -> None:
    await connection_on.change(on_at=utc_now())
    await come_back(browser, 400)

    await connection_on.arrive(browser, path="/sign-in")


async def test_a_session_at_logto_counts_while_single_sign_on_stays_on(
    connection_on: Company, browser: Browser
) -> None:
    await connection_on.change(scopes="openid email", required_at=utc_now())

    await come_back(browser, 303)
