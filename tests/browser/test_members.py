"""Changes of a member apply at their next request, and one admin always remains."""

from __future__ import annotations

import asyncio

from playwright.async_api import Page, Route, expect

from saas_app.rbac.permissions import Role
from tests.browser.conftest import OpenPage, bob_is
from tests.browser.site import Site
from tests.browser.steps import change_roles, create_project, expect_path, preview_roles, remove_member
from tests.browser.watch import watch_logto_pages
from tests.clients import Person
from tests.factories import Factory

REFUSED = "Your role does not allow this"


@bob_is(Role.EDITOR)
async def test_preview_shows_gained_and_lost_permissions_and_saves_nothing(
    page: Page, people: Factory, acme: str, bob: Person
) -> None:
    await preview_roles(page, acme, "Bob", give="viewer", take="editor")
    await expect(page.get_by_role("region", name="Bob loses")).to_contain_text("projects:write")
    await expect(page.get_by_role("region", name="Bob loses")).not_to_contain_text("projects:read")
    await expect(page.get_by_role("region", name="Bob gains")).to_contain_text("No new permissions.")
    assert await people.management.find_member_roles(acme, bob.id) == {Role.EDITOR}

    await page.get_by_role("link", name="Cancel").click()
    await expect_path(page, f"/o/{acme}/members")
    assert await people.management.find_member_roles(acme, bob.id) == {Role.EDITOR}


@bob_is(Role.EDITOR)
async def test_a_form_opened_before_a_demotion_is_denied(
    open_page: OpenPage, page: Page, acme: str, bob: Person, site: Site
) -> None:
    admin, page = page, await open_page(bob)
    logto_pages = watch_logto_pages(page, site)
    await page.goto(f"/o/{acme}/projects/new")
    await page.get_by_label("Name").fill("Too late")

    await change_roles(admin, acme, "Bob", give="viewer", take="editor")
    await page.get_by_role("button", name="Create project").click()
    await expect(page.get_by_role("heading", name=REFUSED)).to_be_visible()
    await expect(page.get_by_role("region", name="How to get access")).to_contain_text("projects:write")
    await page.get_by_role("link", name="Projects", exact=True).click()
    await expect(page.get_by_role("button", name="Create project")).to_be_disabled()
    await expect(page.get_by_role("link", name="Too late")).to_have_count(0)
    assert logto_pages == []


async def test_a_promotion_applies_at_the_next_click(
    open_page: OpenPage, page: Page, acme: str, bob: Person, site: Site
) -> None:
    admin, page = page, await open_page(bob)
    logto_pages = watch_logto_pages(page, site)
    await page.goto(f"/o/{acme}/projects")
    await expect(page.get_by_role("button", name="Create project")).to_be_disabled()

    await change_roles(admin, acme, "Bob", give="editor", take="viewer")
    await page.get_by_role("link", name="Projects", exact=True).click()
    await page.get_by_role("link", name="Create project").first.click()
    await create_project(page, acme, "First of mine")
    assert logto_pages == []


@bob_is(Role.EDITOR)
async def test_a_removed_member_gets_404_in_every_browser(
    open_page: OpenPage, page: Page, acme: str, bob: Person
) -> None:
    project = await create_project(page, acme, "Robot arm")
    admin, at_work, at_home = page, await open_page(bob), await open_page(bob)
    await at_work.goto(f"/o/{acme}/projects")
    await at_home.goto(project)

    await remove_member(admin, acme, "Bob")
    async with at_work.expect_response(f"**{project}") as answer:
        await at_work.get_by_role("link", name="Robot arm").click()
    assert (await answer.value).status == 404
    async with at_home.expect_response(f"**{project}/tasks") as answer:
        await at_home.get_by_label("New task").fill("Too late")
        await at_home.get_by_role("button", name="Add").click()
    assert (await answer.value).status == 404
    for page in (at_work, at_home):
        await expect(page.get_by_role("heading", name="You are no longer a member of")).to_be_visible()
        await expect(page.locator("body")).not_to_contain_text("Robot arm")
        await page.get_by_role("link", name="Your organizations").click()
        await expect(page.get_by_role("heading", name="Organizations", level=1)).to_be_visible()


@bob_is(Role.ADMIN)
async def test_one_admin_remains_if_two_demote_each_other_at_once(
    open_page: OpenPage, people: Factory, page: Page, alice: Person, acme: str, bob: Person
) -> None:
    pages = [page, await open_page(bob)]
    for page, other in zip(pages, ("Bob", "Alice"), strict=True):
        await preview_roles(page, acme, other, give="viewer", take="admin")

    answers = await _press_at_once(pages, f"**/o/{acme}/members/*/roles")
    held = [await people.management.find_member_roles(acme, person.id) for person in (alice, bob)]
    assert sorted(map(sorted, filter(None, held))) == [[Role.ADMIN], [Role.VIEWER]]
    winner, loser = pages if held[0] == {Role.ADMIN} else reversed(pages)
    demoted = "Bob" if winner is pages[0] else "Alice"
    await expect(winner.get_by_role("status")).to_contain_text(f"Roles of {demoted} changed to viewer")
    assert answers[pages.index(winner)] == 303
    # The loser may or may not have passed the guard before the demotion. Either page says what happened.
    told = {403: REFUSED, 409: "Your access has changed"}[answers[pages.index(loser)]]
    await expect(loser.get_by_role("heading", name=told)).to_be_visible()
    await loser.get_by_role("link", name="Members", exact=True).click()
    await expect(loser.get_by_role("table")).to_contain_text("Alice")
    await expect(loser.get_by_role("link", name="Change roles")).to_have_count(0)


async def _press_at_once(pages: list[Page], url: str) -> list[int]:
    """Save the roles on all pages at the same moment and return the statuses of the responses."""
    everybody = asyncio.Barrier(len(pages))

    async def hold_back(route: Route) -> None:
        if route.request.method == "POST":
            await everybody.wait()
        await route.continue_()

    async def press(page: Page) -> int:
        await page.route(url, hold_back)
        async with page.expect_response(url) as answer:
            await page.get_by_role("button", name="Save roles").click()
        return (await answer.value).status

    return await asyncio.gather(*map(press, pages))
