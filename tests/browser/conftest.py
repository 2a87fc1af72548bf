"""A real browser, and a site for it: the provider and the application as programs, once per process.

``E2E_APP_URL=https://…`` tests a running application instead. ``LOGTO_ENDPOINT`` names its Logto, where
people and organizations are created through the Management API with the ``LOGTO_MANAGEMENT_*`` credentials
of ``saas-app provision``: no accounts have to be prepared. The labels are those of Logto's own pages, so
either provider works. Its sign-in experience must offer a username with a password. ``E2E_LOGTO_IS_OURS=1``
says that this Logto exists for these tests only, on this machine. Nothing is skipped then: the tests change
its connectors and its sign-in settings, and restore both. It must have no message connectors, but Logto's
mock connectors, whose record files are read. Pages that only the development provider has are tested only
if it was started here.

Every page is watched during a test: an error in the console, blocked content, a failed request or a request
to another host fails the test. Pages of a Logto that was not started here are not judged: the person only
has to get through them.

A signed-in person gets a session over HTTP. Tests whose subject is the sign-in use Logto's pages.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import (
    Browser,
    BrowserContext,
    Page,
    Playwright,
    Route,
    async_playwright,
    expect,
)

from saas_app.logto import ManagementClient
from saas_app.logto.client import connect
from saas_app.rbac.permissions import Role
from tests.browser.chromium import ARGUMENTS, MISSING, find_chromium, find_headless, is_required
from tests.browser.methods_site import MethodsSite, open_methods_site
from tests.browser.page_checks import DESKTOP
from tests.browser.site import Site, open_site
from tests.browser.steps import start_session
from tests.browser.watch import Watch
from tests.clients import Person
from tests.factories import Factory

PATIENCE = 15_000  # milliseconds per step; the machine may be busy with other tests
OpenPage = Callable[..., Awaitable[Page]]
LOGOS = "https://logos.example.com"
_LOGO = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><path d="m0 8 4-8 4 8z"/></svg>'


def alice_is(role: Role) -> pytest.MarkDecorator:
    """Give Alice this role in Acme."""
    return pytest.mark.parametrize("alices_role", [role], ids=[f"alice-{role.value}"])


def bob_is(role: Role) -> pytest.MarkDecorator:
    """Give Bob this role in Acme."""
    return pytest.mark.parametrize("bobs_role", [role], ids=[f"bob-{role.value}"])


# The README's picture is made only on request, so that a test run does not change the working tree.
collect_ignore = [] if os.environ.get("UPDATE_SCREENSHOTS") == "1" else ["test_screenshot.py"]


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The path of the browser. Without one the tests are skipped, or fail if ``REQUIRE_BROWSER=1``."""
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
    """Do not look up new passwords at an external service, which may not be reachable."""
    if not site.is_ours:
        yield
        return
    before = (await site_management.get_sign_in_experience())["passwordPolicy"]
    await site_management.change_sign_in_experience({"passwordPolicy": {"rejects": {"pwned": False}}})
    yield
    await site_management.change_sign_in_experience({"passwordPolicy": before})


@pytest.fixture(scope="session")
def people(site_management: ManagementClient) -> Factory:
    """Make people and organizations for the site."""
    return Factory(site_management)


@pytest.fixture(scope="session")
async def playwright() -> AsyncIterator[Playwright]:
    """The driver of the browser."""
    async with async_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
async def browser(chromium_path: str, playwright: Playwright) -> AsyncIterator[Browser]:
    """One browser per process. Each test opens its own contexts in it."""
    expect.set_options(timeout=PATIENCE)
    browser = await playwright.chromium.launch(executable_path=chromium_path, args=ARGUMENTS)
    yield browser
    await browser.close()


@pytest.fixture
async def browser_that_keeps_pages(playwright: Playwright) -> AsyncIterator[Browser]:
    """A browser with its back/forward cache, which the driver normally switches off."""
    browser = await playwright.chromium.launch(
        executable_path=_required(find_chromium()),
        args=ARGUMENTS,
        ignore_default_args=["--disable-back-forward-cache"],
    )
    yield browser
    await browser.close()


