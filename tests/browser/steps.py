"""Steps that people take in a browser, in the words of the pages. Expectations of tests are not here."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from playwright.async_api import Locator, Page, expect

from saas_app.rbac.permissions import Role
from saas_app.web.origin import origin_of
from tests.browser.site import Site
from tests.clients import LogtoVisit, Person, sign_in_over_http
from tests.factories import Factory

# Labels of Logto's own pages. The sign-in experience decides which identifiers these ask for.
IDENTIFIER = re.compile("username|email|phone", re.IGNORECASE)
ENTER = re.compile("^(Sign in|Continue)$")


async def sign_in(page: Page, person: Person, path: str = "/sign-in") -> None:
    """Sign in through Logto's page, starting at a page of the application that requires it."""
    await page.goto(path)
    await enter_credentials(page, person)
    await expect(account_menu(page)).to_be_visible()


async def start_session(page: Page, site: Site, person: Person, path: str = "/sign-in") -> None:
    """Sign in over HTTP and give the browser both sessions, the application's and Logto's.

    It is faster than Logto's pages, and it works without scripts. ``path`` may be ``FRESH``.
    """
    visit = LogtoVisit()
    http, _callback = await sign_in_over_http(site.url, person, visit=visit, path=path)
    for url, jar in ((site.url, http.cookie_jar), (site.logto, visit.cookies)):
        await page.context.add_cookies([{"name": one.key, "value": one.value, "url": url} for one in jar])
    await http.close()
    await visit.close()


async def enter_credentials(page: Page, person: Person) -> None:
    """Fill in Logto's sign-in page, with the password on the same page or on the next."""
    password = password_field(page)
    await identifier_field(page).fill(person.username)
    if not await password.is_visible():
        await page.get_by_role("button", name=ENTER).click()
    await password.fill(person.password)
    await page.get_by_role("button", name=ENTER).click()


def identifier_field(page: Page) -> Locator:
    """Return Logto's field for the identifier."""
    return page.get_by_label(IDENTIFIER).or_(page.locator("input[name=identifier]")).first


def password_field(page: Page) -> Locator:
    """Return Logto's field for the password."""
    return page.get_by_label("Password", exact=True).or_(page.locator("input[type=password]")).first


async def choose_password(page: Page, password: str) -> None:
    """Fill in Logto's page for a new password, twice if it asks twice, and continue."""
    await password_field(page).fill(password)
    again = page.get_by_label("Confirm password").or_(page.locator("input[name=confirmPassword]")).first
    if await again.is_visible():
        await again.fill(password)
    await page.get_by_role("button", name=re.compile("^(Save password|Continue)$")).click()


async def sign_out(page: Page) -> None:
    """Sign out through the account menu. The front page is shown afterwards."""
    await account_menu(page).click()
    await page.get_by_role("banner").get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("heading", name="Work together")).to_be_visible()


def account_menu(page: Page) -> Locator:
    """Return the button in the header that only signed-in people see."""
    return page.get_by_label(re.compile("^Account menu of "))


def switcher(page: Page) -> Locator:
    """Return the button in the header that names the current organization."""
    return page.get_by_label(re.compile(r"^Organization: .*\. Switch$"))


def option(page: Page, name: str) -> Locator:
    """Return an organization in the open switcher."""
    return page.get_by_role("listbox").get_by_role("option", name=re.compile(f"^.?{re.escape(name)}"))


async def switch_to(page: Page, name: str) -> None:
    """Switch to another organization with the mouse."""
    await switcher(page).click()
    await option(page, name).click()
    await expect(switcher(page)).to_have_accessible_name(re.compile(name))


async def create_project(page: Page, organization_id: str, name: str, description: str = "") -> str:
    """Create a project with the form and return its path."""
    await page.goto(f"/o/{organization_id}/projects/new")
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("Description").fill(description)
    await page.get_by_role("button", name="Create project").click()
    await expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
    return path_of(page)


def address_of(person: Person) -> str:
    """Return the email address that the factory gives a person."""
    return f"{person.username}@example.test"


