"""Being refused with an explanation, being promoted, being demoted: seen without signing in again."""

from __future__ import annotations

from playwright.async_api import expect

from saas_app.rbac.permissions import Role
from tests.browser.conftest import OpenPage
from tests.browser.site import Site
from tests.browser.steps import create_project, expect_path, lead_to_renewal, read_again
from tests.browser.watch import pages_that_ask
from tests.factories import Factory


async def test_viewer_is_not_offered_what_the_role_does_not_allow(
    open_page: OpenPage, people: Factory
) -> None:
    alice, bob = await people.person(), await people.person()
    acme = await people.organization("Acme", editor=alice, viewer=bob)
    project = await create_project(await open_page(alice), acme, "Gripper")
    page = await open_page(bob)
    await page.goto(f"/o/{acme}/projects")
    await expect(page.get_by_role("link", name="Gripper")).to_be_visible()
    await expect(page.get_by_role("link", name="Create project")).to_have_count(0)
    await expect(page.get_by_role("link", name="Export CSV")).to_have_count(0)
    locked = page.get_by_role("button", name="Create project")
    await expect(locked).to_be_disabled()
    await expect(locked).to_have_accessible_description("Requires the role admin or editor")

    await page.goto(project)
    for label in ("Edit", "Delete…", "Archive", "Add task"):
        await expect(page.get_by_role("link", name=label, exact=True)).to_have_count(0)
        await expect(page.get_by_role("button", name=label, exact=True)).to_have_count(0)


async def test_refused_address_says_which_permission_is_missing_and_which_roles_grant_it(
    open_page: OpenPage, people: Factory
) -> None:
    bob = await people.person("Bob")
    acme = await people.organization("Acme", viewer=bob)
    page = await open_page(bob)
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


async def test_promoted_viewer_gets_the_form_that_was_refused_without_signing_in_again(
    open_page: OpenPage, people: Factory, site: Site
) -> None:
    bob = await people.person()
    acme = await people.organization("Acme", viewer=bob)
    page = await open_page(bob)
    asked = pages_that_ask(page, site)
    await page.goto(f"/o/{acme}/projects/new")
    await expect(page.get_by_text("Missing permission")).to_be_visible()

    await people.give_roles(acme, bob, Role.EDITOR)
    await read_again(page, acme)
    await create_project(page, acme, "First of mine")
    assert asked == []


async def test_my_access_shows_a_promotion_and_offers_to_renew_what_lags_behind(
    open_page: OpenPage, people: Factory, site: Site
) -> None:
    bob = await people.person()
    acme = await people.organization("Acme", viewer=bob)
    page = await open_page(bob)
    asked = pages_that_ask(page, site)
    await people.give_roles(acme, bob, Role.EDITOR)
    await read_again(page, acme)
    await expect(page.get_by_role("region", name="Your roles")).to_contain_text("editor")
    behind = page.get_by_text("but your token does not include it yet")
    await expect(behind).to_contain_text("projects:write")

    await page.get_by_role("link", name="Renew it now").click()
    await page.wait_for_url(f"**/o/{acme}/access")
    await expect(behind).to_have_count(0)
    await page.get_by_role("link", name="Projects", exact=True).click()
    await expect(page.get_by_role("link", name="Create project")).to_be_visible()
    assert asked == []


async def test_demoted_editor_is_refused_and_not_offered_the_button_any_more(
    open_page: OpenPage, people: Factory
) -> None:
    bob = await people.person()
    acme = await people.organization("Acme", editor=bob)
    page = await open_page(bob)
    await page.goto(f"/o/{acme}/projects")
    await expect(page.get_by_role("link", name="Create project")).to_be_visible()

    await people.give_roles(acme, bob, Role.VIEWER)
    await read_again(page, acme)
    await page.goto(f"/o/{acme}/projects")
    await expect(page.get_by_role("link", name="Create project")).to_have_count(0)
    answer = await page.goto(f"/o/{acme}/projects/new")
    assert answer is not None
    assert answer.status == 403


async def test_form_sent_with_access_older_than_the_role_is_kept_and_sent_after_one_click(
    open_page: OpenPage, people: Factory, site: Site
) -> None:
    page = await open_page()
    await lead_to_renewal(page, people, "Typed before lunch")
    asked = pages_that_ask(page, site)
    await page.get_by_role("button", name="Renew and continue").click()

    await expect(page.get_by_role("heading", name="Typed before lunch", level=1)).to_be_visible()
    await expect(page.get_by_text("both kept.")).to_be_visible()
    assert asked == []


async def test_stranger_finds_nothing_there(open_page: OpenPage, people: Factory) -> None:
    bob = await people.person()
    acme = await people.organization("Acme", viewer=bob)
    stranger = await people.person()
    page = await open_page(stranger)
    answer = await page.goto(f"/o/{acme}/projects")
    assert answer is not None
    assert answer.status == 404
    await expect(page.locator("body")).not_to_contain_text("Acme")
    await page.get_by_role("link", name="Your organizations").click()
    await expect(page.get_by_role("heading", name="Organizations", level=1)).to_be_visible()
