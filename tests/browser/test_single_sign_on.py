"""The pages on which an admin sets single sign-on up."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from local_logto.fakes.openid import fake_openid
from playwright.async_api import Browser, Page, expect

from saas_app.logto.client import connect
from saas_app.rbac.permissions import Role
from tests.browser.conftest import OpenPage, watched_pages
from tests.browser.page_checks import findings_on
from tests.browser.site import Site
from tests.browser.steps import start_session
from tests.clients import FRESH
from tests.databases import migrated_database
from tests.factories import Factory
from tests.processes import running_application, running_provider
from tests.settings import management_settings

PHONE = {"is_mobile": True, "reduced_motion": "reduce"}
OFFERED = {"SINGLE_SIGN_ON": "true", "SINGLE_SIGN_ON_PRIVATE_ISSUERS": "true"}


@pytest.fixture(scope="module")
def stage(chromium_path: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site that offers single sign-on."""
    directory = tmp_path_factory.mktemp("single-sign-on")
    with (
        running_provider(directory) as provider,
        migrated_database(directory) as database,
        running_application(provider, database, directory, **OFFERED) as application,
    ):
        yield Site(application.url, management_settings(provider))


@pytest.fixture
async def open_here(browser: Browser, stage: Site) -> AsyncIterator[OpenPage]:
    """``await open_here()``: a page of the site that offers single sign-on."""
    async with watched_pages(browser, stage, stage.origins, stage.origins) as open_one:
        yield open_one


async def test_the_steps_are_accessible_and_fit_a_phone(open_here: OpenPage, stage: Site) -> None:
    page = await open_here(**PHONE)
    async with connect(stage.management) as client:
        people = Factory(client)
        organization = await people.organization("Acme Robotics")
        alice = await people.member(organization, "Alice", Role.ADMIN)
    await start_session(page, stage, alice, FRESH)

    assert await findings_on(page, _steps(page, f"/o/{organization}/single-sign-on")) == []


async def _steps(page: Page, path: str) -> AsyncIterator[str]:
    await page.goto(path)
    yield path
    await page.get_by_role("button", name="Set up single sign-on").click()
    await expect(page.get_by_label("Redirect URI")).to_be_visible()
    yield path
    await page.get_by_role("button", name="Save provider").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    yield "a form with errors"
    async with fake_openid() as company:
        await page.get_by_label("Issuer").fill(company.issuer)
        await page.get_by_label("Client ID").fill(company.client_id)
        await page.get_by_label("Client secret").fill(company.client_secret)
        await page.get_by_role("button", name="Save provider").click()
        await expect(page.get_by_role("status")).to_contain_text("Provider saved")
        yield path
        await page.goto(f"{path}/require")
        yield f"{path}/require"
