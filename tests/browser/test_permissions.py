"""Denials explain themselves, and promotions and demotions apply without signing in again."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from saas_app.rbac.permissions import Role
from tests.browser.conftest import OpenPage, alice_is
from tests.browser.site import Site
from tests.browser.steps import create_project, expect_path, lead_to_renewal, refresh_access
from tests.browser.watch import watch_logto_pages
from tests.clients import Person
from tests.factories import Factory


@pytest.fixture
async def project(page: Page, acme: str) -> str:
    """The path of a project that Alice created."""
    return await create_project(page, acme, "Gripper")


async def test_a_viewer_gets_no_links_that_the_role_does_not_allow_in_the_list_of_projects(
    open_page: OpenPage, acme: str, bob: Person, project: str
) -> None:
    page = await open_page(bob)
    await page.goto(f"/o/{acme}/projects")
    await expect(page.get_by_role("link", name="Gripper")).to_be_visible()
    await expect(page.get_by_role("link", name="Create project")).to_have_count(0)
    await expect(page.get_by_role("link", name="Export CSV")).to_have_count(0)
    locked = page.get_by_role("button", name="Create project")
    await expect(locked).to_be_disabled()
    await expect(locked).to_have_accessible_description("Requires the admin or editor role")


async def test_a_viewer_gets_no_buttons_that_the_role_does_not_allow_on_a_project(
    open_page: OpenPage, bob: Person, project: str
) -> None:
    page = await open_page(bob)
    await page.goto(project)
    for label in ("Edit", "Delete…", "Archive", "Add task"):
        await expect(page.get_by_role("link", name=label, exact=True)).to_have_count(0)
        await expect(page.get_by_role("button", name=label, exact=True)).to_have_count(0)


@alice_is(Role.VIEWER)
async def test_a_denial_names_the_missing_permission_and_the_roles_that_grant_it(
    page: Page, acme: str
) -> None:
    answer = await page.goto(f"/o/{acme}/projects/new")
    assert answer is not None
    assert answer.status == 403
    remedy = page.get_by_role("region", name="How to get access")
    await expect(remedy).to_contain_text("projects:write")
    await expect(remedy.get_by_role("definition").nth(1)).to_have_text("admin editor")
    await expect(remedy).to_contain_text("viewer")
    await expect(page.get_by_role("region", name="How this was decided")).to_contain_text("Denied")

    await page.get_by_role("link", name="View my access").click()
    await expect_path(page, f"/o/{acme}/access")


@alice_is(Role.VIEWER)
async def test_a_promoted_viewer_gets_the_denied_form_without_signing_in_again(
    page: Page, people: Factory, alice: Person, acme: str, site: Site
) -> None:
    logto_pages = watch_logto_pages(page, site)
    await page.goto(f"/o/{acme}/projects/new")
    await expect(page.get_by_text("Missing permission")).to_be_visible()

    await people.give_roles(acme, alice, Role.EDITOR)
    await refresh_access(page, acme)
    await create_project(page, acme, "First of mine")
    assert logto_pages == []


@alice_is(Role.VIEWER)
async def test_my_access_shows_a_promotion_and_offers_to_renew_outdated_tokens(
    page: Page, people: Factory, alice: Person, acme: str, site: Site
) -> None:
    logto_pages = watch_logto_pages(page, site)
    await people.give_roles(acme, alice, Role.EDITOR)
    await refresh_access(page, acme)
    await expect(page.get_by_role("region", name="Your roles")).to_contain_text("editor")
    behind = page.get_by_text("but your token does not include it yet")
    await expect(behind).to_contain_text("projects:write")

    await page.get_by_role("link", name="Renew it now").click()
    await page.wait_for_url(f"**/o/{acme}/access")
    await expect(behind).to_have_count(0)
    await page.get_by_role("link", name="Projects", exact=True).click()
    await expect(page.get_by_role("link", name="Create project")).to_be_visible()
    assert logto_pages == []


@alice_is(Role.EDITOR)
async def test_a_demoted_editor_is_denied_and_no_longer_gets_the_link(
    page: Page, people: Factory, alice: Person, acme: str
) -> None:
    await page.goto(f"/o/{acme}/projects")
    await expect(page.get_by_role("link", name="Create project")).to_be_visible()

    await people.give_roles(acme, alice, Role.VIEWER)
    await refresh_access(page, acme)
    await page.goto(f"/o/{acme}/projects")
    await expect(page.get_by_role("link", name="Create project")).to_have_count(0)
    answer = await page.goto(f"/o/{acme}/projects/new")
    assert answer is not None
    assert answer.status == 403


async def test_a_form_sent_with_outdated_access_is_kept_and_sent_after_one_click(
    open_page: OpenPage, people: Factory, site: Site
) -> None:
    page = await open_page()
    await lead_to_renewal(page, people, "Typed before lunch")
    logto_pages = watch_logto_pages(page, site)
    await page.get_by_role("button", name="Renew and continue").click()

    await expect(page.get_by_role("heading", name="Typed before lunch", level=1)).to_be_visible()
    await expect(page.get_by_text("both kept.")).to_be_visible()
    assert logto_pages == []


async def test_a_stranger_gets_404(open_page: OpenPage, people: Factory, acme: str) -> None:
    page = await open_page(await people.person())
    answer = await page.goto(f"/o/{acme}/projects")
    assert answer is not None
    assert answer.status == 404
    await expect(page.locator("body")).not_to_contain_text("Acme")
    await page.get_by_role("link", name="Your organizations").click()
    await expect(page.get_by_role("heading", name="Organizations", level=1)).to_be_visible()
