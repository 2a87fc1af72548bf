"""Former members are told that they are no longer members. Strangers are told nothing."""

from __future__ import annotations

import json

import pytest

from saas_app.db.base import utc_now
from saas_app.identity.membership_changes import note_change
from saas_app.rbac.permissions import Role
from saas_app.runtime import Runtime
from saas_app.webhooks.changes.deliveries import receive
from tests.clients import FRESH, Person
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.members.conftest import Acme


@pytest.fixture
async def bob(acme: Acme, make: Factory) -> Person:
    """An editor of Acme."""
    return await make.member(acme.id, "Bob", Role.EDITOR)


def removal_of(organization_id: str, user_id: str) -> bytes:
    """Return the body of the webhook that Logto 1.42 sends when a member is removed."""
    told = {
        "event": "Organization.Membership.Updated",
        "createdAt": utc_now().isoformat(),
        "organizationId": organization_id,
        "removedUserIds": [user_id],
    }
    return json.dumps(told).encode()


async def test_a_removed_member_is_told_so_in_old_and_new_sessions(
    acme: Acme, bob: Person, open_browser: OpenBrowser
) -> None:
    desk = await open_browser(bob)
    await desk.get(f"/o/{acme.id}/projects")
    await acme.browser.post(acme.removal_of(bob))

    for browser in (desk, await open_browser(bob)):
        for path in ("/", "/projects", "/members", "/audit"):
            page = await browser.text(f"/o/{acme.id}{path}", 404)
            assert f"You are no longer a member of {acme.name}" in page
            assert f"You were removed from {acme.name}." in page
        answer = await browser.app.get(f"/api/v1/organizations/{acme.id}/projects")
        assert answer.status_code == 404
        assert (await answer.get_json())["code"] == "no-longer-a-member"


async def test_a_member_who_left_is_told_so(acme: Acme, bob: Person, open_browser: OpenBrowser) -> None:
    browser = await open_browser(bob)
    await browser.post(f"/o/{acme.id}/leave", {"confirm": "yes"})
    page = await browser.text(f"/o/{acme.id}/projects", 404)
    assert f"You left {acme.name}." in page


async def test_a_member_removed_in_logto_console_is_told_so_without_a_webhook(
    acme: Acme, bob: Person, make: Factory, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    browser = await open_browser(bob)
    await browser.get(f"/o/{acme.id}/projects")
    await make.management.remove_member(acme.id, bob.id)
    await note_change(runtime.work, acme.id, bob.id)
    page = await browser.text(f"/o/{acme.id}/projects", 404)
    assert f"You are no longer a member of {acme.name}" in page


async def test_a_removed_member_sees_the_name_that_the_organization_had_then(
    acme: Acme, bob: Person, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    browser = await open_browser(bob)
    await browser.get(f"/o/{acme.id}/projects")
    await acme.browser.post(acme.removal_of(bob))
    await runtime.directory.remember_organizations([{"id": acme.id, "name": "A secret plan"}])
    page = await browser.text(f"/o/{acme.id}/projects", 404)
    assert acme.name in page
    assert "A secret plan" not in page


async def test_a_stranger_cannot_tell_whether_an_organization_exists(
    acme: Acme, bob: Person, make: Factory, open_browser: OpenBrowser
) -> None:
    await acme.browser.post(acme.removal_of(bob))
    browser = await open_browser(await make.person("Mallory"))
    pages = {
        (await browser.text(f"/o/{organization_id}/projects", 404)).replace(organization_id, "")
        for organization_id in (acme.id, "doesnotexist")
    }
    assert len(pages) == 1
    assert "no longer" not in pages.pop()


async def test_a_member_of_a_deleted_organization_is_told_so(
    bob: Person, acme: Acme, open_browser: OpenBrowser
) -> None:
    admin, browser = await open_browser(), await open_browser(bob)
    await admin.sign_in(acme.admin, FRESH)
    await browser.get(f"/o/{acme.id}/projects")
    await admin.post(f"/o/{acme.id}/settings/delete", {"name": acme.name})
    page = await browser.text(f"/o/{acme.id}/projects", 404)
    assert f"{acme.name} was deleted" in page


async def test_a_member_whose_removal_a_webhook_reported_is_told_so_at_the_next_sign_in(
    acme: Acme, bob: Person, make: Factory, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    await acme.browser.get(acme.members)  # stores the organization's name
    await make.management.remove_member(acme.id, bob.id)
    await receive(runtime.work, removal_of(acme.id, bob.id))
    page = await (await open_browser(bob)).text(f"/o/{acme.id}/projects", 404)
    assert f"You were removed from {acme.name}." in page
