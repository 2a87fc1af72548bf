"""Everything works with JavaScript switched off. Scripts only add convenience."""

from __future__ import annotations

import re

from playwright.async_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.site import Site
from tests.browser.steps import (
    account_menu,
    create_project,
    expect_path,
    sign_in,
    start_session,
    switcher,
)
from tests.clients import Person
from tests.factories import Factory


async def test_switching_organizations_and_working_need_no_script(
    open_page: OpenPage, people: Factory, alice: Person, acme: str
) -> None:
    """One scenario: find another organization, create a project there, and finish a task."""
    globex = await people.organization("Globex", editor=alice)
    page = await open_page(alice, java_script_enabled=False)
    await page.goto(f"/o/{acme}/projects")

    await switcher(page).click()
    await page.get_by_label("Find an organization").fill("glob")
    await page.keyboard.press("Enter")
    await page.get_by_role("main").get_by_role("link", name=re.compile("^Globex")).click()
    await page.wait_for_url(f"**/o/{globex}/")
    await expect(switcher(page)).to_have_accessible_name(re.compile("Globex"))

    project = await create_project(page, globex, "Warehouse")
    await page.get_by_label("New task").fill("Count the shelves")
    await page.get_by_role("button", name="Add").click()
    await page.get_by_role("button", name="Mark as done: Count the shelves").click()
    await expect(page.get_by_text("1 of 1 done")).to_be_visible()
    await expect_path(page, project)


async def test_details_of_the_audit_log_need_no_script(open_page: OpenPage, people: Factory) -> None:
    admin = await people.person("Ada")
    acme = await people.organization("Acme", admin=admin)
    page = await open_page(admin, java_script_enabled=False)
    project = await create_project(page, acme, "Warehouse")
    await page.goto(f"/o/{acme}/audit?action=project.create")
    await page.locator("summary", has_text="Warehouse").click()

    await page.get_by_role("link", name="All details").click()

    await expect(page.get_by_role("heading", name="Ada created the project Warehouse")).to_be_visible()
    await expect(page.get_by_role("heading", name="Changes")).to_be_visible()
    await expect(page.get_by_text(project.rpartition("/")[2])).to_be_visible()
    await page.get_by_role("link", name="Audit log", exact=True).last.click()
    await expect_path(page, f"/o/{acme}/audit")
    await expect(page.get_by_label("Action")).to_have_value("project.create")


async def test_signing_in_and_out_needs_no_script(open_page: OpenPage, alice: Person, site: Site) -> None:
    page = await open_page(java_script_enabled=False)
    if site.has_own_logto:
        await sign_in(page, alice)
    else:  # the pages of other Logto servers need scripts
        await start_session(page, site, alice)
        await page.goto("/account")
    await account_menu(page).click()
    await page.get_by_role("banner").get_by_role("button", name="Sign out").click()
    if site.has_own_logto:
        await page.get_by_role(
            "button", name="Continue"
        ).click()  # with a script, the page continues by itself
        await expect(page.get_by_role("heading", name="Work together")).to_be_visible()
    assert (await page.request.get("/api/v1/me")).status == 401


async def test_times_are_in_utc_without_a_script(open_page: OpenPage, alice: Person) -> None:
    page = await open_page(alice, java_script_enabled=False)
    await page.goto("/account")
    await expect(page.locator("time[data-local]").first).to_have_text(re.compile("UTC$"))


async def test_times_are_in_the_readers_time_zone_with_a_script(open_page: OpenPage, alice: Person) -> None:
    page = await open_page(alice, timezone_id="Asia/Tokyo", locale="en-GB")
    await page.goto("/account")
    moment = page.locator("time[data-local]").first
    await expect(moment).not_to_contain_text("UTC")
    await expect(moment).to_have_attribute("title", re.compile("UTC$"))
