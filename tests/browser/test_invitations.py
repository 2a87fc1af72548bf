"""Invitations in two browsers, from sending one to the first project of the new member."""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, expect

from saas_app.logto import ManagementClient
from tests.browser.conftest import OpenPage
from tests.browser.mailbox import Mailbox, open_mailbox
from tests.browser.page_checks import PHONE, findings_on
from tests.browser.site import Site
from tests.browser.steps import (
    account_menu,
    address_of,
    choose_password,
    create_project,
    enter_credentials,
    expect_path,
    identifier_field,
    invite,
    switcher,
)
from tests.browser.tour_of_an_email import emailed_link
from tests.clients import Person
from tests.factories import PASSWORD, Factory


@pytest.fixture
async def mailbox(site: Site) -> AsyncIterator[Mailbox]:
    """The emails of invited people."""
    if not site.is_ours:
        pytest.skip("this test changes connectors and sign-up, which needs E2E_LOGTO_IS_OURS=1")
    async with open_mailbox(site) as opened:
        yield opened


@pytest.fixture
async def erin(people: Factory) -> Person:
    """Erin, who has an account and is not a member of Acme."""
    return await people.person("Erin")


@pytest.fixture
async def _sign_up_asks_for_an_address(
    mailbox: Mailbox, site_management: ManagementClient
) -> AsyncIterator[None]:
    """Require a verified email address at sign-up. Logto accepts that only while it can send emails."""
    before = (await site_management.get_sign_in_experience())["signUp"]
    address = {"identifier": "email", "verify": True}
    wanted = {**before, "password": True, "verify": True, "secondaryIdentifiers": [address]}
    await site_management.change_sign_in_experience({"signUp": wanted})
    yield
    await site_management.change_sign_in_experience({"signUp": before})


async def test_an_invited_person_accepts_and_creates_a_project(
    open_page: OpenPage, page: Page, acme: str, erin: Person
) -> None:
    """One scenario: the invitation reveals nothing before sign-in, and grants its role once accepted."""
    link = await invite(page, acme, address_of(erin), "editor")

    page = await open_page()
    await page.goto(link)
    await expect(page.get_by_role("heading", name="You are invited")).to_be_visible()
    await expect(page.get_by_text("Acme")).to_have_count(0)
    await page.get_by_role("main").get_by_role("link", name="Sign in").click()
    await enter_credentials(page, erin)

    await expect(page.get_by_text(re.compile("^Alice invites you to Acme"))).to_be_visible()
    await page.get_by_role("button", name="Accept invitation").click()
    await expect(page.get_by_role("heading", name=re.compile("^Welcome to .*Acme.*Erin"))).to_be_visible()
    await expect(switcher(page)).to_have_accessible_name(re.compile("^Organization: Acme"))
    await expect_path(page, f"/o/{acme}/")
    await create_project(page, acme, "First of mine")


@pytest.mark.usefixtures("_sign_up_asks_for_an_address", "_any_password_will_do")
async def test_a_new_person_signs_up_from_the_email_and_creates_a_project(
    open_page: OpenPage, page: Page, acme: str, site: Site, mailbox: Mailbox
) -> None:
    """One scenario: from the link in the email through sign-up and the name to the first project."""
    username = f"nina_{secrets.token_hex(5)}"
    address = f"{username}@example.test"
    await invite(page, acme, address, "editor")

    page = await open_page()
    await mailbox.follow_link(page, address)
    await page.get_by_role("button", name=f"Continue with {address}").click()
    await _sign_up(page, site, username, address)

    await expect(page.get_by_text(re.compile("^Alice invites you to Acme"))).to_be_visible()
    await expect(page.get_by_role("main")).to_contain_text(address)
    await page.get_by_role("button", name="Accept invitation").click()
    await expect(page.get_by_text("Enter your name.")).to_be_visible()
    await page.get_by_label("Your name").fill("Nina Novak")
    await page.get_by_role("button", name="Accept invitation").click()
    await expect(
        page.get_by_role("heading", name=re.compile("^Welcome to .*Acme.*Nina Novak"))
    ).to_be_visible()
    await expect_path(page, f"/o/{acme}/")
    await page.get_by_role("link", name="Projects", exact=True).click()
    await create_project(page, acme, "First of mine")