@pytest.fixture
async def open_page(browser: Browser, site: Site) -> AsyncIterator[OpenPage]:
    """Open a page in a new browser context, signed in if a person is given. It shows nothing yet."""
    async with watched_pages(browser, site, site.origins, site.judged_origins) as open_one:
        yield open_one


@pytest.fixture
async def open_page_with_logos(browser: Browser, site: Site) -> AsyncIterator[OpenPage]:
    """Open a page that may load logos from ``LOGOS``, which answers here: with a picture, or no picture."""
    async with watched_pages(browser, site, site.origins | {LOGOS}, site.judged_origins) as open_one:

        async def open_it(person: Person | None = None, **options: Any) -> Page:
            page = await open_one(person, **options)
            await page.context.route(f"{LOGOS}/**", _answer_with_logo)
            return page

        yield open_it


async def _answer_with_logo(route: Route) -> None:
    is_broken = "broken" in route.request.url
    await route.fulfill(body="no picture" if is_broken else _LOGO, content_type="image/svg+xml")


@pytest.fixture
async def alice(people: Factory) -> Person:
    """Alice, a member of Acme."""
    return await people.person("Alice")


@pytest.fixture
def alices_role() -> Role:
    """Alice's role: admin, unless the test chooses another with ``alice_is``."""
    return Role.ADMIN


@pytest.fixture
async def acme(people: Factory, alice: Person, alices_role: Role) -> str:
    """An organization in which Alice has her role."""
    return await people.organization("Acme", **{alices_role.value: alice})


@pytest.fixture
async def page(open_page: OpenPage, alice: Person, acme: str) -> Page:
    """The page of Alice, who is signed in and a member of Acme."""
    return await open_page(alice)


@pytest.fixture
def bobs_role() -> Role:
    """Bob's role: viewer, unless the test chooses another with ``bob_is``."""
    return Role.VIEWER


@pytest.fixture
async def bob(people: Factory, acme: str, bobs_role: Role) -> Person:
    """Bob, another member of Acme."""
    return await people.member(acme, "Bob", bobs_role)


@pytest.fixture(scope="session")
async def methods_site(
    chromium_path: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[MethodsSite]:
    """A site with every sign-in method, once per process."""
    async with open_methods_site(tmp_path_factory.mktemp("methods")) as opened:
        yield opened


@pytest.fixture(scope="session")
async def methods_management(methods_site: MethodsSite) -> AsyncIterator[ManagementClient]:
    """The Management API of the Logto of the site with every sign-in method."""
    async with connect(methods_site.site.management) as client:
        yield client


@pytest.fixture
def members(methods_management: ManagementClient) -> Factory:
    """Make people and organizations for the site with every sign-in method."""
    return Factory(methods_management)


@pytest.fixture
async def visitor(browser: Browser, methods_site: MethodsSite) -> AsyncIterator[OpenPage]:
    """Open the front page of the site with every sign-in method. Afterwards all providers work again."""
    async with watched_pages(
        browser, methods_site.site, methods_site.origins, methods_site.origins
    ) as open_one:

        async def open_front_page() -> Page:
            page = await open_one()
            await page.goto("/")
            return page

        yield open_front_page
        methods_site.behave()


@asynccontextmanager
async def watched_pages(
    browser: Browser, site: Site, allowed: frozenset[str], judged: frozenset[str]
) -> AsyncIterator[OpenPage]:
    """Open pages whose complaints fail the test at the end of the block."""
    opened: list[tuple[BrowserContext, Watch]] = []

    async def open_one(person: Person | None = None, *, of: Browser = browser, **options: Any) -> Page:
        context = await of.new_context(**{"base_url": site.url, "viewport": DESKTOP, **options})
        context.set_default_timeout(PATIENCE)
        opened.append((context, Watch(context, allowed, judged)))
        page = await context.new_page()
        if person is not None:
            await start_session(page, site, person)
        return page

    yield open_one
    for context, _watch in opened:
        await context.close()
    assert [complaint for _context, watch in opened for complaint in watch.complaints] == []
