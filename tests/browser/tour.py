"""Tours of the pages, for checks that must hold on every page. Each tour yields the name of the open page.

Pages for admins are in :mod:`tests.browser.tour_of_an_admin`.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass

from playwright.async_api import Page, Route, expect

from tests.browser.site import Site
from tests.browser.steps import (
    account_menu,
    create_project,
    enter_credentials,
    identifier_field,
    lead_to_renewal,
    make_edit_conflict,
    password_field,
    start_session,
    switcher,
)
from tests.clients import Person
from tests.factories import Factory

LONG_NAME = "Zusammenführung der Auftragsverwaltung mit der Lagerhaltung in allen Niederlassungen"


@dataclass(frozen=True, slots=True)
class Scene:
    """A person who is admin of one organization, viewer of another, and has a project."""

    person: Person
    own: str
    foreign: str
    project: str


async def set_scene(page: Page, people: Factory, site: Site) -> Scene:
    """Make a scene. ``page`` is signed in afterwards and shows a project with tasks."""
    person = await people.person("Alexandra")
    own = await people.organization("Acme Robotics", admin=person)
    foreign = await people.organization("Globex", viewer=person)
    await start_session(page, site, person)
    project = await create_project(page, own, LONG_NAME, "Two lines\nabout what it is for.")
    for title in ("Measure the closing force", "Soak test"):
        await page.get_by_label("New task").fill(title)
        await page.get_by_role("button", name="Add").click()
        await expect(page.get_by_role("link", name=title)).to_be_visible()
    await page.get_by_role("button", name="Start: Soak test").click()
    await expect(page.get_by_role("cell", name="In progress")).to_be_visible()
    return Scene(person, own, foreign, project)


async def before_sign_in(page: Page, site: Site) -> AsyncIterator[str]:
    """Open the pages for people who are not signed in."""
    for path in ("/", "/no/such/page", "/callback?state=forged&code=forged", "/invitations/some-id"):
        await page.goto(path)
        yield path
    await page.goto("/sign-in")
    await expect(identifier_field(page)).to_be_visible()
    if not site.has_own_logto:
        return  # other Logto servers do not have the following pages
    yield "Logto's sign-in page"
    await enter_credentials(page, Person("", "nobody", "wrong"))
    await expect(page.get_by_role("alert").first).to_be_visible()
    yield "Logto's sign-in page, refused"
    await page.goto("/sign-up")
    await identifier_field(page).fill(f"newcomer_{secrets.token_hex(5)}")
    yield "Logto's registration page"
    await page.get_by_role("button", name="Create account").click()
    await password_field(page).wait_for()
    yield "Logto's page for a new password"
    for path in ("/", "/messages", "/unknown-session"):
        await page.goto(site.logto + path)
        yield f"the provider's {path}"


async def after_sign_in(page: Page, scene: Scene) -> AsyncIterator[str]:
    """Open the pages for members."""
    root, foreign = f"/o/{scene.own}", f"/o/{scene.foreign}"
    for path in (
        "/o",
        "/o/new",
        "/account",
        "/account/profile",
        "/account/settings",
        f"{root}/",
        f"{root}/access",
        f"{root}/search?q=lager",
        f"{root}/projects",
        f"{root}/projects?q=nothing+like+it",
        f"{root}/projects?status=archived",
        f"{root}/projects/new",
        scene.project,
        f"{scene.project}?show=done",
        f"{scene.project}/edit",
        f"{scene.project}/delete",
        "/invitations/not-mine",
        f"{foreign}/projects",
        f"{foreign}/projects/new",
        "/o/unknown/projects",
        f"/lab/tokens?left={scene.own}",
        f"/lab/tokens?left={scene.own}&right={scene.foreign}&role=admin&in={scene.foreign}",
    ):
        await page.goto(path)
        yield path


async def after_actions(page: Page, scene: Scene) -> AsyncIterator[str]:
    """Open the pages that members see only after an action."""
    await page.goto(f"/o/{scene.own}/projects/new")
    await page.get_by_role("button", name="Create project").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    yield "a refused form"
    await page.goto(scene.project)
    await page.get_by_role("link", name="Soak test").click()
    await page.get_by_role("button", name="Save changes").wait_for()
    yield "a task's form"
    await page.get_by_role("link", name="Delete task…").click()
    await page.get_by_role("button", name="Delete “Soak test”").wait_for()
    yield "a task's deletion"
    await make_edit_conflict(page, f"{scene.project}/edit")
    yield "an edit conflict"
    await page.goto(f"/o/{scene.own}/access")
    for summary in await page.get_by_text("Claims", exact=True).all():
        await summary.click()
    yield "the tokens, unfolded"
    await page.goto(f"/lab/tokens?left={scene.own}&right={scene.foreign}")
    for summary in await page.get_by_role("main").locator("summary").all():
        await summary.click()
    yield "the token workbench, unfolded"
    await page.get_by_role("button", name="Show the ID token").click()
    await page.get_by_role("link", name="Hide the token").wait_for()
    yield "a raw token"
    await page.goto("/account")
    await page.get_by_text("Sign out everywhere…").click()
    yield "a question before a destructive action"
    await account_menu(page).click()
    yield "the account menu, open"
    await page.goto(f"/o/{scene.own}/projects")
    await switcher(page).click()
    await page.get_by_role("listbox").wait_for()
    yield "the switcher, open"


async def without_scripts(page: Page, people: Factory, site: Site) -> AsyncIterator[str]:
    """Open the pages that a script leaves immediately. ``page`` is signed out at first."""

    async def send_empty(route: Route) -> None:
        await route.fulfill(content_type="text/javascript", body="")

    await lead_to_renewal(page, people)
    yield "access to be renewed"
    await page.context.route("**/*.js*", send_empty)
    await page.get_by_role("button", name="Renew and continue").click()
    await page.get_by_role("button", name="Submit form").wait_for()
    yield "a kept form"
    if not site.has_own_logto:
        return
    await account_menu(page).click()
    await page.get_by_role("banner").get_by_role("button", name="Sign out").click()
    await page.get_by_role("button", name="Continue").wait_for()
    yield "Logto's page on the way out"
