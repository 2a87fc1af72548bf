"""Error pages offer a next step: for unknown pages, and after a failed sign-in."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.site import Site
from tests.browser.steps import identifier_field, is_at


async def test_an_unknown_address_offers_the_front_page(open_page: OpenPage) -> None:
    page = await open_page()
    answer = await page.goto("/no/such/page")
    assert answer is not None
    assert answer.status == 404
    await page.get_by_role("link", name="Home", exact=True).click()
    await expect(page.get_by_role("heading", name="Work together")).to_be_visible()


async def test_an_unknown_organization_offers_the_callers_own_organizations(page: Page) -> None:
    answer = await page.goto("/o/unknown/projects")
    assert answer is not None
    assert answer.status == 404
    await page.get_by_role("link", name="Your organizations").click()
    await expect(page.get_by_role("heading", name="Organizations", level=1)).to_be_visible()


@pytest.mark.parametrize(
    "query",
    [
        pytest.param("state=forged&code=forged", id="wrong state"),
        pytest.param("error=access_denied&state=forged", id="refused by Logto"),
        pytest.param("", id="nothing at all"),
    ],
)
async def test_an_invalid_callback_offers_to_sign_in_again(
    open_page: OpenPage, site: Site, query: str
) -> None:
    page = await open_page()
    answer = await page.goto(f"/callback?{query}")
    assert answer is not None
    assert 400 <= answer.status < 500
    await page.get_by_role("link", name="Sign in again").click()
    await expect(identifier_field(page)).to_be_visible()
    assert is_at(page, site.logto)
