"""The pages behind the link in an invitation's email. The tour yields the name of the open page."""

from __future__ import annotations

from collections.abc import AsyncIterator

from playwright.async_api import Page

from tests.browser.mailbox import Mailbox
from tests.browser.site import Site
from tests.browser.steps import invite, start_session
from tests.browser.tour_of_an_admin import LONG_ADDRESS
from tests.clients import Person


async def emailed_link(
    page: Page, admin: Page, organization_id: str, site: Site, mailbox: Mailbox, stranger: Person
) -> AsyncIterator[str]:
    """Open the link while it signs in, after it was used, and as somebody else. ``page`` is signed out."""
    await invite(admin, organization_id, LONG_ADDRESS, "editor")
    await mailbox.follow_link(page, LONG_ADDRESS)
    link = page.url
    yield "a link that signs in"
    await page.get_by_role("button", name="Continue with").click()
    await page.goto(link)
    await page.get_by_role("heading", name="This link no longer signs you in").wait_for()
    yield "a link that was used"
    await page.get_by_role("button", name="Send me a new link").click()
    await page.get_by_role("heading", name="Check your email").wait_for()
    yield "a new link on its way"
    await start_session(page, site, stranger)
    await mailbox.follow_link(page, LONG_ADDRESS)
    await page.get_by_role("button", name="Continue with").wait_for()
    yield "a forwarded link"
    await page.goto(link)
    await page.get_by_role("heading", name="This invitation is for another address").wait_for()
    yield "a forwarded link that was replaced"
