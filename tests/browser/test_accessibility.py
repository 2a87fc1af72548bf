"""axe finds no violations on any page, in light and in dark mode."""

from __future__ import annotations

from collections.abc import AsyncIterator

from playwright.async_api import Page

from tests.browser import tour_of_an_admin as admin
from tests.browser.conftest import OpenPage
from tests.browser.looking import axe_findings
from tests.browser.site import Site
from tests.browser.tour import after_actions, after_sign_in, before_sign_in, set_scene, without_scripts
from tests.factories import Factory


async def test_pages_for_strangers_are_accessible(open_page: OpenPage, site: Site) -> None:
    page = await open_page(reduced_motion="reduce")
    assert await _violations(page, before_sign_in(page, site)) == []


async def test_pages_for_members_are_accessible(open_page: OpenPage, people: Factory, site: Site) -> None:
    page = await open_page(reduced_motion="reduce")
    scene = await set_scene(page, people, site)
    assert await _violations(page, after_sign_in(page, scene)) == []


async def test_pages_after_actions_are_accessible(open_page: OpenPage, people: Factory, site: Site) -> None:
    page = await open_page(reduced_motion="reduce")
    scene = await set_scene(page, people, site)
    assert await _violations(page, after_actions(page, scene)) == []


async def test_pages_that_a_script_leaves_immediately_are_accessible(
    open_page: OpenPage, people: Factory, site: Site
) -> None:
    page = await open_page(reduced_motion="reduce")
    assert await _violations(page, without_scripts(page, people, site)) == []


async def test_pages_about_members_are_accessible(open_page: OpenPage, people: Factory, site: Site) -> None:
    page = await open_page(reduced_motion="reduce")
    office = await admin.set_office(page, people, site)
    assert await _violations(page, admin.members(page, people, office)) == []
    assert await _violations(page, admin.invitations(page, people, office)) == []
    assert await _violations(page, admin.api_clients(page, people, office)) == []


async def test_settings_and_the_audit_log_are_accessible(
    open_page: OpenPage, people: Factory, site: Site
) -> None:
    page = await open_page(reduced_motion="reduce")
    office = await admin.set_office(page, people, site)
    assert await _violations(page, admin.audit(page, open_page, office)) == []
    assert await _violations(page, admin.settings(page, office)) == []
    assert await _violations(page, admin.second_factor(page, people, office)) == []


async def test_pages_for_invited_people_are_accessible(
    open_page: OpenPage, people: Factory, site: Site
) -> None:
    office = await admin.set_office(await open_page(), people, site)
    page = await open_page(reduced_motion="reduce")
    assert await _violations(page, admin.being_invited(page, people, office)) == []


async def _violations(page: Page, tour: AsyncIterator[str]) -> list[str]:
    return [finding async for name in tour for finding in await axe_findings(page, name)]
