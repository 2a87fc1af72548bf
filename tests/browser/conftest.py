"""A real browser, and a site for it: the provider and the application as programs, started once a process.

``E2E_APP_URL=https://…`` drives a running application instead of starting one. Its Logto is named by
``LOGTO_ENDPOINT``, and its people and organizations are made there through the Management API, with the
``LOGTO_MANAGEMENT_*`` credentials by which ``saas-app provision`` works: no accounts have to be prepared.
Labels are those of Logto's own pages, so either provider will do; its sign-in experience must offer a
username with a password. ``E2E_LOGTO_IS_OURS=1`` says that this Logto exists for these tests alone, on this
machine: nothing is skipped then. They change its connectors and its sign-in settings and put both back, so it
must have no connectors of its own for messages, and must have Logto's mock connectors, whose record files are
read. What only the development provider has is looked at only when it was started here.

Every page is watched while a test works: an error in the console, blocked content, a failed request or a
request to another host fails the test. The pages of a Logto that was not started here are its own: of them
it counts only that a person gets on.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, Playwright, async_playwright, expect

from saas_app.logto import ManagementClient
from saas_app.logto.client import connect
from tests.browser.chromium import ARGUMENTS, MISSING, find_chromium, find_headless, is_required
from tests.browser.methods_site import MethodsSite, open_methods_site
from tests.browser.site import Site, open_site
from tests.browser.steps import sign_in, sign_in_by_http
from tests.browser.watch import Watch
from tests.clients import Person
from tests.factories import Factory

PATIENCE = 15_000  # milliseconds for one step; the machine may be busy with other tests
DESKTOP = {"width": 1280, "height": 800}
OpenPage = Callable[..., Awaitable[Page]]

# The README's picture is made on purpose only, so that a test run leaves the tree as it was.
collect_ignore = [] if os.environ.get("UPDATE_SCREENSHOTS") == "1" else ["test_screenshot.py"]


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """What draws the pages; without a browser these tests are left out, or fail where that was ruled out."""
    return _required(find_headless())


def _required(path: str | None) -> str:
    if path is None:
        (pytest.fail if is_required() else pytest.skip)(MISSING)
    return path


@pytest.fixture(scope="session")
def site(chromium_path: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The site under test."""
    with open_site(tmp_path_factory.mktemp("site")) as opened:
        yield opened


@pytest.fixture(scope="session")
async def site_management(site: Site) -> AsyncIterator[ManagementClient]:
    """The Management API of the site's Logto."""
    async with connect(site.management) as client:
        yield client


@pytest.fixture
async def _any_password_will_do(site: Site, site_management: ManagementClient) -> AsyncIterator[None]:
    """A new password is not looked up at a service elsewhere, which cannot be reached from everywhere."""
    if not site.is_ours:
        yield
        return
    before = (await site_management.get_sign_in_experience())["passwordPolicy"]
    await site_management.change_sign_in_experience({"passwordPolicy": {"rejects": {"pwned": False}}})
    yield
    await site_management.change_sign_in_experience({"passwordPolicy": before})


@pytest.fixture(scope="session")
def people(site_management: ManagementClient) -> Factory:
    """Makes people and organizations for the site."""
    return Factory(site_management)


@pytest.fixture(scope="session")
async def playwright() -> AsyncIterator[Playwright]:
    """The driver."""
    async with async_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
async def browser(chromium_path: str, playwright: Playwright) -> AsyncIterator[Browser]:
    """One browser for all tests of this process; each test has contexts of its own in it."""
    expect.set_options(timeout=PATIENCE)
    browser = await playwright.chromium.launch(executable_path=chromium_path, args=ARGUMENTS)
    yield browser
    await browser.close()


@pytest.fixture
async def browser_that_keeps_pages(playwright: Playwright) -> AsyncIterator[Browser]:
    """A browser with the back/forward cache that people have and the driver switches off."""
    browser = await playwright.chromium.launch(
        executable_path=_required(find_chromium()),
        args=ARGUMENTS,
        ignore_default_args=["--disable-back-forward-cache"],
    )
    yield browser
    await browser.close()


@pytest.fixture
async def open_page(browser: Browser, site: Site) -> AsyncIterator[OpenPage]:
    """Opens the page of a visitor with cookies of their own, signed in where a person is given."""
    async with _watched(browser, site.url, site.origins, site.judged_origins) as open_one:
        yield open_one


@pytest.fixture(scope="session")
async def methods_site(
    chromium_path: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[MethodsSite]:
    """A site with every way in, once a process."""
    async with open_methods_site(tmp_path_factory.mktemp("methods")) as opened:
        yield opened


@pytest.fixture(scope="session")
async def methods_management(methods_site: MethodsSite) -> AsyncIterator[ManagementClient]:
    """The Management API of the Logto of the site with every way in."""
    async with connect(methods_site.site.management) as client:
        yield client


@pytest.fixture
def members(methods_management: ManagementClient) -> Factory:
    """Makes people and organizations for the site with every way in."""
    return Factory(methods_management)


@pytest.fixture
async def visitor(browser: Browser, methods_site: MethodsSite) -> AsyncIterator[OpenPage]:
    """Opens the front page of the site with every way in; afterwards every provider is well again."""
    async with _watched(
        browser, methods_site.site.url, methods_site.origins, methods_site.origins
    ) as open_one:

        async def open_front_page() -> Page:
            page = await open_one()
            await page.goto("/")
            return page

        yield open_front_page
        methods_site.behave()


@asynccontextmanager
async def _watched(
    browser: Browser, url: str, allowed: frozenset[str], judged: frozenset[str]
) -> AsyncIterator[OpenPage]:
    """Opens pages whose every complaint fails the test at the end of the block."""
    opened: list[tuple[BrowserContext, Watch]] = []

    async def open_one(person: Person | None = None, *, of: Browser = browser, **options: Any) -> Page:
        context = await of.new_context(**{"base_url": url, "viewport": DESKTOP, **options})
        context.set_default_timeout(PATIENCE)
        opened.append((context, Watch(context, allowed, judged)))
        page = await context.new_page()
        if person is not None and options.get("java_script_enabled", True):
            await sign_in(page, person)
        elif person is not None:
            await sign_in_by_http(page, url, person)
        return page

    yield open_one
    for context, _watch in opened:
        await context.close()
    assert [complaint for _context, watch in opened for complaint in watch.complaints] == []
