"""Signing up and in, returning to the requested page, and signing out completely."""

from __future__ import annotations

import re
import secrets

import pytest
from playwright.async_api import Browser, Page, expect

from saas_app.rbac.permissions import Role
from tests.browser.conftest import OpenPage, alice_is
from tests.browser.site import Site
from tests.browser.steps import (
    account_menu,
    choose_password,
    create_project,
    enter_credentials,
    expect_path,
    identifier_field,
    is_at,
    password_field,
    sign_in,
    sign_out,
    switcher,
)
from tests.clients import Person
from tests.factories import PASSWORD, Factory


@pytest.mark.usefixtures("_any_password_will_do")
async def test_a_new_person_signs_up_and_is_told_what_to_do_next(open_page: OpenPage) -> None:
    page = await open_page()
    await page.goto("/")
    await page.get_by_role("main").get_by_role("link", name="Create account").click()
    await identifier_field(page).fill(f"newcomer_{secrets.token_hex(5)}")
    await page.get_by_role("button", name="Create account").click()
    await choose_password(page, PASSWORD)

    await expect(page.get_by_role("heading", name="You do not belong to an organization yet")).to_be_visible()
    await expect(page.get_by_role("link", name="Create organization").first).to_be_visible()


async def test_a_new_person_creates_an_organization_and_becomes_its_admin(
    open_page: OpenPage, people: Factory
) -> None:
    page = await open_page(await people.person())
    await page.goto("/")
    await page.get_by_role("link", name="Create organization").first.click()
    await page.get_by_label("Name").fill("Hooli")
    await page.get_by_role("button", name="Create organization").click()

    await expect(page.get_by_text("Hooli was created")).to_be_visible()
    await expect(switcher(page)).to_have_accessible_name("Organization: Hooli. Switch")
    await expect(
        page.get_by_role("link", name="Create project").first
    ).to_be_visible()  # the token has the role already


async def test_sign_in_leads_to_the_requested_page(open_page: OpenPage, alice: Person, acme: str) -> None:
    page = await open_page()
    await sign_in(page, alice, f"/o/{acme}/projects")

    await expect_path(page, f"/o/{acme}/projects")
    await expect(switcher(page)).to_have_accessible_name(re.compile("^Organization: Acme"))
    await expect(account_menu(page)).to_have_accessible_name("Account menu of Alice")


@pytest.mark.usefixtures("acme")
async def test_the_front_page_leads_to_the_last_used_organization(
    open_page: OpenPage, people: Factory, alice: Person
) -> None:
    globex = await people.organization("Globex", viewer=alice)
    page = await open_page(alice)
    await page.goto("/")
    await page.get_by_role("link", name=re.compile("^Globex")).click()
    await expect(page.get_by_role("heading", name=re.compile("^Globex"), level=1)).to_be_visible()
    await page.goto("/")
    await expect_path(page, f"/o/{globex}/")


async def test_a_wrong_password_is_reported_and_a_second_attempt_succeeds(
    open_page: OpenPage, alice: Person, site: Site
) -> None:
    page = await open_page()
    await page.goto("/sign-in")
    await identifier_field(page).fill(alice.username)
    await password_field(page).fill("not the password")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("alert").first).to_be_visible()
    assert is_at(page, site.logto)

    await enter_credentials(page, alice)
    await expect(account_menu(page)).to_be_visible()


async def test_the_back_button_after_sign_out_shows_nothing_from_before(
    open_page: OpenPage, alice: Person, acme: str, browser_that_keeps_pages: Browser, site: Site
) -> None:
    page = await open_page(of=browser_that_keeps_pages)
    await sign_in(page, alice)  # through the pages, which the back button then leads through
    await create_project(page, acme, "Secret launch")
    await page.goto(f"/o/{acme}/projects")
    await expect(page.get_by_role("link", name="Secret launch")).to_be_visible()
    await sign_out(page)

    for _ in range(4):
        await page.go_back(wait_until="commit")  # a cached page would not be loaded again
        heading = page.get_by_role("heading", level=1)
        logto_asks = identifier_field(page)  # Logto's own page has no heading
        await expect(heading.or_(logto_asks).first).to_be_visible()
        await expect(page.locator("body")).not_to_contain_text("Secret launch")
        await expect(account_menu(page)).to_be_hidden()
    await page.goto(f"/o/{acme}/projects")
    await expect(identifier_field(page)).to_be_visible()
    assert is_at(page, site.logto)


async def test_sign_out_everywhere_signs_out_the_other_browser_too(
    open_page: OpenPage, page: Page, alice: Person, site: Site
) -> None:
    at_work, at_home = page, await open_page(alice)
    await at_home.goto("/account")
    await expect(at_home.get_by_text("This device")).to_have_count(1)
    await expect(at_home.locator("li").get_by_role("button", name="Sign out")).to_have_count(2)

    await at_home.get_by_text("Sign out everywhere…").click()
    await at_home.get_by_role("button", name="Sign out everywhere").click()
    await expect(at_home.get_by_role("heading", name="Work together")).to_be_visible()

    for page in (at_home, at_work):
        await page.goto("/account")
        await expect(identifier_field(page)).to_be_visible()  # the session at Logto has ended too
        assert is_at(page, site.logto)


@alice_is(Role.EDITOR)
async def test_a_long_text_survives_a_session_that_ended_while_it_was_typed(page: Page, acme: str) -> None:
    await page.goto(f"/o/{acme}/projects/new")
    await page.get_by_label("Name").fill("Long story")
    await page.get_by_label("Description").fill("There was a robot. " * 100)
    await page.context.clear_cookies(name=re.compile("workroom_session$"))

    await page.get_by_role("button", name="Create project").click()

    await expect(page.get_by_role("heading", name="Long story")).to_be_visible()
    await expect(page.get_by_role("main")).to_contain_text("There was a robot. There was a robot.")
