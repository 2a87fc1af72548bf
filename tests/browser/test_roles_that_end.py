"""A role that is given for a time: who sees what, until it has ended and the job has taken it away."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa
from playwright.async_api import Page, expect

from saas_app.db.base import utc_now
from saas_app.db.engine import create_engine
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.models import RoleEnd
from saas_app.rbac.permissions import Role
from tests.browser.conftest import OpenPage
from tests.browser.site import Site
from tests.clients import Person
from tests.factories import Factory
from tests.remote import eventually

PHONE = {"viewport": {"width": 320, "height": 720}, "is_mobile": True}


async def give(page: Page, organization_id: str, duration: str) -> None:
    """Give Bob the role of an editor besides his own, through the preview."""
    await page.goto(f"/o/{organization_id}/members")
    await page.get_by_role("link", name="Change roles of Bob").click()
    await page.get_by_role("checkbox", name=re.compile("^editor")).check()
    await page.get_by_role("radio", name=duration).check()
    await page.get_by_role("button", name="Preview changes").click()
    await expect(page.get_by_role("main")).to_contain_text("The editor role ends on")
    await page.get_by_role("button", name="Save roles").click()
    await expect(page.get_by_role("status")).to_contain_text("Added roles end on")


async def let_time_pass(site: Site, organization_id: str) -> None:
    """Move the ends of all roles in the organization to this moment."""
    if site.environment is None:
        pytest.skip("the database of the site is not reachable")
    engine = create_engine(site.environment["DATABASE_JOBS_URL"])
    async with UnitOfWork(engine).writing(organization_id) as db:
        await db.execute(
            sa.update(RoleEnd).where(RoleEnd.organization_id == organization_id).values(ends_at=utc_now())
        )
    await engine.dispose()


async def test_a_role_for_an_hour_works_until_it_ends_and_is_then_taken_away(
    open_page: OpenPage, page: Page, people: Factory, acme: str, bob: Person, site: Site
) -> None:
    await give(page, acme, "1 hour")
    await expect(page.get_by_role("row", name=re.compile("Bob"))).to_contain_text(
        re.compile("(hour|minutes) left")
    )
    theirs = await open_page(bob, **PHONE)
    await theirs.goto(f"/o/{acme}/")
    await expect(theirs.get_by_role("main")).to_contain_text("Your editor role ends on")
    await theirs.goto(f"/o/{acme}/projects/new")
    await theirs.get_by_label("Name").fill("Too late")

    await let_time_pass(site, acme)
    await theirs.get_by_role("button", name="Create project").click()

    await expect(theirs.get_by_role("heading", name="Your role does not allow this")).to_be_visible()

    async def is_taken_away() -> bool:
        return await people.management.find_member_roles(acme, bob.id) == {Role.VIEWER}

    await eventually(is_taken_away, "the job takes the role away at Logto")

    async def is_told() -> bool:
        await theirs.goto("/notifications")
        told = await theirs.get_by_role("main").inner_text()
        return re.search("Your editor role in Acme.* has ended.", told) is not None

    await eventually(is_told, "Bob is told that his role has ended")


async def test_an_end_is_moved_and_then_removed(page: Page, acme: str, bob: Person) -> None:
    await give(page, acme, "1 hour")

    await page.get_by_role("link", name="Change roles of Bob").click()
    await page.get_by_role("link", name="Change the end of the editor role").click()
    await page.get_by_role("radio", name="7 days").check()
    await page.get_by_role("button", name="Save end").click()
    await expect(page.get_by_role("row", name=re.compile("Bob"))).to_contain_text(
        re.compile("[67] days left")
    )

    await page.get_by_role("link", name="Change roles of Bob").click()
    await page.get_by_role("link", name="Change the end of the editor role").click()
    await page.get_by_role("radio", name="No end").check()
    await page.get_by_role("button", name="Save end").click()
    await expect(page.get_by_role("status")).to_contain_text("The editor role of Bob has no end.")
    await expect(page.get_by_role("row", name=re.compile("Bob"))).not_to_contain_text("left")


async def test_the_date_is_asked_for_only_if_it_is_chosen(page: Page, acme: str, bob: Person) -> None:
    await page.goto(f"/o/{acme}/members/{bob.id}/roles")

    await expect(page.get_by_label("Date and time")).to_be_hidden()
    await page.get_by_role("radio", name="No end").focus()
    for _step in range(4):
        await page.keyboard.press("ArrowRight")

    await expect(page.get_by_role("radio", name="Until a date")).to_be_checked()
    await expect(page.get_by_label("Date and time")).to_be_visible()


async def test_a_role_is_ended_at_once_through_the_preview(
    page: Page, people: Factory, acme: str, bob: Person
) -> None:
    await give(page, acme, "1 day")

    await page.goto(f"/o/{acme}/members/{bob.id}/roles/editor/end")
    await page.get_by_role("button", name="End role now…").click()
    await expect(page.get_by_role("region", name="Bob loses")).to_contain_text("projects:write")
    await page.get_by_role("button", name="Save roles").click()

    await expect(page.get_by_role("status")).to_contain_text("Roles of Bob changed to viewer")
    assert await people.management.find_member_roles(acme, bob.id) == {Role.VIEWER}