async def invite(page: Page, organization_id: str, address: str, role: str) -> str:
    """Invite an address with the form and return the link that the list of invitations shows."""
    await page.goto(f"/o/{organization_id}/invitations")
    await page.get_by_role("link", name="Invite people").first.click()
    await page.get_by_label("Email addresses").fill(address)
    await page.get_by_role("checkbox", name="viewer").uncheck()
    await page.get_by_role("checkbox", name=role).check()
    await page.get_by_role("button", name="Send invitations").click()
    return await page.get_by_role("textbox", name=f"Link for {address}").input_value()


async def preview_roles(page: Page, organization_id: str, name: str, *, give: str, take: str) -> None:
    """Replace a role of a member in the form, up to the page that asks for confirmation."""
    await page.goto(f"/o/{organization_id}/members")
    await page.get_by_role("link", name=f"Change roles of {name}").click()
    await page.get_by_role("checkbox", name=re.compile(f"^{take}")).uncheck()
    await page.get_by_role("checkbox", name=re.compile(f"^{give}")).check()
    await page.get_by_role("button", name="Preview changes").click()
    await expect(page.get_by_role("heading", name="Save this change?")).to_be_visible()


async def change_roles(page: Page, organization_id: str, name: str, *, give: str, take: str) -> None:
    """Replace a role of a member, through the preview."""
    await preview_roles(page, organization_id, name, give=give, take=take)
    await page.get_by_role("button", name="Save roles").click()
    await expect(page.get_by_role("status")).to_contain_text(f"Roles of {name} changed to {give}")


async def remove_member(page: Page, organization_id: str, name: str) -> None:
    """Remove a member from the organization."""
    await page.goto(f"/o/{organization_id}/members")
    await page.get_by_role("link", name=f"Remove {name}").click()
    await page.get_by_role("button", name=f"Remove {name}").click()
    await expect(page.get_by_role("status")).to_contain_text(f"{name} is no longer a member")


async def refresh_access(page: Page, organization_id: str) -> None:
    """Refresh the caller's access from Logto with the button on *My access*."""
    await page.goto(f"/o/{organization_id}/access")
    await page.get_by_role("button", name="Refresh").click()
    await expect(page.get_by_role("status")).to_contain_text("access was refreshed")


async def lead_to_renewal(page: Page, people: Factory, name: str = "Typed before lunch") -> None:
    """Send a form whose access must be renewed first, so that the page that offers the renewal is shown.

    Meanwhile, in another tab, the person signed in again as a viewer and then became an editor once more:
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
    await refresh_access(other_tab, organization_id)
    await other_tab.close()
    await page.get_by_role("button", name="Create project").click()
    await expect(page.get_by_role("heading", name="Renew your access to continue")).to_be_visible()


async def make_edit_conflict(page: Page, path: str) -> None:
    """Save a form with a description after another tab has saved it, so that the conflict is shown."""
    await page.goto(path)
    other_tab = await page.context.new_page()
    await other_tab.goto(path)
    await other_tab.get_by_label("Description").fill("Theirs")
    await other_tab.get_by_role("button", name="Save changes").click()
    await other_tab.get_by_role("status").wait_for()
    await other_tab.close()
    await page.get_by_label("Description").fill("Yours")
    await page.get_by_role("button", name="Save changes").click()
    await page.get_by_role("heading", name="This has changed since you opened it").wait_for()


async def press_tab_until(page: Page, target: Locator, limit: int = 40) -> None:
    """Move the focus to ``target`` with the Tab key."""
    for _ in range(limit):
        await page.keyboard.press("Tab")
        if await target.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"pressing Tab {limit} times did not reach {target}")


async def expect_path(page: Page, path: str) -> None:
    """Expect the page to get this path, with any query."""
    await expect(page).to_have_url(re.compile(rf"^https?://[^/]+{re.escape(path)}([?#].*)?$"))


def path_of(page: Page) -> str:
    """Return the path of the page."""
    return urlsplit(page.url).path


def is_at(page: Page, site_url: str) -> bool:
    """Return whether the page belongs to this site."""
    return origin_of(page.url) == origin_of(site_url)