@pytest.mark.parametrize("has_scripts", [True, False], ids=["scripts", "no scripts"])
async def test_the_link_in_the_email_signs_in_a_person_with_an_account(
    open_page: OpenPage,
    page: Page,
    acme: str,
    site: Site,
    mailbox: Mailbox,
    erin: Person,
    has_scripts: bool,
) -> None:
    """One scenario on a phone in dark mode: the email, two buttons, the organization, and a second try."""
    if not has_scripts and not site.has_own_logto:
        pytest.skip("Logto's own pages need scripts")
    await invite(page, acme, address_of(erin), "editor")
    phone = {"viewport": PHONE, "color_scheme": "dark", "java_script_enabled": has_scripts}

    page = await open_page(**phone)
    await mailbox.follow_link(page, address_of(erin))
    link = page.url
    await page.get_by_role("button", name=f"Continue with {address_of(erin)}").click()
    await _use_token(page, site, address_of(erin))

    await page.get_by_role("button", name="Accept invitation").click()
    await expect(page.get_by_role("heading", name=re.compile("^Welcome to .*Acme.*Erin"))).to_be_visible()
    await expect(page.get_by_text("You joined as")).to_contain_text("editor")
    await page.reload()
    await expect(page.get_by_role("heading", name="Acme", level=1)).to_be_visible()
    await expect(page.get_by_text("Welcome to")).to_have_count(0)

    page = await open_page(**phone)
    await page.goto(link)
    await expect(page.get_by_role("heading", name="This link no longer signs you in")).to_be_visible()
    await expect(page.get_by_role("button", name="Continue with")).to_have_count(0)


async def test_a_person_whose_link_was_used_gets_a_new_one(
    open_page: OpenPage, page: Page, acme: str, site: Site, mailbox: Mailbox, erin: Person
) -> None:
    await invite(page, acme, address_of(erin), "viewer")
    page = await open_page()
    await mailbox.follow_link(page, address_of(erin))
    link = page.url
    await page.get_by_role("button", name="Continue with").click()  # and Logto's page is closed
    await page.goto(link)

    await page.get_by_role("button", name="Send me a new link").click()
    await expect(page.get_by_role("heading", name="Check your email")).to_be_visible()

    await mailbox.follow_link(page, address_of(erin))
    await page.get_by_role("button", name="Continue with").click()
    await _use_token(page, site, address_of(erin))
    await expect(page.get_by_role("button", name="Accept invitation")).to_be_visible()


async def test_the_holder_of_a_forwarded_email_sees_whose_it_is_and_can_only_become_that_person(
    open_page: OpenPage,
    people: Factory,
    page: Page,
    acme: str,
    site: Site,
    mailbox: Mailbox,
    erin: Person,
) -> None:
    await invite(page, acme, address_of(erin), "viewer")
    mallory = await people.person("Mallory")
    page = await open_page(mallory)
    await mailbox.follow_link(page, address_of(erin))
    main = page.get_by_role("main")
    await expect(main).to_contain_text(f"You are signed in with {address_of(mallory)}")
    await expect(main).to_contain_text(f"This invitation is for {address_of(erin)}")
    await expect(page.locator("body")).not_to_contain_text("Acme")

    await main.get_by_role("button", name="Continue with").click()
    await _use_token(page, site, address_of(erin))

    await expect(page.get_by_role("button", name="Accept invitation")).to_be_visible()
    await expect(account_menu(page)).to_have_accessible_name(re.compile("^Account menu of Erin"))


async def test_pages_behind_the_emailed_link_are_accessible_and_fit_a_phone(
    open_page: OpenPage, people: Factory, page: Page, acme: str, site: Site, mailbox: Mailbox
) -> None:
    reader = await open_page(is_mobile=True, reduced_motion="reduce")
    stranger = await people.person("Mallory")
    assert await findings_on(reader, emailed_link(reader, page, acme, site, mailbox, stranger)) == []


