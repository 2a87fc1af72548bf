"""The logo and the color of an organization: on its pages, and where invited people sign in."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Locator, Page, expect

from saas_app.logto import ManagementClient
from tests.browser.conftest import LOGOS, OpenPage
from tests.browser.mailbox import Mailbox, open_mailbox
from tests.browser.site import Site
from tests.browser.steps import address_of, create_project, expect_path, invite, switcher
from tests.browser.watch import watch_logto_pages
from tests.clients import Person
from tests.factories import Factory

LOADED = "image => image.complete && image.naturalWidth > 0"


@pytest.fixture
async def page(open_page_with_logos: OpenPage, alice: Person, acme: str) -> Page:
    """The page of Alice, an admin of Acme, which may load logos."""
    page = await open_page_with_logos(alice)
    await page.goto(f"/o/{acme}/settings")
    return page


async def save_logo(page: Page, logo: str, dark: str = "") -> None:
    await page.get_by_label("Logo address (optional)", exact=True).fill(f"{LOGOS}/{logo}")
    await page.get_by_label("Logo address for dark pages").fill(f"{LOGOS}/{dark}" if dark else "")
    await page.get_by_role("button", name="Save branding").click()
    await expect(page.get_by_role("status")).to_contain_text("Branding saved.")


def logos(page: Page) -> Locator:
    """Return the logos in the header that are shown."""
    return switcher(page).locator("img:visible")


async def test_a_saved_logo_is_shown_in_the_header_for_light_and_for_dark_pages(page: Page) -> None:
    await save_logo(page, "light.svg", "dark.svg")

    await expect(logos(page)).to_have_attribute("src", f"{LOGOS}/light.svg")
    assert await logos(page).evaluate(LOADED)
    await page.emulate_media(color_scheme="dark")
    await expect(logos(page)).to_have_attribute("src", f"{LOGOS}/dark.svg")


async def test_the_preview_shows_both_whatever_the_readers_theme(page: Page) -> None:
    await save_logo(page, "light.svg", "dark.svg")

    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        for preview in ("light", "dark"):
            shown = page.get_by_role("figure", name=f"Preview on {preview} pages").locator("img:visible")
            await expect(shown.first).to_have_attribute("src", f"{LOGOS}/{preview}.svg")


async def test_a_logo_that_does_not_load_leaves_the_initials(page: Page) -> None:
    await save_logo(page, "broken.svg")

    assert not await logos(page).evaluate(LOADED)
    shown = await logos(page).evaluate("image => getComputedStyle(image, '::after').content")
    assert shown == f'"{await logos(page).get_attribute("data-initials")}"'


async def test_a_color_can_be_picked_or_typed(page: Page) -> None:
    field, picker = page.get_by_label("Color (optional)"), page.get_by_label("Pick a color")

    await picker.fill("#0f766e")
    await expect(field).to_have_value("#0f766e")
    await field.fill("#C2410C")
    await expect(picker).to_have_value("#c2410c")
    await page.get_by_role("button", name="Save branding").click()

    await expect(page.get_by_role("status")).to_contain_text("Branding saved.")
    await expect(switcher(page).locator("rect")).to_have_attribute("fill", "#c2410c")


# --- invited people


@pytest.fixture
async def mailbox(site: Site) -> AsyncIterator[Mailbox]:
    """The emails of invited people."""
    if not site.is_ours:
        pytest.skip("this test changes connectors, which needs E2E_LOGTO_IS_OURS=1")
    async with open_mailbox(site) as opened:
        yield opened


async def test_an_invited_person_signs_in_with_the_logo_and_can_work_in_every_organization(
    open_page_with_logos: OpenPage,
    page: Page,
    people: Factory,
    site_management: ManagementClient,
    acme: str,
    site: Site,
    mailbox: Mailbox,
) -> None:
    """One scenario: from the email to a project in the old organization, and one in the new one."""
    erin = await people.person("Erin")
    globex = await people.organization("Globex", editor=erin)
    branding = {"logoUrl": f"{LOGOS}/light.svg"}
    await site_management.update_organization(acme, branding=branding, color={"primaryColor": "#0f766e"})
    await invite(page, acme, address_of(erin), "editor")

    page = await open_page_with_logos()
    await mailbox.follow_link(page, address_of(erin))
    await page.get_by_role("button", name=re.compile("^Continue with")).click()
    if site.has_own_logto:
        await expect(page.get_by_role("img", name="Logo")).to_have_attribute("src", f"{LOGOS}/light.svg")
        button = page.get_by_role("button", name="Continue")  # Logto's own page goes on by itself
        await expect(button).to_have_css("background-color", "rgb(15, 118, 110)")
        await button.click()

    await expect(page.get_by_role("heading", name=re.compile("^Join Acme"))).to_be_visible()
    assert await page.get_by_role("main").locator("img:visible").evaluate(LOADED)
    logto_pages = watch_logto_pages(page, site)
    await page.goto(f"/o/{globex}/")
    await create_project(page, globex, "In the old one")
    await page.goto("/o")
    await page.get_by_role("link", name=re.compile("^View the invitation")).click()
    await page.get_by_role("button", name="Accept invitation").click()
    await expect_path(page, f"/o/{acme}/")
    await create_project(page, acme, "In the new one")
    assert logto_pages == []
