"""axe finds nothing on any page, in light and in dark."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

from tests.browser import tour_of_an_admin as admin
from tests.browser.conftest import OpenPage
from tests.browser.site import Site
from tests.browser.tour import after_actions, after_sign_in, before_sign_in, set_scene, without_scripts
from tests.factories import Factory

_SCRIPT = Axe().axe_script
_RUN = "options => axe.run(options).then(results => results.violations)"
# target-size (WCAG 2.2 AA) is off in axe unless asked for. The colours are all that differs in the dark.
_IN_LIGHT: dict[str, Any] = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
_IN_DARK: dict[str, Any] = {
    "resultTypes": ["violations"],
    "runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
}


async def test_axe_finds_nothing_on_what_a_stranger_sees(open_page: OpenPage, site: Site) -> None:
    page = await open_page(reduced_motion="reduce")
    assert await _violations(page, before_sign_in(page, site)) == []


async def test_axe_finds_nothing_on_what_a_member_sees(open_page: OpenPage, people: Factory) -> None:
    page = await open_page(reduced_motion="reduce")
    scene = await set_scene(page, people)
    assert await _violations(page, after_sign_in(page, scene)) == []


async def test_axe_finds_nothing_on_what_actions_lead_to(open_page: OpenPage, people: Factory) -> None:
    page = await open_page(reduced_motion="reduce")
    scene = await set_scene(page, people)
    assert await _violations(page, after_actions(page, scene)) == []


async def test_axe_finds_nothing_on_pages_that_a_script_leaves_at_once(
    open_page: OpenPage, people: Factory
) -> None:
    page = await open_page(reduced_motion="reduce")
    assert await _violations(page, without_scripts(page, people)) == []


async def test_axe_finds_nothing_on_what_an_admin_does_with_members(
    open_page: OpenPage, people: Factory
) -> None:
    page = await open_page(reduced_motion="reduce")
    office = await admin.set_office(page, people)
    assert await _violations(page, admin.members(page, people, office)) == []
    assert await _violations(page, admin.invitations(page, people, office)) == []
    assert await _violations(page, admin.api_clients(page, people, office)) == []


async def test_axe_finds_nothing_on_settings_and_audit(open_page: OpenPage, people: Factory) -> None:
    page = await open_page(reduced_motion="reduce")
    office = await admin.set_office(page, people)
    assert await _violations(page, admin.audit(page, open_page, office)) == []
    assert await _violations(page, admin.settings(page, office)) == []
    assert await _violations(page, admin.second_factor(page, people, office)) == []


async def test_axe_finds_nothing_on_what_who_is_invited_sees(open_page: OpenPage, people: Factory) -> None:
    office = await admin.set_office(await open_page(), people)
    page = await open_page(reduced_motion="reduce")
    assert await _violations(page, admin.being_invited(page, people, office)) == []


async def _violations(page: Page, tour: AsyncIterator[str]) -> list[str]:
    found = []
    async for name in tour:
        await page.evaluate(_SCRIPT)
        await page.emulate_media(color_scheme="light")
        found += [f"{name}: {_told(violation)}" for violation in await page.evaluate(_RUN, _IN_LIGHT)]
        await page.emulate_media(color_scheme="dark")
        found += [f"{name}, dark: {_told(violation)}" for violation in await page.evaluate(_RUN, _IN_DARK)]
    return found


def _told(violation: dict[str, Any]) -> str:
    places = "; ".join(f"{node['target'][0]} ({node['failureSummary']})" for node in violation["nodes"])
    return f"{violation['id']}, {violation['help']}: {places}"
