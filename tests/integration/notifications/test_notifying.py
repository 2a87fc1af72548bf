"""What people are told about their memberships, and that nothing is told twice."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from saas_app.db.base import utc_now
from saas_app.rbac.permissions import Role
from saas_app.runtime import Runtime
from saas_app.webhooks.changes.deliveries import receive
from tests.clients import Browser, Person
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.ending import ends_of
from tests.integration.faulty_logto import DOWN, Fault, Faulty
from tests.integration.members.conftest import Acme, roles_form
from tests.integration.notifications.reading import notifications_of, told
from tests.integration.reconciling import reconciler_of, repairs_of

END = (utc_now() + timedelta(days=20)).replace(hour=12, minute=0, second=0, microsecond=0)
UNTIL = END.strftime("%Y-%m-%dT%H:%M")
_HOUR = END.astimezone(ZoneInfo("Europe/Madrid")).hour - 12
SHOWN_IN_MADRID = f"{END:%b} {END.day}, {END.year}, {_HOUR}:00 PM"


async def text_in(browser: Browser, zone: str, path: str) -> str:
    """Return a page as somebody in a time zone reads it, without its elements."""
    browser.app.set_cookie("localhost", "workroom_zone", zone)
    page = await (await browser.get(path)).get_data(as_text=True)
    return re.sub(r"<[^>]+>", "", page).replace("\u202f", " ")


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


async def test_a_member_is_told_when_a_new_role_ends(
    acme: Acme, bob: Person, runtime: Runtime, open_browser: OpenBrowser
) -> None:
    form = roles_form(["editor"], ["editor", "viewer"], duration="date", until=UNTIL)

    await acme.browser.post(acme.roles_of(bob), form)

    assert await told(runtime, bob.id) == [f"Your roles in {acme.name} have changed to editor, viewer."]
    page = await text_in(await open_browser(bob), "Europe/Madrid", "/notifications")
    assert f"The viewer role ends on {SHOWN_IN_MADRID}." in page


async def test_a_member_is_told_about_a_new_end_of_a_role_and_that_it_no_longer_ends(
    acme: Acme, bob: Person, runtime: Runtime, open_browser: OpenBrowser
) -> None:
    path = f"{acme.roles_of(bob)}/editor/end"

    await acme.browser.post(path, {"seen": "none", "duration": "date", "until": UNTIL})
    end = (await ends_of(runtime, acme.id, bob))["editor"]
    await acme.browser.post(path, {"seen": end.isoformat(), "duration": "none"})

    assert await told(runtime, bob.id) == [
        f"Your editor role in {acme.name} no longer has an end.",
        f"The end of your editor role in {acme.name} has changed.",
    ]
    page = await text_in(await open_browser(bob), "Europe/Madrid", "/notifications")
    assert f"The editor role ends on {SHOWN_IN_MADRID}." in page


async def test_nobody_is_told_about_a_new_end_that_they_chose_themselves(
    acme: Acme, make: Factory, runtime: Runtime
) -> None:
    await make.member(acme.id, "Eve", Role.ADMIN)

    await acme.browser.post(f"{acme.roles_of(acme.admin)}/admin/end", {"seen": "none", "duration": "hour"})

    assert await told(runtime, acme.admin.id) == []


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
    await browser.post(f"/invitations/{invited.details['invitation']}/accept")

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
