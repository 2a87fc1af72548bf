"""Somebody who was a member is told that they are none any more; a stranger is told nothing."""

from __future__ import annotations

import json

import pytest

from saas_app.db.base import utc_now
from saas_app.identity.membership_changes import note_change
from saas_app.rbac.permissions import Role
from saas_app.runtime import Runtime
from saas_app.webhooks.changes import receive
from tests.clients import FRESH, Person
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.members.conftest import Acme, text_of


@pytest.fixture
async def bob(acme: Acme, make: Factory) -> Person:
    person = await make.person("Bob")
    await make.join(acme.id, person, Role.EDITOR)
    return person


def removal_of(organization_id: str, user_id: str) -> bytes:
    """A webhook's body, as Logto 1.42 sends it when somebody is removed."""
    told = {
        "event": "Organization.Membership.Updated",
        "createdAt": utc_now().isoformat(),
        "organizationId": organization_id,
        "removedUserIds": [user_id],
    }
    return json.dumps(told).encode()


async def name_of(make: Factory, organization_id: str) -> str:
    return (await make.management.get_organization(organization_id)).name


async def test_a_removed_member_sees_that_they_were_removed_and_from_where_in_a_new_session_too(
    acme: Acme, bob: Person, make: Factory, open_browser: OpenBrowser
) -> None:
    desk = await open_browser(bob)
    await desk.get(f"/o/{acme.id}/projects")
    await acme.browser.post(f"{acme.members}/{bob.id}/remove")
    name = await name_of(make, acme.id)

    for browser in (desk, await open_browser(bob)):
        for path in ("/", "/projects", "/members", "/audit"):
            page = await text_of(await browser.get(f"/o/{acme.id}{path}", 404))
            assert f"You are no longer a member of {name}" in page
            assert f"You were removed from {name}." in page
        answer = await browser.app.get(f"/api/v1/organizations/{acme.id}/projects")
        assert answer.status_code == 404
        assert (await answer.get_json())["code"] == "no-longer-a-member"


async def test_somebody_who_left_is_told_that_they_left(
    acme: Acme, bob: Person, make: Factory, open_browser: OpenBrowser
) -> None:
    browser = await open_browser(bob)
    await browser.post(f"/o/{acme.id}/leave", {"confirm": "yes"})
    page = await text_of(await browser.get(f"/o/{acme.id}/projects", 404))
    assert f"You left {await name_of(make, acme.id)}." in page


async def test_a_removal_in_logtos_console_is_told_too_though_no_webhook_came(
    acme: Acme, bob: Person, make: Factory, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    browser = await open_browser(bob)
    await browser.get(f"/o/{acme.id}/projects")
    await make.management.remove_member(acme.id, bob.id)
    await note_change(runtime.work, acme.id, bob.id)
    page = await text_of(await browser.get(f"/o/{acme.id}/projects", 404))
    assert f"You are no longer a member of {await name_of(make, acme.id)}" in page


async def test_the_name_is_the_one_they_knew(
    acme: Acme, bob: Person, make: Factory, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    browser, name = await open_browser(bob), await name_of(make, acme.id)
    await browser.get(f"/o/{acme.id}/projects")
    await acme.browser.post(f"{acme.members}/{bob.id}/remove")
    await runtime.directory.remember_organizations([{"id": acme.id, "name": "A secret plan"}])
    page = await text_of(await browser.get(f"/o/{acme.id}/projects", 404))
    assert name in page
    assert "A secret plan" not in page


async def test_a_stranger_cannot_tell_an_organization_from_none(
    acme: Acme, bob: Person, make: Factory, open_browser: OpenBrowser
) -> None:
    await acme.browser.post(f"{acme.members}/{bob.id}/remove")
    browser = await open_browser(await make.person("Mallory"))
    pages = {
        (await text_of(await browser.get(f"/o/{organization_id}/projects", 404))).replace(organization_id, "")
        for organization_id in (acme.id, "doesnotexist")
    }
    assert len(pages) == 1
    assert "no longer" not in pages.pop()


async def test_a_member_of_a_deleted_organization_is_told_that_it_was_deleted(
    make: Factory, bob: Person, acme: Acme, open_browser: OpenBrowser
) -> None:
    admin, browser = await open_browser(), await open_browser(bob)
    await admin.sign_in(acme.admin, FRESH)
    await browser.get(f"/o/{acme.id}/projects")
    name = await name_of(make, acme.id)
    await admin.post(f"/o/{acme.id}/settings/delete", {"name": name})
    page = await text_of(await browser.get(f"/o/{acme.id}/projects", 404))
    assert f"{name} was deleted" in page


async def test_a_webhook_tells_of_somebody_who_has_no_session(
    acme: Acme, bob: Person, make: Factory, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    await acme.browser.get(acme.members)  # so that the organization's name is known
    await make.management.remove_member(acme.id, bob.id)
    await receive(runtime.work, removal_of(acme.id, bob.id))
    page = await text_of(await (await open_browser(bob)).get(f"/o/{acme.id}/projects", 404))
    assert f"You were removed from {await name_of(make, acme.id)}." in page
