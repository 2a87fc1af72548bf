"""Removing others, leaving oneself, and the admin who has to stay."""

from __future__ import annotations

import asyncio

import pytest

from saas_app.app import create_app
from saas_app.changes import organization_change
from saas_app.config import Settings
from saas_app.coordination.leases import lease
from saas_app.identity.membership_changes import note_change
from saas_app.logto import ManagementClient
from saas_app.rbac.permissions import Role
from saas_app.runtime import Runtime
from tests.clients import Browser, Person
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.members.conftest import (
    Acme,
    events_of,
    post,
    roles_at_logto,
    roles_form,
    send,
    text_of,
)


@pytest.fixture
async def second(acme: Acme, make: Factory) -> Person:
    """Another admin of Acme."""
    person = await make.person("Zoe")
    await make.join(acme.id, person, Role.ADMIN)
    return person


async def admins_at_logto(management: ManagementClient, organization_id: str) -> set[str]:
    return {
        member.user.id
        for member in await management.list_members(organization_id)
        if "admin" in member.role_names
    }


async def test_a_removed_member_is_refused_at_the_next_request_in_every_session(
    acme: Acme, make: Factory, open_browser: OpenBrowser, runtime: Runtime, management: ManagementClient
) -> None:
    bob = await make.person("Bob")
    await make.join(acme.id, bob, Role.EDITOR)
    elsewhere = await make.organization("Globex", viewer=bob)
    desk, phone = await open_browser(bob), await open_browser(bob)
    for browser in (desk, phone):
        await browser.get(f"/o/{acme.id}/projects")
    question = await text_of(await acme.browser.get(f"{acme.members}/{bob.id}/remove"))
    assert "Remove Bob?" in question

    done = await acme.browser.post(f"{acme.members}/{bob.id}/remove")

    for browser in (desk, phone):
        await browser.get(f"/o/{acme.id}/projects", 404)
        await browser.get(f"/o/{elsewhere}/projects")
    assert "Bob is no longer a member" in await text_of(await acme.browser.get(done.headers["Location"]))
    assert await roles_at_logto(management, acme.id, bob) is None
    event = (await events_of(runtime, acme.id))[0]
    assert (event.action, event.target_id, event.before, event.after) == (
        "member.remove",
        bob.id,
        {"roles": ["editor"]},
        None,
    )
    again = await text_of(await acme.browser.post(f"{acme.members}/{bob.id}/remove", expect=404))
    assert "They may have left or been removed" in again


async def test_nobody_removes_themselves_by_the_way_others_are_removed(
    acme: Acme, second: Person, management: ManagementClient
) -> None:
    path = f"{acme.members}/{acme.admin.id}/remove"
    for answer in (await acme.browser.get(path, 303), await acme.browser.post(path)):
        assert answer.headers["Location"] == f"/o/{acme.id}/leave"
    assert await roles_at_logto(management, acme.id, acme.admin) == {"admin"}


async def test_leaving_asks_once_and_then_ends_the_membership_everywhere(
    acme: Acme, make: Factory, open_browser: OpenBrowser, runtime: Runtime, management: ManagementClient
) -> None:
    bob = await make.person("Bob")
    await make.join(acme.id, bob)
    desk, phone = await open_browser(bob), await open_browser(bob)
    for browser in (desk, phone):
        assert "Your roles:" in await text_of(await browser.get(f"/o/{acme.id}/leave"))
    await desk.post(f"/o/{acme.id}/leave", expect=422)  # a form that does not say so only asks
    assert await roles_at_logto(management, acme.id, bob) == set()

    done = await desk.post(f"/o/{acme.id}/leave", {"confirm": "yes"})

    listed = await text_of(await desk.follow(done.headers["Location"]))
    assert "You have left Acme" in listed
    for browser in (desk, phone):
        await browser.get(f"/o/{acme.id}/", 404)
    assert f'href="/o/{acme.id}/"' not in listed
    event = (await events_of(runtime, acme.id))[0]
    assert (event.action, event.actor_id, event.target_id) == ("member.leave", bob.id, bob.id)
    assert event.before == {"roles": []}


async def test_the_last_admin_is_not_demoted_and_does_not_leave(
    acme: Acme, management: ManagementClient, runtime: Runtime
) -> None:
    own = acme.roles_of(acme.admin)
    choice = await text_of(await acme.browser.get(own))
    assert "disabled" in choice.split('name="roles" value="admin"')[1].split(">")[0]
    assert "only admin" in await text_of(await acme.browser.get(f"/o/{acme.id}/leave"))

    for step in ("preview", "confirm"):
        form = roles_form(["admin"], ["viewer"], step=step, own_loss="yes")
        assert "You are the only admin" in await text_of(await send(acme.browser, own, form, 409))
    await acme.browser.post(f"/o/{acme.id}/leave", {"confirm": "yes"}, 409)

    assert await roles_at_logto(management, acme.id, acme.admin) == {"admin"}
    assert await events_of(runtime, acme.id) == []


