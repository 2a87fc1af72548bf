"""What people are told about their memberships, and that nothing is told twice."""

from __future__ import annotations

import asyncio
import json

import pytest

from saas_app.db.base import utc_now
from saas_app.rbac.permissions import Role
from saas_app.runtime import Runtime
from saas_app.webhooks.changes.deliveries import receive
from tests.clients import Person
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.faulty_logto import DOWN, Fault, Faulty
from tests.integration.members.conftest import Acme, roles_form
from tests.integration.notifications.reading import notifications_of, told
from tests.integration.reconciling import reconciler_of, repairs_of


def removal_webhook(organization_id: str, user_id: str) -> bytes:
    """Return the body of the webhook that Logto 1.42 sends when a member is removed."""
    body = {
        "event": "Organization.Membership.Updated",
        "createdAt": utc_now().isoformat(),
        "organizationId": organization_id,
        "removedUserIds": [user_id],
    }
    return json.dumps(body).encode()


async def test_a_member_is_told_about_other_roles(acme: Acme, bob: Person, runtime: Runtime) -> None:
    await acme.browser.post(acme.roles_of(bob), roles_form(["editor"], ["viewer"]))

    assert await told(runtime, bob.id) == [f"Your roles in {acme.name} have changed to viewer."]


async def test_roles_that_stay_as_they_are_are_not_told(acme: Acme, bob: Person, runtime: Runtime) -> None:
    await acme.browser.post(acme.roles_of(bob), roles_form(["editor"], ["editor"]))

    assert await told(runtime, bob.id) == []


async def test_nobody_is_told_what_they_did_themselves(acme: Acme, runtime: Runtime) -> None:
    await acme.browser.post(acme.roles_of(acme.admin), roles_form(["admin"], ["admin", "editor"]))

    assert await told(runtime, acme.admin.id) == []


async def test_a_change_that_logto_refuses_is_not_told(
    faulty: Faulty, make: Factory, runtime: Runtime
) -> None:
    acme = Acme(**vars(faulty.acme))
    dan = await make.member(acme.id, "Dan", Role.EDITOR)
    faulty.gate.fail(Fault("PUT", "/roles$", 422))

    await acme.browser.post(acme.roles_of(dan), roles_form(["editor"], ["viewer"]), 409)

    assert await told(runtime, dan.id) == []


async def test_a_removed_member_is_told_so_once_although_logto_reports_it_too(
    acme: Acme, bob: Person, runtime: Runtime
) -> None:
    await acme.browser.post(acme.removal_of(bob))
    await receive(runtime.work, removal_webhook(acme.id, bob.id))

    assert await told(runtime, bob.id) == [f"You were removed from {acme.name}."]


async def test_concurrent_reports_of_one_removal_are_told_once(
    acme: Acme, bob: Person, runtime: Runtime
) -> None:
    reports = [receive(runtime.work, removal_webhook(acme.id, bob.id)) for _report in range(4)]

    await asyncio.gather(acme.browser.post(acme.removal_of(bob)), *reports)

    assert await told(runtime, bob.id) == [f"You were removed from {acme.name}."]


async def test_a_member_removed_in_logto_console_is_told_so_once(
    acme: Acme, bob: Person, make: Factory, runtime: Runtime
) -> None:
    await make.management.remove_member(acme.id, bob.id)
    for _delivery in range(2):
        await receive(runtime.work, removal_webhook(acme.id, bob.id))

    assert await told(runtime, bob.id) == [f"You were removed from {acme.name}."]


async def test_roles_changed_in_logto_console_are_told_when_reconciling_finds_them(
    acme: Acme, bob: Person, make: Factory, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    browser = await open_browser(bob)
    await browser.get(f"{acme.root}/projects")
    await make.give_roles(acme.id, bob, Role.VIEWER)

    for _run in range(2):
        await repairs_of(reconciler_of(runtime.jobs, make), acme.id)

    assert await told(runtime, bob.id) == [f"Your roles in {acme.name} have changed to viewer."]


async def test_a_removal_that_no_webhook_reported_is_told_when_reconciling_finds_it(
    acme: Acme, bob: Person, make: Factory, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    browser = await open_browser(bob)
    await browser.get(f"{acme.root}/projects")
    await make.management.remove_member(acme.id, bob.id)

    for _run in range(2):
        await repairs_of(reconciler_of(runtime.jobs, make), acme.id)

    assert await told(runtime, bob.id) == [f"You were removed from {acme.name}."]


async def test_an_invited_person_with_an_account_is_told_until_they_accept(
    acme: Acme, erin: Person, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    form = {"addresses": f"{erin.username}@example.test", "roles": ["viewer"], "days": "7"}
    await acme.browser.post(f"{acme.root}/invitations/new", form)
    (invited,) = await notifications_of(runtime, erin.id)

    browser = await open_browser(erin)
    await browser.post(f"/invitations/{invited.invitation_id}/accept")

    (accepted,) = await notifications_of(runtime, erin.id)
    assert str(invited.sentence) == f"You are invited to {acme.name} as viewer."
    assert (invited.read_at, accepted.read_at is None) == (None, False)


async def test_nobody_is_told_about_an_invitation_that_was_not_created(
    faulty: Faulty, erin: Person, runtime: Runtime
) -> None:
    faulty.gate.fail(Fault("POST", "/organization-invitations$", **DOWN))
    form = {"addresses": f"{erin.username}@example.test", "roles": ["viewer"], "days": "7"}

    await faulty.acme.browser.post(f"{faulty.acme.root}/invitations/new", form, 422)

    assert await told(runtime, erin.id) == []


@pytest.fixture
async def erin(make: Factory) -> Person:
    """A person who belongs to no organization."""
    return await make.person("Erin")
