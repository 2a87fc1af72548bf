"""What people do in a browser, in the words that stand on the pages. No test's expectation lives here."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from playwright.async_api import Locator, Page, expect

from saas_app.rbac.permissions import Role
from saas_app.web.origin import origin_of
from tests.clients import Person, sign_in_over_http
from tests.factories import Factory

# The labels of Logto's own pages: which identifiers are offered is a setting of its sign-in experience.
IDENTIFIER = re.compile("username|email|phone", re.IGNORECASE)
ENTER = re.compile("^(Sign in|Continue)$")


async def sign_in(page: Page, person: Person, path: str = "/sign-in") -> None:
    """Begin at a page of the application that asks who this is, and come back signed in."""
    await page.goto(path)
    await enter_credentials(page, person)
    await expect(account_menu(page)).to_be_visible()


async def sign_in_by_http(page: Page, url: str, person: Person) -> None:
    """Sign in without a page of Logto's, which may need scripts, and give the page the session."""
    http, _ = await sign_in_over_http(url, person)
    async with http:
        for cookie in http.cookie_jar:
            await page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": url}])


async def enter_credentials(page: Page, person: Person) -> None:
    """Fill Logto's sign-in page, with the password on the same page or on the next."""
    password = password_field(page)
    await identifier_field(page).fill(person.username)
    if not await password.is_visible():
        await page.get_by_role("button", name=ENTER).click()
    await password.fill(person.password)
    await page.get_by_role("button", name=ENTER).click()


def identifier_field(page: Page) -> Locator:
    """Where Logto asks who this is."""
    return page.get_by_label(IDENTIFIER).or_(page.locator("input[name=identifier]")).first


def password_field(page: Page) -> Locator:
    """Where Logto asks for the password."""
    return page.get_by_label("Password", exact=True).or_(page.locator("input[type=password]")).first


async def choose_password(page: Page, password: str) -> None:
    """Fill Logto's page for a new password, twice where it asks twice, and go on."""
    await password_field(page).fill(password)
    again = page.get_by_label("Confirm password").or_(page.locator("input[name=confirmPassword]")).first
    if await again.is_visible():
        await again.fill(password)
    await page.get_by_role("button", name=re.compile("^(Save password|Continue)$")).click()


async def sign_out(page: Page) -> None:
    """By the account menu; ends on the front page."""
    await account_menu(page).click()
    await page.get_by_role("banner").get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("heading", name="Work together")).to_be_visible()


def account_menu(page: Page) -> Locator:
    """The button in the head that only who is signed in has."""
    return page.get_by_label(re.compile("^Account menu of "))


def switcher(page: Page) -> Locator:
    """The button in the head that names the current organization."""
    return page.get_by_label(re.compile(r"^Organization: .*\. Switch$"))


def option(page: Page, name: str) -> Locator:
    """An organization that the open switcher offers."""
    return page.get_by_role("listbox").get_by_role("option", name=re.compile(f"^.?{re.escape(name)}"))


async def switch_to(page: Page, name: str) -> None:
    """Choose another organization with the mouse."""
    await switcher(page).click()
    await option(page, name).click()
    await expect(switcher(page)).to_have_accessible_name(re.compile(name))


async def create_project(page: Page, organization_id: str, name: str, description: str = "") -> str:
    """Make a project by the form; returns its path."""
    await page.goto(f"/o/{organization_id}/projects/new")
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("Description").fill(description)
    await page.get_by_role("button", name="Create project").click()
    await expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
    return path_of(page)


def address_of(person: Person) -> str:
    """The address that the factory gives an account."""
    return f"{person.username}@example.test"


async def invite(page: Page, organization_id: str, address: str, role: str) -> str:
    """Send the form; returns the link that the list of invitations shows."""
    await page.goto(f"/o/{organization_id}/invitations")
    await page.get_by_role("link", name="Invite people").first.click()
    await page.get_by_label("Email addresses").fill(address)
    await page.get_by_role("checkbox", name="viewer").uncheck()
    await page.get_by_role("checkbox", name=role).check()
    await page.get_by_role("button", name="Send invitations").click()
    return await page.get_by_role("textbox", name=f"Link for {address}").input_value()


async def preview_roles(page: Page, organization_id: str, name: str, *, give: str, take: str) -> None:
    """Choose another role for the member of this name, up to the page that asks whether to save it."""
    await page.goto(f"/o/{organization_id}/members")
    await page.get_by_role("link", name=f"Change roles of {name}").click()
    await page.get_by_role("checkbox", name=re.compile(f"^{take}")).uncheck()
    await page.get_by_role("checkbox", name=re.compile(f"^{give}")).check()
    await page.get_by_role("button", name="Preview changes").click()
    await expect(page.get_by_role("heading", name="Save this change?")).to_be_visible()


async def change_roles(page: Page, organization_id: str, name: str, *, give: str, take: str) -> None:
    """Give the member of this name one role for another, by way of the preview."""
    await preview_roles(page, organization_id, name, give=give, take=take)
    await page.get_by_role("button", name="Save roles").click()
    await expect(page.get_by_role("status")).to_contain_text(f"Roles of {name} changed to {give}")


async def remove_member(page: Page, organization_id: str, name: str) -> None:
    """Take the member of this name out of the organization."""
    await page.goto(f"/o/{organization_id}/members")
    await page.get_by_role("link", name=f"Remove {name}").click()
    await page.get_by_role("button", name=f"Remove {name}").click()
    await expect(page.get_by_role("status")).to_contain_text(f"{name} is no longer a member")


async def read_again(page: Page, organization_id: str) -> None:
    """Have the application forget what it knows of one's access, and ask Logto."""
    await page.goto(f"/o/{organization_id}/access")
    await page.get_by_role("button", name="Refresh").click()
    await expect(page.get_by_role("status")).to_contain_text("access was refreshed")


async def lead_to_renewal(page: Page, people: Factory, name: str = "Typed before lunch") -> None:
    """Sign in as somebody whose form for a project is older than the access it is sent with.

    Meanwhile, in another tab, they have signed in again while only a viewer, and become editor once more:
    Logto froze the viewer's scopes in the grant.
    """
    person = await people.person()
    organization_id = await people.organization("Acme", editor=person)
    await sign_in(page, person)
    await page.goto(f"/o/{organization_id}/projects/new")
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("Description").fill("Two lines,\nboth kept.")
    other_tab = await page.context.new_page()
    await other_tab.goto("/account")
    await sign_out(other_tab)
    await people.give_roles(organization_id, person, Role.VIEWER)
    await sign_in(other_tab, person)
    await people.give_roles(organization_id, person, Role.EDITOR)
    await read_again(other_tab, organization_id)
    await other_tab.close()
    await page.get_by_role("button", name="Create project").click()
    await expect(page.get_by_role("heading", name="Renew your access to continue")).to_be_visible()


async def press_tab_until(page: Page, target: Locator, limit: int = 40) -> None:
    """Move the focus to ``target`` with the Tab key alone, as somebody without a mouse does."""
    for _ in range(limit):
        await page.keyboard.press("Tab")
        if await target.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"{limit} times Tab did not lead to {target}")


async def expect_path(page: Page, path: str) -> None:
    """The page comes to be this one, whatever its query."""
    await expect(page).to_have_url(re.compile(rf"^https?://[^/]+{re.escape(path)}([?#].*)?$"))


def path_of(page: Page) -> str:
    """The path the page stands at."""
    return urlsplit(page.url).path


def is_at(page: Page, site_url: str) -> bool:
    """Whether the page belongs to this site."""
    return origin_of(page.url) == origin_of(site_url)