async def test_the_wrong_person_learns_nothing_and_can_sign_out_for_the_right_one(
    open_page: OpenPage, people: Factory, page: Page, acme: str, erin: Person
) -> None:
    mallory = await people.person("Mallory")
    link = await invite(page, acme, address_of(erin), "viewer")

    page = await open_page(mallory)
    answer = await page.goto(link)
    assert answer is not None
    assert answer.status == 404
    await expect(page.get_by_role("heading", name="Invitation not found")).to_be_visible()
    main = page.get_by_role("main")
    await expect(main).to_contain_text(f"You are signed in with {address_of(mallory)}")
    for secret in ("Acme", "Alice", address_of(erin)):
        await expect(page.locator("body")).not_to_contain_text(secret)

    await main.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("heading", name="Work together")).to_be_visible()  # at Logto too
    await page.goto(link)
    await main.get_by_role("link", name="Sign in").click()
    await enter_credentials(page, erin)
    await expect(page.get_by_role("button", name="Accept invitation")).to_be_visible()


async def test_an_invitation_that_is_revoked_while_it_is_open_cannot_be_accepted(
    open_page: OpenPage, page: Page, acme: str, erin: Person
) -> None:
    admin, page = page, await open_page(erin)
    link = await invite(admin, acme, address_of(erin), "viewer")
    await page.goto("/o")
    await page.get_by_role("link", name="View the invitation to Acme").click()
    await expect(page).to_have_url(link)

    await admin.get_by_role("link", name=f"Revoke invitation for {address_of(erin)}").click()
    await admin.get_by_role("button", name="Revoke invitation").click()
    await expect(admin.get_by_role("status")).to_contain_text("revoked")

    await page.get_by_role("button", name="Accept invitation").click()
    await expect(page.get_by_role("heading", name="This invitation has been revoked")).to_be_visible()
    await expect(page.get_by_text("Ask Alice for a new one.")).to_be_visible()


async def test_the_link_is_copied_with_one_click(open_page: OpenPage, alice: Person, acme: str) -> None:
    page = await open_page(alice, permissions=["clipboard-read", "clipboard-write"])
    link = await invite(page, acme, "kim@example.test", "viewer")
    await page.get_by_role("button", name="Copy link for kim@example.test").click()
    await expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert await page.evaluate("navigator.clipboard.readText()") == link


async def test_the_link_can_be_selected_without_a_script(
    open_page: OpenPage, alice: Person, acme: str
) -> None:
    page = await open_page(alice, java_script_enabled=False)
    link = await invite(page, acme, "kim@example.test", "viewer")
    await page.goto(f"/o/{acme}/invitations")
    await expect(page.get_by_role("textbox", name="Link for kim@example.test")).to_have_value(link)
    await expect(page.get_by_role("button", name="Copy link")).to_have_count(0)


async def test_invalid_addresses_stay_in_the_focused_field(page: Page, acme: str) -> None:
    await page.goto(f"/o/{acme}/invitations/new")
    addresses = page.get_by_label("Email addresses")
    await addresses.fill("kim@example.test\nnonsense")
    await page.get_by_role("button", name="Send invitations").click()
    await expect(page.get_by_role("alert")).to_contain_text("“nonsense” is not an email address.")
    await expect(addresses).to_have_value("kim@example.test\nnonsense")
    await expect(addresses).to_be_focused()


async def _use_token(page: Page, site: Site, address: str) -> None:
    """Continue from Logto's page for the one-time token. A script does that at other Logto servers."""
    if site.has_own_logto:
        await expect(page.get_by_role("main")).to_contain_text(address)
        await page.get_by_role("button", name="Continue").click()


async def _sign_up(page: Page, site: Site, username: str, address: str) -> None:
    """Sign up on Logto's pages, which know the address and ask for a username and a password."""
    await _use_token(page, site, address)
    await identifier_field(page).fill(username)
    await page.get_by_role("button", name="Continue").click()
    await choose_password(page, PASSWORD)
