"""Every declared sign-in method, through fakes of Mailgun, GatewayAPI and Naver."""

from __future__ import annotations

from collections.abc import Callable

import pyotp
import pytest
from local_logto.fakes.server import FakeProvider
from playwright.async_api import Page, expect

from saas_app.logto import ManagementClient
from tests.browser.conftest import OpenPage
from tests.browser.methods_site import MethodsSite
from tests.browser.methods_steps import enter_code, follow, naver_account, new_address, new_number
from tests.browser.steps import (
    account_menu,
    address_of,
    choose_password,
    create_project,
    enter_credentials,
    identifier_field,
    is_at,
    password_field,
    sign_in,
    sign_out,
)
from tests.clients import Person
from tests.factories import PASSWORD, Factory

NEW_PASSWORD = "Another-password-2"
IN_TIME = 5_000  # milliseconds within which a page says that a provider does not answer


async def subject(page: Page) -> str:
    """Return the id of the account that the browser is signed in to."""
    answer = await page.request.get("/api/v1/me")
    assert answer.status == 200
    return str((await answer.json())["subject"])


async def test_a_person_signs_up_with_a_code_from_mailgun(
    visitor: OpenPage, methods_site: MethodsSite
) -> None:
    page, address = await visitor(), new_address()
    await page.get_by_role("main").get_by_role("link", name="Create account").click()
    await page.get_by_label("Email").fill(address)
    await page.get_by_role("button", name="Create account").click()
    await enter_code(page, await methods_site.mailgun.next_code(address))
    await choose_password(page, PASSWORD)

    await expect(account_menu(page)).to_be_visible()
    await page.goto("/account")
    await expect(page.get_by_role("main")).to_contain_text(f"{address} Verified")


async def test_a_person_signs_in_with_a_code_from_gatewayapi(
    visitor: OpenPage, methods_site: MethodsSite, methods_management: ManagementClient
) -> None:
    number = new_number()
    person = await methods_management.create_user(
        username=f"rosa_{number}", email=new_address(), name="Rosa", password=PASSWORD, phone=number
    )
    page = await visitor()
    await follow(page, "Continue with SMS code")
    await identifier_field(page).fill(f"+{number}")
    await page.get_by_role("button", name="Sign in").click()
    await enter_code(page, await methods_site.gatewayapi.next_code(number))

    await expect(account_menu(page)).to_have_accessible_name("Account menu of Rosa")
    assert await subject(page) == person.id


async def test_another_code_can_be_requested_after_the_countdown(
    visitor: OpenPage, methods_site: MethodsSite
) -> None:
    page, address = await visitor(), new_address()
    await page.clock.install()
    await follow(page, "Continue with email code")
    await identifier_field(page).fill(address)
    await page.get_by_role("button", name="Sign in").click()

    resend = page.get_by_role("button", name="Resend verification code")
    await expect(page.get_by_text("Resend after")).to_be_visible()
    await expect(resend).to_be_hidden()
    await page.clock.run_for(60_000)
    await expect(page.get_by_text("Resend after")).to_be_hidden()
    await resend.click()  # too early by the clock of the server
    await expect(page.get_by_role("alert")).to_contain_text("to request a new code")


async def test_naver_creates_an_account_and_signs_in_to_it_the_next_time(
    visitor: OpenPage, methods_site: MethodsSite
) -> None:
    methods_site.naver.account = naver_account()
    page = await visitor()
    await follow(page, "Continue with Naver")  # skips Logto's sign-in page
    agree = page.get_by_role("button", name="Agree")
    await expect(agree).to_be_visible()
    assert is_at(page, methods_site.naver.base_url)
    await agree.click()
    await expect(account_menu(page)).to_have_accessible_name("Account menu of Sujin")
    first = await subject(page)
    await page.goto("/account")
    await expect(page.get_by_role("region", name="Linked accounts")).to_contain_text("Naver")
    await sign_out(page)

    await follow(page, "Continue with Naver")  # Naver does not ask again
    await expect(account_menu(page)).to_be_visible()
    assert await subject(page) == first


async def test_after_canceling_at_naver_another_method_is_offered(
    visitor: OpenPage, methods_site: MethodsSite
) -> None:
    methods_site.naver.account = naver_account()
    page = await visitor()
    await follow(page, "Continue with Naver")
    await page.get_by_role("button", name="Cancel").click()
    await expect(page.get_by_role("heading", name="You did not continue with Naver")).to_be_visible()
    await page.get_by_role("link", name="Try another way").click()
    await expect(identifier_field(page)).to_be_visible()


async def test_a_naver_identity_is_linked_to_the_account_with_its_address(
    visitor: OpenPage, methods_site: MethodsSite, members: Factory
) -> None:
    person = await members.person("Rosa")
    methods_site.naver.account = naver_account(email=address_of(person), nickname="Another name")
    page = await visitor()
    await follow(page, "Continue with Naver")
    await page.get_by_role("button", name="Agree").click()
    await page.get_by_role("button", name="Link").first.click()

    await expect(account_menu(page)).to_have_accessible_name("Account menu of Rosa")
    assert await subject(page) == person.id
    await page.goto("/account")
    await expect(page.get_by_role("region", name="Linked accounts")).to_contain_text("Naver")


