"""Removing members, leaving, and the last admin, who must stay."""

from __future__ import annotations

import asyncio

import pytest

from saas_app.changes import organization_change
from saas_app.coordination.leases import lease
from saas_app.identity.membership_changes import note_change
from saas_app.rbac.permissions import Role
from saas_app.runtime import Runtime
from tests.clients import Browser, Person, text_of
from tests.conftest import OpenApp, OpenBrowser
from tests.factories import Factory
from tests.integration.members.conftest import Acme, roles_form
from tests.integration.records import events_of


@pytest.fixture
async def second(acme: Acme, make: Factory) -> Person:
    """Another admin of Acme."""
    return await make.member(acme.id, "Zoe", Role.ADMIN)


@pytest.fixture
async def bob(acme: Acme, make: Factory) -> Person:
    """An editor of Acme."""
    return await make.member(acme.id, "Bob", Role.EDITOR)


async def admins_at_logto(acme: Acme) -> set[str]:
    members = await acme.management.list_members(acme.id)
    return {member.user.id for member in members if "admin" in member.role_names}


async def test_removing_a_member_asks_for_confirmation(acme: Acme, bob: Person) -> None:
    assert "Remove Bob?" in await acme.browser.text(acme.removal_of(bob))
    assert await acme.roles_at_logto(bob) == {"editor"}


async def test_a_removed_member_is_refused_at_the_next_request_in_every_session(
    acme: Acme, bob: Person, make: Factory, open_browser: OpenBrowser
) -> None:
    elsewhere = await make.organization("Globex", viewer=bob)
    desk, phone = await open_browser(bob), await open_browser(bob)
    for browser in (desk, phone):
        await browser.get(f"{acme.root}/projects")

    await acme.browser.post(acme.removal_of(bob))

    for browser in (desk, phone):
        await browser.get(f"{acme.root}/projects", 404)
        await browser.get(f"/o/{elsewhere}/projects")


async def test_removing_a_member_is_confirmed_on_the_page_and_recorded(
    acme: Acme, bob: Person, runtime: Runtime
) -> None:
    done = await acme.browser.post(acme.removal_of(bob))

    assert "Bob is no longer a member" in await acme.browser.text(done.headers["Location"])
    assert await acme.roles_at_logto(bob) is None
    event = (await events_of(runtime, acme.id))[0]
    assert (event.action, event.target_id, event.before, event.after) == (
        "member.remove",
        bob.id,
        {"roles": ["editor"]},
        None,
    )


async def test_a_member_who_is_gone_already_cannot_be_removed_again(acme: Acme, bob: Person) -> None:
    await acme.browser.post(acme.removal_of(bob))

    page = await acme.browser.submit(acme.removal_of(bob), expect=404)

    assert "They may have left or been removed" in page


async def test_members_who_remove_themselves_are_led_to_the_page_for_leaving(
    acme: Acme, second: Person
) -> None:
    own = acme.removal_of(acme.admin)
    for answer in (await acme.browser.get(own, 303), await acme.browser.post(own)):
        assert answer.headers["Location"] == f"{acme.root}/leave"
    assert await acme.roles_at_logto(acme.admin) == {"admin"}


async def test_leaving_asks_for_confirmation(acme: Acme, bob: Person, open_browser: OpenBrowser) -> None:
    browser = await open_browser(bob)
    assert "Your roles:" in await browser.text(f"{acme.root}/leave")

    await browser.post(f"{acme.root}/leave", expect=422)

    assert await acme.roles_at_logto(bob) == {"editor"}


async def test_leaving_ends_the_membership_in_every_session(
    acme: Acme, make: Factory, open_browser: OpenBrowser, runtime: Runtime
) -> None:
    bob = await make.member(acme.id, "Bob")
    desk, phone = await open_browser(bob), await open_browser(bob)
    await phone.get(f"{acme.root}/")

    done = await desk.post(f"{acme.root}/leave", {"confirm": "yes"})

    listed = await text_of(await desk.follow(done.headers["Location"]))
    assert "You have left Acme" in listed
    assert f'href="{acme.root}/"' not in listed
    for browser in (desk, phone):
        await browser.get(f"{acme.root}/", 404)
    event = (await events_of(runtime, acme.id))[0]
    assert (event.action, event.actor_id, event.target_id) == ("member.leave", bob.id, bob.id)
    assert event.before == {"roles": []}


async def test_the_pages_tell_the_last_admin_why_they_must_stay(acme: Acme) -> None:
    choice = await acme.browser.text(acme.roles_of(acme.admin))
    assert "disabled" in choice.split('name="roles" value="admin"')[1].split(">")[0]
    assert "only admin" in await acme.browser.text(f"{acme.root}/leave")


