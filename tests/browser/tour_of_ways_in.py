"""Tours of the pages for signing in and for the account at Logto: codes, Naver, second factors.

Each tour yields the name of the open page.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pyotp
from playwright.async_api import Page

from tests.browser.methods_site import MethodsSite
from tests.browser.methods_steps import enter_code, follow, naver_account, new_address, new_number
from tests.browser.steps import (
    account_menu,
    address_of,
    enter_credentials,
    identifier_field,
    password_field,
    start_session,
)
from tests.factories import Factory


async def codes(page: Page, ways: MethodsSite, members: Factory) -> AsyncIterator[str]:
    """Open the pages from the front page through a code that cannot be sent to a new password."""
    address = address_of(await members.person())
    yield "front page with sign-in methods"
    await follow(page, "Continue with SMS code")
    yield "one kind of identifier"
    ways.gatewayapi.refuse(500)
    await identifier_field(page).fill(f"+{new_number()}")
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_role("alert").wait_for()
    yield "a message that cannot be sent"
    await page.get_by_role("link", name="All sign-in options").click()
    yield "every sign-in method"
    await identifier_field(page).fill(address)
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await enter_code(page, "no code")
    await page.get_by_role("alert").wait_for()
    yield "an invalid code"
    await page.get_by_role("link", name="Sign in with password").click()
    yield "password, or a code"
    await page.get_by_role("link", name="Forgot your password?").click()
    yield "forgotten password"
    await ways.mailgun.next_code(address)
    await page.get_by_role("button", name="Continue").click()
    await enter_code(page, await ways.mailgun.next_code(address))
    yield "new password"


async def naver(page: Page, ways: MethodsSite, members: Factory) -> AsyncIterator[str]:
    """Open the pages for a denial at Naver, an error of Naver, and an address that has an account already."""
    person = await members.person("Rosa")
    ways.naver.account = naver_account(email=address_of(person))
    await page.goto("/")
    await follow(page, "Continue with Naver")
    await page.get_by_role("button", name="Cancel").click()
    again = page.get_by_role("link", name="Continue with Naver again")
    await again.wait_for()  # the page of the callback moves on by itself
    yield "a denial at Naver"
    ways.naver.answer_malformed(path="/oauth2.0/token")
    await again.click()
    await page.get_by_role("button", name="Agree").click()
    await again.wait_for()
    yield "an error of Naver"
    ways.naver.behave()
    await again.click()
    await page.get_by_role("button", name="Link with").wait_for()
    yield "an account with this address"
    await page.get_by_role("button", name="Link another email").click()
    await page.get_by_role("heading", name="Link email").wait_for()
    yield "an address is missing"


async def second_factor(page: Page, members: Factory) -> AsyncIterator[str]:
    """Open the pages for setting up a second factor and for signing in with it."""
    alice = await members.person("Alice")
    acme = await members.organization("Acme", admin=alice)
    await members.management.update_organization(acme, is_mfa_required=True)
    await page.goto("/sign-in")
    await enter_credentials(page, alice)
    yield "a new authenticator"
    await page.get_by_text("Can’t scan the QR code?").click()
    yield "a new authenticator, by its key"
    app = pyotp.TOTP(await page.locator("li code").text_content() or "")
    await page.get_by_label("one-time code").fill(app.now())
    await page.get_by_role("button", name="Continue").click()
    await page.get_by_role("heading", name="Save your backup code").wait_for()
    yield "backup codes"
    await page.get_by_role("button", name="Continue").click()
    await account_menu(page).wait_for()
    await page.goto("/sign-in?prompt=login")
    await enter_credentials(page, alice)
    yield "a second factor is asked for"
    await page.get_by_role("link", name="Try another method to verify").click()
    yield "other second factors"
    await page.get_by_text("Backup code", exact=True).click()
    yield "a backup code"


async def account(page: Page, ways: MethodsSite, members: Factory) -> AsyncIterator[str]:
    """Open Logto's account page, and the verification it requires before sensitive changes."""
    carol = await members.person("Carol")
    await start_session(page, ways.site, carol)
    await page.goto(f"{ways.site.logto}/account")
    yield "the account"
    await page.get_by_role("link", name="Change email").click()
    yield "verification methods"
    await page.get_by_text("Email verification code").click()
    await page.get_by_role("button", name="Send verification code").click()
    await page.get_by_label("Verification code").wait_for()
    yield "a code on its way"
    await page.goto(f"{ways.site.logto}/account/verify/password")
    await password_field(page).fill(carol.password)
    await page.get_by_role("button", name="Continue").click()
    await page.get_by_label("Email").fill(new_address())
    yield "a new address"
    await page.goto(f"{ways.site.logto}/account/authenticator-app")
    yield "an authenticator for the account"
