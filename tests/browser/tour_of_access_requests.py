"""Tours of the pages about access requests. Each yields the name of the open page."""

from __future__ import annotations

from collections.abc import AsyncIterator

from playwright.async_api import Page

from tests.browser.tour_of_an_admin import LONG_ADDRESS, LONG_NAME, Office


async def asking(page: Page, office: Office) -> AsyncIterator[str]:
    """Open the pages of a member who asks for access. ``page`` is signed in as the viewer."""
    form = f"{office.root}/access-requests/new"
    await page.goto(f"{form}?permission=projects:write")
    yield "a form to ask for access"
    await page.get_by_role("button", name="Send request").click()
    await page.get_by_role("alert").wait_for()
    yield "a refused form to ask for access"
    await page.get_by_label("Reason").fill(f"{LONG_NAME}\nneeds it, because {LONG_ADDRESS} asked.")
    await page.get_by_role("button", name="Send request").click()
    await page.get_by_role("button", name="Withdraw request").wait_for()
    yield "an own access request"
    await page.goto(f"{office.root}/access")
    yield "an access with requests"


async def deciding(page: Page, office: Office) -> AsyncIterator[str]:
    """Open the pages about access requests of others, after :func:`asking`."""
    root = f"{office.root}/access-requests"
    await page.goto("/notifications")
    yield "a notification of an access request"
    await page.goto(f"{root}/new")
    yield "no role to ask for"
    await page.goto(root)
    yield "a list of access requests"
    await page.get_by_role("link", name=LONG_NAME).click()
    await page.get_by_role("button", name="Decline request").wait_for()
    path = page.url
    yield "an access request"
    await page.get_by_text("Until a date").click()
    await page.get_by_label("Date and time").fill("2020-01-01T10:00")
    await page.get_by_role("button", name="Approve request").click()
    await page.locator("#until-error").wait_for()
    yield "a refused approval"
    await page.get_by_label("Answer").fill(LONG_ADDRESS * 2)
    await page.get_by_role("button", name="Decline request").click()
    await page.get_by_role("heading", name="Access requests").wait_for()
    await page.goto(path)
    yield "a declined access request"
