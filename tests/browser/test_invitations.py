"""Inviting somebody, and coming in by the invitation: two browsers, from sending to the first project."""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, expect

from saas_app.logto import ManagementClient
from tests.browser.conftest import OpenPage
from tests.browser.mailbox import Mailbox, open_mailbox
from tests.browser.site import Site
from tests.browser.steps import (
    address_of,
    choose_password,
    create_project,
    enter_credentials,
    expect_path,
    identifier_field,
    invite,
    switcher,
)
from tests.factories import PASSWORD, Factory


@pytest.fixture
async def mailbox(site: Site) -> AsyncIterator[Mailbox]:
    """Where invited people find their messages."""
    if not site.is_ours:
        pytest.skip("the connectors and the sign-up of the named Logto are not ours to change")
    async with open_mailbox(site) as opened:
        yield opened


@pytest.fixture
async def _sign_up_asks_for_an_address(
    mailbox: Mailbox, site_management: ManagementClient
) -> AsyncIterator[None]:
    """As whoever invites people will have set it; Logto takes that only while it can send emails."""
    before = (await site_management.get_sign_in_experience())["signUp"]
    address = {"identifier": "email", "verify": True}
    wanted = {**before, "password": True, "verify": True, "secondaryIdentifiers": [address]}
    await site_management.change_sign_in_experience({"signUp": wanted})
    yield
    await site_management.change_sign_in_experience({"signUp": before})


async def test_somebody_invited_accepts_and_makes_the_first_project(
    open_page: OpenPage, people: Factory
) -> None:
    alice, erin = await people.person("Alice"), await people.person("Erin")
    acme = await people.organization("Acme", admin=alice)
    link = await invite(await open_page(alice), acme, address_of(erin), "editor")

    page = await open_page()
    await page.goto(link)
    await expect(page.get_by_role("heading", name="You are invited")).to_be_visible()
    await expect(page.get_by_text("Acme")).to_have_count(0)
    await page.get_by_role("main").get_by_role("link", name="Sign in").click()
    await enter_credentials(page, erin)

    await expect(page.get_by_text(re.compile("^Alice invites you to Acme"))).to_be_visible()
    await page.get_by_role("button", name="Accept invitation").click()
    await expect(page.get_by_role("status")).to_contain_text("Welcome")
    await expect(switcher(page)).to_have_accessible_name(re.compile("^Organization: Acme"))
    await expect_path(page, f"/o/{acme}/")
    await create_project(page, acme, "First of mine")


@pytest.mark.usefixtures("_sign_up_asks_for_an_address", "_any_password_will_do")
async def test_somebody_new_signs_up_by_the_e_mail_and_makes_the_first_project(
    open_page: OpenPage, people: Factory, site: Site, mailbox: Mailbox
) -> None:
    alice, username = await people.person("Alice"), f"nina_{secrets.token_hex(5)}"
    acme, address = await people.organization("Acme", admin=alice), f"{username}@example.test"
    await invite(await open_page(alice), acme, address, "editor")

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
    await expect(page.get_by_role("status")).to_contain_text("Welcome")
    await expect_path(page, f"/o/{acme}/")
    await page.get_by_role("link", name="Projects", exact=True).click()
    await create_project(page, acme, "First of mine")


async def test_the_wrong_person_learns_nothing_and_hands_the_link_to_the_right_one(
    open_page: OpenPage, people: Factory
) -> None:
    alice, erin, mallory = [await people.person(name) for name in ("Alice", "Erin", "Mallory")]
    acme = await people.organization("Acme", admin=alice)
    link = await invite(await open_page(alice), acme, address_of(erin), "viewer")

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


async def test_an_invitation_that_is_revoked_while_somebody_reads_it_is_not_accepted(
    open_page: OpenPage, people: Factory
) -> None:
    alice, erin = await people.person("Alice"), await people.person("Erin")
    acme = await people.organization("Acme", admin=alice)
    admin = await open_page(alice)
    link = await invite(admin, acme, address_of(erin), "viewer")
    page = await open_page(erin)
    await page.goto("/o")
    await page.get_by_role("link", name="View the invitation to Acme").click()
    await expect(page).to_have_url(link)

    await admin.get_by_role("link", name=f"Revoke invitation for {address_of(erin)}").click()
    await admin.get_by_role("button", name="Revoke invitation").click()
    await expect(admin.get_by_role("status")).to_contain_text("revoked")

    await page.get_by_role("button", name="Accept invitation").click()
    await expect(page.get_by_role("heading", name="This invitation has been revoked")).to_be_visible()
    await expect(page.get_by_text("Ask Alice for a new one.")).to_be_visible()


async def test_the_link_is_copied_with_one_click_and_can_be_selected_without_a_script(
    open_page: OpenPage, people: Factory
) -> None:
    alice = await people.person("Alice")
    acme = await people.organization("Acme", admin=alice)
    page = await open_page(alice, permissions=["clipboard-read", "clipboard-write"])
    link = await invite(page, acme, "kim@example.test", "viewer")
    await page.get_by_role("button", name="Copy link for kim@example.test").click()
    await expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert await page.evaluate("navigator.clipboard.readText()") == link

    scriptless = await open_page(alice, java_script_enabled=False)
    await scriptless.goto(f"/o/{acme}/invitations")
    await expect(scriptless.get_by_role("textbox", name="Link for kim@example.test")).to_have_value(link)
    await expect(scriptless.get_by_role("button", name="Copy link")).to_have_count(0)


async def test_addresses_that_are_wrong_stay_in_the_form_with_the_focus_on_them(
    open_page: OpenPage, people: Factory
) -> None:
    alice = await people.person("Alice")
    acme = await people.organization("Acme", admin=alice)
    page = await open_page(alice)
    await page.goto(f"/o/{acme}/invitations/new")
    addresses = page.get_by_label("Email addresses")
    await addresses.fill("kim@example.test\nnonsense")
    await page.get_by_role("button", name="Send invitations").click()
    await expect(page.get_by_role("alert")).to_contain_text("“nonsense” is not an email address.")
    await expect(addresses).to_have_value("kim@example.test\nnonsense")
    await expect(addresses).to_be_focused()


async def _sign_up(page: Page, site: Site, username: str, address: str) -> None:
    """Through Logto's pages: the address stands already; what else an account needs is asked for."""
    if site.has_own_logto:  # Logto's own page for the one-time token goes on by a script
        await expect(page.get_by_role("main")).to_contain_text(address)
        await page.get_by_role("button", name="Continue").click()
    await identifier_field(page).fill(username)
    await page.get_by_role("button", name="Continue").click()
    await choose_password(page, PASSWORD)