async def test_the_last_admin_can_neither_be_demoted_nor_leave(acme: Acme, runtime: Runtime) -> None:
    for step in ("preview", "confirm"):
        form = roles_form(["admin"], ["viewer"], step=step, own_loss="yes")
        page = await acme.browser.submit(acme.roles_of(acme.admin), form, 409)
        assert "You are the only admin" in page
    await acme.browser.post(f"{acme.root}/leave", {"confirm": "yes"}, 409)

    assert await acme.roles_at_logto(acme.admin) == {"admin"}
    assert await events_of(runtime, acme.id) == []


async def test_a_suspended_admin_does_not_count_as_an_admin(acme: Acme, second: Person) -> None:
    await acme.management._body("PATCH", f"/users/{second.id}/is-suspended", {"isSuspended": True})
    await acme.browser.post(f"{acme.root}/leave", {"confirm": "yes"}, 409)
    await acme.browser.post(acme.removal_of(second))
    assert await admins_at_logto(acme) == {acme.admin.id}


async def test_the_last_admin_cannot_be_removed_by_a_member_who_is_no_admin(
    acme: Acme, make: Factory, open_browser: OpenBrowser, people_manager: str
) -> None:
    browser = await open_browser(await make.member(acme.id, "Mia", people_manager))
    assert "only admin" in await browser.text(acme.removal_of(acme.admin))

    await browser.post(acme.removal_of(acme.admin), expect=409)
    await browser.post(acme.roles_of(acme.admin), roles_form(["admin"], []), 409)

    assert await admins_at_logto(acme) == {acme.admin.id}


async def test_another_admin_is_found_on_every_page_of_logtos_list(
    acme: Acme, second: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("saas_app.logto.paging.PAGE_SIZE", 1)
    await acme.browser.post(f"{acme.root}/leave", {"confirm": "yes"})
    assert await admins_at_logto(acme) == {second.id}


@pytest.mark.parametrize("round_", range(3))
async def test_two_admins_who_demote_each_other_at_once_leave_one(
    acme: Acme, second: Person, open_browser: OpenBrowser, round_: int
) -> None:
    await _demote_each_other(acme, second, await open_browser(second))


async def test_two_admins_on_two_workers_who_demote_each_other_leave_one(
    acme: Acme, second: Person, open_app: OpenApp, open_browser: OpenBrowser
) -> None:
    await _demote_each_other(acme, second, await open_browser(second, at=await open_app()))


async def _demote_each_other(acme: Acme, second: Person, there: Browser) -> None:
    await acme.browser.get(acme.roles_of(second))
    await there.get(acme.roles_of(acme.admin))
    form = roles_form(["admin"], ["viewer"])

    answers = await asyncio.gather(
        acme.browser.post(acme.roles_of(second), form, None),
        there.post(acme.roles_of(acme.admin), form, None),
    )

    # The second is told that their own access has just changed, or that it no longer allows this.
    assert sorted(answer.status_code for answer in answers) in ([303, 403], [303, 409])
    assert len(await admins_at_logto(acme)) == 1


async def test_two_admins_who_leave_at_once_leave_one(
    acme: Acme, second: Person, open_browser: OpenBrowser
) -> None:
    there = await open_browser(second)
    answers = await asyncio.gather(
        *(browser.post(f"{acme.root}/leave", {"confirm": "yes"}, None) for browser in (acme.browser, there))
    )
    assert sorted(answer.status_code for answer in answers) == [303, 409]
    assert len(await admins_at_logto(acme)) == 1


async def test_an_admin_demoted_while_waiting_for_a_turn_changes_nothing(
    acme: Acme,
    second: Person,
    make: Factory,
    runtime: Runtime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bob = await make.member(acme.id, "Bob", Role.VIEWER)
    await acme.browser.get(acme.members)
    is_waiting = asyncio.Event()

    def noting(*arguments: object, **named: object) -> object:
        is_waiting.set()
        return lease(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(organization_change, "lease", noting)
    async with lease(runtime.work, f"organization:{acme.id}", seconds=15):
        sent = asyncio.create_task(
            acme.browser.post(acme.roles_of(bob), roles_form(["viewer"], ["admin"]), 409)
        )
        await asyncio.wait_for(is_waiting.wait(), 30)
        await make.give_roles(acme.id, acme.admin, Role.VIEWER)
        await note_change(runtime.work, acme.id, acme.admin.id)
    assert "Your access has changed" in await text_of(await sent)
    assert await acme.roles_at_logto(bob) == {"viewer"}