async def test_a_forgotten_password_is_replaced_with_the_help_of_a_code(
    visitor: OpenPage, methods_site: MethodsSite, members: Factory
) -> None:
    person = await members.person()
    page = await visitor()
    await page.get_by_role("main").get_by_role("link", name="Sign in", exact=True).click()
    await identifier_field(page).fill(address_of(person))
    await page.get_by_role("button", name="Sign in").click()
    await methods_site.mailgun.next_code(address_of(person))  # the code is offered first
    await page.get_by_role("link", name="Sign in with password").click()
    await page.get_by_role("link", name="Forgot your password?").click()
    await page.get_by_role("button", name="Continue").click()
    await enter_code(page, await methods_site.mailgun.next_code(address_of(person)))
    await choose_password(page, NEW_PASSWORD)

    await expect(identifier_field(page)).to_be_visible()
    await page.goto("/")
    await sign_in(page, Person(person.id, person.username, NEW_PASSWORD))


async def test_an_organization_that_requires_a_second_factor_opens_once_the_member_has_one(
    visitor: OpenPage, members: Factory
) -> None:
    """One scenario: require a second factor, set one up, work, and sign in again with a backup code."""
    alice = await members.person("Alice")
    acme = await members.organization("Acme", admin=alice)
    page = await visitor()
    await sign_in(page, alice, f"/o/{acme}/settings")
    await page.get_by_text("Require a second factor…").click()
    await page.get_by_role("button", name="Require a second factor").click()
    refusal = page.get_by_role("heading", name="This organization requires a second factor")
    await expect(refusal).to_be_visible()
    await page.goto(f"/o/{acme}/projects")
    await expect(refusal).to_be_visible()

    await page.get_by_role("link", name="Set up a second factor").click()
    await enter_credentials(page, alice)
    app = pyotp.TOTP(await page.locator("li code").text_content() or "")
    await page.get_by_label("Enter the one-time code").fill(app.now())
    await page.get_by_role("button", name="Continue").click()
    await expect(page.get_by_role("heading", name="Save your backup code")).to_be_visible()
    backup_code = await page.locator("li code").first.text_content()
    await page.get_by_role("button", name="Continue").click()

    await expect(page.get_by_role("heading", name="Projects", exact=True)).to_be_visible()
    await create_project(page, acme, "Behind two locks")
    await sign_out(page)
    await page.get_by_role("main").get_by_role("link", name="Sign in", exact=True).click()
    await enter_credentials(page, alice)
    await page.get_by_role("link", name="Try another method to verify").click()
    await page.get_by_text("Backup code", exact=True).click()
    await page.get_by_label("Backup code").fill(backup_code or "")
    await page.get_by_role("button", name="Continue").click()
    await expect(account_menu(page)).to_be_visible()


FAILURES: dict[str, Callable[[FakeProvider], None]] = {
    "wrong key": lambda provider: provider.refuse(401, "Forbidden"),
    "500": lambda provider: provider.refuse(500),
    "hangs up": lambda provider: provider.drop_connections(),
    "slow": lambda provider: provider.answer_slowly(),
}


@pytest.mark.parametrize(
    ("way", "failure"),
    [
        ("Continue with email code", "wrong key"),
        ("Continue with email code", "hangs up"),
        ("Continue with email code", "slow"),
        ("Continue with SMS code", "500"),
        ("Continue with SMS code", "slow"),
    ],
)
async def test_if_a_code_cannot_be_sent_another_method_works(
    visitor: OpenPage, methods_site: MethodsSite, methods_management: ManagementClient, way: str, failure: str
) -> None:
    number, address = new_number(), new_address()
    person = await methods_management.create_user(
        username=f"rosa_{number}", email=address, name="Rosa", password=PASSWORD, phone=number
    )
    FAILURES[failure](methods_site.mailgun if way == "Continue with email code" else methods_site.gatewayapi)
    page = await visitor()
    await follow(page, way)
    await identifier_field(page).fill(address if way == "Continue with email code" else f"+{number}")
    await page.get_by_role("button", name="Sign in").click()

    alert = page.get_by_role("alert")
    await expect(alert).to_contain_text("The message could not be sent", timeout=IN_TIME)
    await page.get_by_role("link", name="Sign in with password").click()
    await password_field(page).fill(PASSWORD)
    await page.get_by_role("button", name="Continue").click()
    await expect(account_menu(page)).to_be_visible()
    assert await subject(page) == person.id


@pytest.mark.parametrize(
    ("failure", "address"),
    [
        ("malformed JSON", "/oauth2.0/token"),
        ("malformed JSON", "/v1/nid/me"),
        ("500", "/oauth2.0/token"),
        ("slow", "/v1/nid/me"),
    ],
)
async def test_if_naver_fails_another_method_works(
    visitor: OpenPage, methods_site: MethodsSite, members: Factory, failure: str, address: str
) -> None:
    person = await members.person()
    naver = methods_site.naver
    naver.account = naver_account()
    page = await visitor()
    await follow(page, "Continue with Naver")
    failures: dict[str, Callable[[], None]] = {
        "malformed JSON": lambda: naver.answer_malformed(path=address),
        "500": lambda: naver.refuse(500, path=address),
        "slow": lambda: naver.answer_slowly(path=address),
    }
    failures[failure]()
    await page.get_by_role("button", name="Agree").click()

    heading = page.get_by_role("heading", name="Signing in with Naver failed")
    await expect(heading).to_be_visible(timeout=IN_TIME)
    await page.get_by_role("link", name="Try another way").click()
    await enter_credentials(page, person)
    await expect(account_menu(page)).to_be_visible()
