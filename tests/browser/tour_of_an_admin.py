"""Tours of the pages for admins and for invited people. Each tour yields the name of the open page."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from playwright.async_api import Page

from saas_app.logto import Invitation
from saas_app.rbac.permissions import Role
from tests.browser.conftest import OpenPage
from tests.browser.site import Site
from tests.browser.steps import (
    address_of,
    change_roles,
    enter_credentials,
    make_edit_conflict,
    preview_roles,
    sign_in,
    start_session,
)
from tests.clients import Person
from tests.factories import Factory

LONG_ADDRESS = "maximiliane.von-und-zu-hohenlohe-schillingsfuerst@customer-success.example.test"
LONG_NAME = "Wolfeschlegelsteinhausenbergerdorff"  # no browser breaks this word by itself
_BRIEFLY = 1.0  # lifetime of an invitation that is to expire, in seconds


@dataclass(frozen=True, slots=True)
class Office:
    """An organization with an admin and a viewer with a long name, and a person outside."""

    id: str
    admin: Person
    viewer: Person
    guest: Person

    @property
    def root(self) -> str:
        """The path of its pages."""
        return f"/o/{self.id}"


async def set_office(page: Page, people: Factory, site: Site) -> Office:
    """Make an office. ``page`` is signed in as its admin afterwards."""
    admin, viewer, guest = [await people.person(name) for name in ("Alexandra", LONG_NAME, "Kim")]
    office = Office(
        await people.organization("Acme Robotics", admin=admin, viewer=viewer), admin, viewer, guest
    )
    await start_session(page, site, admin)
    return office


async def members(page: Page, people: Factory, office: Office) -> AsyncIterator[str]:
    """Open the pages about members: their roles, removing them and leaving."""
    root, viewer = f"{office.root}/members", f"{office.root}/members/{office.viewer.id}"
    for path in (
        root,
        f"{root}?q=nobody+like+this",
        f"{root}?show=machines",
        f"{viewer}/roles",
        f"{viewer}/roles/viewer/end",
        f"{root}/{office.admin.id}/roles",
        f"{viewer}/remove",
        f"{root}/unknown/remove",
        f"{office.root}/leave",
    ):
        await page.goto(path)
        yield path
    await _add_machine(people, office)
    await page.goto(f"{root}?show=machines")
    yield "a list of machines"
    async for name in _changes_of_roles(page, people, office):
        yield name
    await page.goto(f"{office.root}/leave")
    yield "leaving, while somebody else is an admin"


async def _changes_of_roles(page: Page, people: Factory, office: Office) -> AsyncIterator[str]:
    await preview_roles(page, office.id, LONG_NAME, give="editor", take="viewer")
    yield "a preview of other roles"
    await people.give_roles(office.id, office.viewer, Role.ADMIN)
    await page.get_by_role("button", name="Save roles").click()
    await page.get_by_role("heading", name="These roles have changed").wait_for()
    yield "an edit conflict over roles"
    await page.goto(f"{office.root}/members/{office.viewer.id}/roles")
    await page.get_by_role("button", name="Preview changes").click()
    await page.get_by_text("No changes:").wait_for()
    yield "a preview of nothing"
    async for name in _roles_that_end(page, office):
        yield name
    await preview_roles(page, office.id, "Alexandra", give="viewer", take="admin")
    yield "a preview of losing one's own permissions"


async def _roles_that_end(page: Page, office: Office) -> AsyncIterator[str]:
    roles = f"{office.root}/members/{office.viewer.id}/roles"
    await page.goto(roles)
    await page.get_by_role("checkbox", name="editor").check()
    await page.get_by_role("radio", name="Until a date").check()
    await page.get_by_label("Date and time").fill("2026-01-01T12:00")
    await page.get_by_role("button", name="Preview changes").click()
    await page.get_by_text("Choose an end").wait_for()
    yield "a refused end of a role"
    await page.get_by_role("radio", name="7 days").check()
    await page.get_by_role("button", name="Preview changes").click()
    yield "a preview of a role that ends"
    await page.get_by_role("button", name="Save roles").click()
    await page.get_by_role("status").wait_for()
    yield "a list with a role that ends"
    for path in (roles, f"{roles}/editor/end"):
        await page.goto(path)
        yield f"{path} of a role that ends"


async def invitations(page: Page, people: Factory, office: Office) -> AsyncIterator[str]:
    """Open the pages about invitations, with the list in each state."""
    root = f"{office.root}/invitations"
    await page.goto(root)
    yield "no invitations"
    expiring = await _invite(people, office.id, LONG_ADDRESS, seconds=_BRIEFLY)
    for path in (f"{root}?state=accepted", f"{root}/new", f"{root}/unknown/revoke"):
        await page.goto(path)
        yield path
    async for name in _sent_invitations(page, office):
        yield name
    accepted = await _invite(people, office.id, address_of(office.guest))
    await people.management.accept_invitation(accepted.id, office.guest.id)
    revoked = await _invite(people, office.id, f"revoked.{LONG_ADDRESS}")
    await people.management.revoke_invitation(revoked.id)
    await _wait_until_expired(page, expiring)
    for state in ("accepted", "revoked", "expired"):
        await page.goto(f"{root}?state={state}")
        await page.get_by_role("main").get_by_role("listitem").first.wait_for()
        yield f"invitations that are {state}"


async def _sent_invitations(page: Page, office: Office) -> AsyncIterator[str]:
    await page.goto(f"{office.root}/invitations/new")
    addresses, send = (
        page.get_by_label("Email addresses"),
        page.get_by_role("button", name="Send invitations"),
    )
    await addresses.fill("lee@example.test, nonsense")
    await send.click()
    await page.get_by_role("alert").wait_for()
    yield "a refused form of invitations"
    await addresses.fill(f"lee@example.test, {address_of(office.viewer)}")
    await send.click()
    await page.get_by_role("link", name="Invite more people").wait_for()
    yield "the results of invitations"
    await page.get_by_role("link", name="View invitations").click()
    await page.get_by_role("link", name="Revoke invitation for lee@example.test").wait_for()
    yield "a list of invitations"
    await page.get_by_role("link", name="Revoke invitation for lee@example.test").click()
    await page.get_by_role("button", name="Revoke invitation").wait_for()
    yield "an invitation's revocation"


async def api_clients(page: Page, people: Factory, office: Office) -> AsyncIterator[str]:
    """Open the pages about API clients, from an empty list to a secret and its revocation."""
    root = f"{office.root}/api-clients"
    await page.goto(root)
    yield "no API clients"
    await page.goto(f"{root}/new")
    yield f"{root}/new"
    await page.get_by_role("button", name="Create API client").click()
    await page.get_by_role("alert").wait_for()
    yield "a refused API client"
    await page.get_by_label("Name").fill(LONG_NAME)
    for box in await page.get_by_role("group", name="Permissions").get_by_role("checkbox").all():
        await box.check()
    await page.get_by_role("button", name="Create API client").click()
    await page.get_by_role("textbox", name="Client secret").wait_for()
    yield "the secret of an API client"
    machine = await people.machine(office.id)
    await page.goto(root)
    yield "a list of API clients"
    await page.get_by_role("link", name=f"Rotate the secret of {LONG_NAME}").click()
    yield "the rotation of an API client"
    await page.get_by_role("button", name="Rotate secret").click()
    await page.get_by_role("textbox", name="Client secret").wait_for()
    yield "a new secret of an API client"
    await page.goto(root)
    await page.get_by_role("link", name=f"Revoke {LONG_NAME}").click()
    await page.get_by_role("button", name="Revoke").wait_for()
    yield "the revocation of an API client"
    for path in (f"{root}/{machine.id}/revoke", f"{root}/{machine.id}/rotate", f"{root}/unknown/revoke"):
        await page.goto(path)
        yield path


async def being_invited(page: Page, people: Factory, office: Office) -> AsyncIterator[str]:
    """Open the pages that an invited person sees in each state. ``page`` is signed out at first."""
    globex = await people.organization("Globex")
    expiring = await _invite(people, globex, address_of(office.guest), seconds=_BRIEFLY)
    revoked = await _invite(people, office.id, address_of(office.guest))
    await people.management.revoke_invitation(revoked.id)
    pending = await _invite(people, office.id, address_of(office.guest))
    await page.goto(f"/invitations/{pending.id}")
    yield "an invitation, signed out"
    await sign_in(page, office.guest, f"/sign-in?next=/invitations/{pending.id}")
    await page.get_by_role("button", name="Accept invitation").wait_for()
    yield "an invitation"
    await page.goto("/o")
    await page.get_by_role("heading", name="Pending invitations").wait_for()
    yield "an invitation among one's organizations"
    await page.goto(f"/invitations/{revoked.id}")
    await page.get_by_role("heading", name="This invitation has been revoked").wait_for()
    yield "an invitation that was revoked"
    await _wait_until_expired(page, expiring)
    await page.goto(f"/invitations/{expiring.id}")
    await page.get_by_role("heading", name="This invitation has expired").wait_for()
    yield "an invitation that has expired"
    await page.goto(f"/invitations/{pending.id}")
    await page.get_by_role("button", name="Accept invitation").click()
    await page.wait_for_url(f"**{office.root}/")
    yield "the welcome"
    await page.goto(f"/invitations/{pending.id}")
    await page.get_by_role("heading", name="You have already accepted this invitation").wait_for()
    yield "an invitation that was accepted"


async def settings(page: Page, office: Office) -> AsyncIterator[str]:
    """Open settings and deletion, also with invalid input."""
    root = f"{office.root}/settings"
    await page.goto(root)
    yield root
    await page.get_by_text("Require a second factor…").click()
    yield "a question before a second factor is required"
    await page.get_by_label("Email domain", exact=True).fill("nonsense")
    await page.get_by_role("button", name="Add domain").click()
    await page.locator(".field-error").wait_for()
    yield "a refused domain"
    long_domain = "customer-success.acme-robotics-international.example"
    await page.get_by_label("Email domain", exact=True).fill(long_domain)
    await page.get_by_role("button", name="Add domain").click()
    await page.get_by_role("list", name="Email domains").wait_for()
    yield "settings with a domain"
    await page.get_by_label("Name").fill("")
    await page.get_by_role("button", name="Save changes").click()
    await page.get_by_role("alert").wait_for()
    yield "refused settings"
    await make_edit_conflict(page, root)
    yield "an edit conflict in settings"
    await page.goto(f"{root}/delete")
    await enter_credentials(page, office.admin)
    await page.get_by_role("heading", name="Delete “").wait_for()
    yield f"{root}/delete"
    await page.get_by_role("textbox", name="Name").fill("something else")
    await page.get_by_role("button", name="Delete organization").click()
    await page.get_by_role("alert").wait_for()
    yield "a deletion with the wrong name"


async def audit(page: Page, open_page: OpenPage, office: Office) -> AsyncIterator[str]:
    """Open the audit log: empty, with a change and a denial, an entry, filtered, with an invalid filter."""
    root = f"{office.root}/audit"
    await page.goto(root)
    yield "an empty audit log"
    await change_roles(page, office.id, LONG_NAME, give="editor", take="viewer")
    refused = await open_page(office.viewer)
    await refused.goto(root)
    await page.goto(root)
    entry = await page.get_by_text("All details").first.get_attribute("href")
    for summary in await page.locator(".events summary").all():
        await summary.click()
    await page.get_by_role("heading", name="Changes").first.wait_for()
    await page.get_by_role("heading", name="How this was decided").first.wait_for()
    await page.get_by_text("All details").first.wait_for(state="detached")
    yield "an audit log, expanded"
    await page.goto(str(entry))
    yield "an entry of the audit log"
    await page.goto(root)
    await page.locator(".events summary").first.click()
    await page.get_by_role("link", name=f"Only actions by {LONG_NAME}").first.click()
    await page.get_by_role("link", name="Show all actors").wait_for()
    yield "an audit log of one person"
    for query in ("?actor=nobody+like+this", "?since=2026-02-02&until=2026-02-01"):
        await page.goto(root + query)
        yield root + query


async def second_factor(page: Page, people: Factory, office: Office) -> AsyncIterator[str]:
    """Open an organization that requires a second factor, as a member without one."""
    strict = await people.organization("Globex", viewer=office.admin)
    await people.management.update_organization(strict, is_mfa_required=True)
    await page.goto(f"/o/{strict}/projects")
    await page.get_by_role("heading", name="This organization requires a second factor").wait_for()
    yield "a second factor is asked for"


async def _add_machine(people: Factory, office: Office) -> None:
    body = {"name": "Nightly export to the warehouse", "type": "MachineToMachine"}
    machine = await people.management._body("POST", "/applications", body)
    await people.management._body(
        "POST", f"/organizations/{office.id}/applications", {"applicationIds": [machine["id"]]}
    )


async def _invite(
    people: Factory, organization_id: str, address: str, *, seconds: float = 86_400.0
) -> Invitation:
    expires_at = int((time.time() + seconds) * 1000)
    return await people.management.create_invitation(
        organization_id, address, role_ids=[], expires_at=expires_at
    )


async def _wait_until_expired(page: Page, invitation: Invitation) -> None:
    await page.wait_for_function("moment => Date.now() > moment", arg=invitation.expires_at)
