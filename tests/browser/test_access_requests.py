"""Asking for access, from the denied page to the work, with and without scripts."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from saas_app.rbac.permissions import Role
from tests.browser.conftest import OpenPage, bob_is
from tests.browser.steps import create_project, expect_path
from tests.clients import Person
from tests.factories import Factory

REFUSED = "Your role does not allow this"
REASON = "I have to update the launch plan before Thursday."


async def ask_from_the_denied_page(page: Page, acme: str) -> None:
    """Open a page that is denied, and send a request from there."""
    await page.goto(f"/o/{acme}/projects/new")
    await expect(page.get_by_role("heading", name=REFUSED)).to_be_visible()
    await page.get_by_role("link", name="Ask for access").click()
    await expect(page.get_by_role("radio", name="editor")).to_be_checked()
    await page.get_by_label("Reason").fill(REASON)
    await page.get_by_text("1 hour", exact=True).click()
    await page.get_by_role("button", name="Send request").click()
    await expect(page.get_by_text("Your request was sent.")).to_be_visible()


async def open_from_the_notifications(page: Page, label: str) -> None:
    """Open the newest notification."""
    await page.get_by_role("link", name="Notifications, some unread").click()
    await page.get_by_role("button", name=label).first.click()


@pytest.mark.parametrize("java_script_enabled", [True, False], ids=["scripts", "no scripts"])
@bob_is(Role.VIEWER)
async def test_a_viewer_asks_an_admin_approves_and_the_viewer_works(
    open_page: OpenPage,
    people: Factory,
    alice: Person,
    acme: str,
    bob: Person,
    java_script_enabled: bool,
) -> None:
    """One scenario: denied, asked, notified, approved for an hour, notified, and a project is created."""
    admin = await open_page(alice, java_script_enabled=java_script_enabled)
    page = await open_page(bob, java_script_enabled=java_script_enabled)
    await ask_from_the_denied_page(page, acme)

    await admin.goto(f"/o/{acme}/members")
    await expect(admin.get_by_role("link", name="Requests 1")).to_be_visible()
    await open_from_the_notifications(admin, "View request")
    await expect(admin.get_by_text(REASON)).to_be_visible()
    await expect(admin.get_by_role("heading", name="Bob gains")).to_be_visible()
    await expect(admin.get_by_role("region", name="Your decision")).to_contain_text("projects:write")
    await expect(admin.get_by_role("radio", name="1 hour")).to_be_checked()
    await admin.get_by_role("button", name="Approve request").click()
    await expect(admin.get_by_text("Bob now has the editor role until")).to_be_visible()
    await expect_path(admin, f"/o/{acme}/access-requests")
    assert await people.management.find_member_roles(acme, bob.id) == {Role.EDITOR, Role.VIEWER}

    await page.goto(f"/o/{acme}/access")
    await open_from_the_notifications(page, "View request")
    await expect(page.get_by_text("Approved", exact=True)).to_be_visible()
    await create_project(page, acme, "Launch plan")


async def test_a_declined_request_shows_the_answer_and_can_be_sent_again(
    open_page: OpenPage, page: Page, acme: str, bob: Person
) -> None:
    viewer = await open_page(bob)
    await ask_from_the_denied_page(viewer, acme)
    request = viewer.url

    await page.goto(request)
    await page.get_by_label("Answer").fill("Carol does it this week.")
    await page.get_by_role("button", name="Decline request").click()
    await expect(page.get_by_text("The request of Bob was declined.")).to_be_visible()

    await viewer.goto(request)
    await expect(viewer.get_by_text("Carol does it this week.")).to_be_visible()
    await viewer.get_by_role("link", name="Ask again").click()
    await expect(viewer.get_by_role("radio", name="editor")).to_be_checked()


async def test_a_request_can_be_withdrawn(open_page: OpenPage, acme: str, bob: Person) -> None:
    viewer = await open_page(bob)
    await ask_from_the_denied_page(viewer, acme)

    await viewer.get_by_role("button", name="Withdraw request").click()

    await expect_path(viewer, f"/o/{acme}/access")
    await expect(viewer.get_by_role("region", name="Your requests")).to_contain_text("Withdrawn")
