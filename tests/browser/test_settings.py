"""Settings of an organization: renaming and deleting it."""

from __future__ import annotations

import re

from playwright.async_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.steps import create_project, enter_credentials, expect_path, switcher
from tests.clients import Person
from tests.factories import Factory


async def test_a_new_name_is_shown_to_every_member(
    open_page: OpenPage, page: Page, acme: str, bob: Person
) -> None:
    member = await open_page(bob)
    await member.goto(f"/o/{acme}/projects")
    await page.goto(f"/o/{acme}/")
    await page.get_by_role("link", name="Settings", exact=True).click()
    await page.get_by_label("Name").fill("Umbrella Robotics")
    await page.get_by_role("button", name="Save changes").click()

    await expect(page.get_by_role("status")).to_contain_text("Settings saved")
    await expect(page.get_by_label("Name")).to_have_value("Umbrella Robotics")
    await expect(switcher(page)).to_have_accessible_name("Organization: Umbrella Robotics. Switch")
    await member.get_by_role("link", name="Overview", exact=True).click()
    await expect(switcher(member)).to_have_accessible_name("Organization: Umbrella Robotics. Switch")


async def test_an_organization_is_deleted_only_if_its_name_is_typed(
    open_page: OpenPage, people: Factory, page: Page, alice: Person, acme: str, bob: Person
) -> None:
    """One scenario: a fresh sign-in, a wrong name, the right name, and nothing is left for any member."""
    name = (await people.management.get_organization(acme)).name
    member = await open_page(bob)
    project = await create_project(page, acme, "Robot arm")
    await member.goto(project)
    await page.goto(f"/o/{acme}/settings")
    await page.get_by_role("link", name="Delete organization…").click()
    await enter_credentials(page, alice)
    await expect(page.get_by_role("main")).to_contain_text("1 project and all tasks")
    typed = page.get_by_role("textbox", name="Name")
    await typed.fill("Acme")
    await page.get_by_role("button", name="Delete organization").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await expect(typed).to_be_focused()
    assert (await people.management.get_organization(acme)).name == name

    await typed.fill(name)
    await page.get_by_role("button", name="Delete organization").click()
    await expect(page.get_by_role("status")).to_contain_text(f"{name} was deleted")
    await expect_path(page, "/o")
    await expect(page.get_by_role("main").get_by_role("link", name=re.compile("Acme"))).to_have_count(0)
    async with member.expect_response(f"**/o/{acme}/projects") as answer:
        await member.get_by_role("link", name="Projects", exact=True).first.click()
    assert (await answer.value).status == 404
    assert acme not in {held.id for held in await people.management.list_user_organizations(alice.id)}