async def test_who_cannot_sign_in_does_not_count_as_an_admin(
    acme: Acme, second: Person, management: ManagementClient
) -> None:
    await management._body("PATCH", f"/users/{second.id}/is-suspended", {"isSuspended": True})
    await acme.browser.post(f"/o/{acme.id}/leave", {"confirm": "yes"}, 409)
    await acme.browser.post(f"{acme.members}/{second.id}/remove")
    assert await admins_at_logto(management, acme.id) == {acme.admin.id}


async def test_the_last_admin_is_not_removed_by_who_may_remove_without_being_one(
    acme: Acme,
    make: Factory,
    open_browser: OpenBrowser,
    management: ManagementClient,
    people_manager: str,
) -> None:
    mia = await make.person("Mia")
    await management.add_members(acme.id, [mia.id])
    await management.replace_roles(acme.id, mia.id, [people_manager])
    browser = await open_browser(mia)
    assert "only admin" in await text_of(await browser.get(f"{acme.members}/{acme.admin.id}/remove"))
    await browser.post(f"{acme.members}/{acme.admin.id}/remove", expect=409)
    await send(browser, acme.roles_of(acme.admin), roles_form(["admin"], []), 409)
    assert await admins_at_logto(management, acme.id) == {acme.admin.id}


async def test_the_last_admin_is_found_among_all_pages_of_logtos(
    acme: Acme, second: Person, management: ManagementClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("saas_app.logto.paging.PAGE_SIZE", 1)
    await acme.browser.post(f"/o/{acme.id}/leave", {"confirm": "yes"})
    assert await admins_at_logto(management, acme.id) == {second.id}


@pytest.mark.parametrize("round_", range(3))
async def test_two_admins_who_demote_each_other_at_the_same_moment_leave_one(
    acme: Acme, second: Person, open_browser: OpenBrowser, management: ManagementClient, round_: int
) -> None:
    await _demote_each_other(acme, second, acme.browser, await open_browser(second), management)


async def test_two_admins_on_two_workers_leave_one(
    acme: Acme, second: Person, settings: Settings, management: ManagementClient
) -> None:
    worker = create_app(settings)
    async with worker.test_app(), Browser(worker, settings.redirect_uri) as there:
        await there.sign_in(second)
        await _demote_each_other(acme, second, acme.browser, there, management)


async def _demote_each_other(
    acme: Acme, second: Person, here: Browser, there: Browser, management: ManagementClient
) -> None:
    await here.get(acme.roles_of(second))
    await there.get(acme.roles_of(acme.admin))
    form = roles_form(["admin"], ["viewer"])
    answers = await asyncio.gather(
        post(here, acme.roles_of(second), form),
        post(there, acme.roles_of(acme.admin), form),
    )
    # Who comes second is told that their own access has just changed, or that it no longer allows this.
    assert sorted(answer.status_code for answer in answers) in ([303, 403], [303, 409])
    assert len(await admins_at_logto(management, acme.id)) == 1


async def test_two_admins_who_leave_at_the_same_moment_leave_one(
    acme: Acme, second: Person, open_browser: OpenBrowser, management: ManagementClient
) -> None:
    there = await open_browser(second)
    answers = await asyncio.gather(
        *(post(browser, f"/o/{acme.id}/leave", {"confirm": "yes"}) for browser in (acme.browser, there))
    )
    assert sorted(answer.status_code for answer in answers) == [303, 409]
    assert len(await admins_at_logto(management, acme.id)) == 1


async def test_who_is_demoted_while_waiting_for_their_turn_changes_nothing_any_more(
    acme: Acme,
    second: Person,
    make: Factory,
    runtime: Runtime,
    management: ManagementClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bob = await make.person("Bob")
    await make.join(acme.id, bob, Role.VIEWER)
    await acme.browser.get(acme.members)
    is_waiting = asyncio.Event()

    def noting(*arguments: object, **named: object) -> object:
        is_waiting.set()
        return lease(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(organization_change, "lease", noting)
    async with lease(runtime.work, f"organization:{acme.id}", seconds=15):
        sent = asyncio.create_task(
            send(acme.browser, acme.roles_of(bob), roles_form(["viewer"], ["admin"]), 409)
        )
        await asyncio.wait_for(is_waiting.wait(), 30)
        await make.give_roles(acme.id, acme.admin, Role.VIEWER)
        await note_change(runtime.work, acme.id, acme.admin.id)
    assert "Your access has changed" in await text_of(await sent)
    assert await roles_at_logto(management, acme.id, bob) == {"viewer"}
