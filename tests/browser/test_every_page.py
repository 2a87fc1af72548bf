"""Every page is accessible in light and in dark mode, and fits the screen of a phone."""

from __future__ import annotations

from collections.abc import AsyncIterator

from playwright.async_api import Page, ViewportSize

from tests.browser import tour_of_an_admin as admin
from tests.browser.conftest import DESKTOP, OpenPage
from tests.browser.page_checks import axe_findings, excess_width
from tests.browser.site import Site
from tests.browser.tour import after_actions, after_sign_in, before_sign_in, set_scene, without_scripts
from tests.factories import Factory

PHONE: ViewportSize = {"width": 375, "height": 720}


async def test_pages_before_sign_in_are_accessible_and_fit_a_phone(open_page: OpenPage, site: Site) -> None:
    page = await open_page(reduced_motion="reduce")
    assert await _findings(page, before_sign_in(page, site)) == []


async def test_pages_for_members_are_accessible_and_fit_a_phone(
    open_page: OpenPage, people: Factory, site: Site
) -> None:
    page = await open_page(reduced_motion="reduce")
    scene = await set_scene(page, people, site)
    assert await _findings(page, after_sign_in(page, scene)) == []


async def test_pages_after_actions_are_accessible_and_fit_a_phone(
    open_page: OpenPage, people: Factory, site: Site
) -> None:
    page = await open_page(reduced_motion="reduce")
    scene = await set_scene(page, people, site)
    assert await _findings(page, after_actions(page, scene)) == []


async def test_pages_that_a_script_leaves_at_once_are_accessible_and_fit_a_phone(
    open_page: OpenPage, people: Factory, site: Site
) -> None:
    page = await open_page(reduced_motion="reduce")
    assert await _findings(page, without_scripts(page, people, site)) == []


async def test_pages_about_members_are_accessible_and_fit_a_phone(
    open_page: OpenPage, people: Factory, site: Site
) -> None:
    page = await open_page(reduced_motion="reduce")
    office = await admin.set_office(page, people, site)
    assert await _findings(page, admin.members(page, people, office)) == []
    assert await _findings(page, admin.invitations(page, people, office)) == []
    assert await _findings(page, admin.api_clients(page, people, office)) == []


async def test_settings_and_the_audit_log_are_accessible_and_fit_a_phone(
    open_page: OpenPage, people: Factory, site: Site
) -> None:
    page = await open_page(reduced_motion="reduce")
    office = await admin.set_office(page, people, site)
    assert await _findings(page, admin.audit(page, open_page, office)) == []
    assert await _findings(page, admin.settings(page, office)) == []
    assert await _findings(page, admin.second_factor(page, people, office)) == []


async def test_pages_for_invited_people_are_accessible_and_fit_a_phone(
    open_page: OpenPage, people: Factory, site: Site
) -> None:
    office = await admin.set_office(await open_page(), people, site)
    page = await open_page(reduced_motion="reduce")
    assert await _findings(page, admin.being_invited(page, people, office)) == []


async def _findings(page: Page, tour: AsyncIterator[str]) -> list[str]:
    """Return what axe finds on each page of the tour, and what is wider than a phone."""
    found = []
    async for name in tour:
        found += await axe_findings(page, name)
        await page.set_viewport_size(PHONE)
        found += await excess_width(page, name, PHONE["width"])
        await page.set_viewport_size(DESKTOP)
    return found
