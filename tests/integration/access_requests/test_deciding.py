"""Approving, declining and withdrawing: what each does, and who cannot do it."""

from __future__ import annotations

import asyncio

import pytest

from saas_app.access_requests.values import LIFETIME
from saas_app.rbac.permissions import Role
from saas_app.runtime import Runtime
from tests.clients import Browser, Person
from tests.conftest import OpenBrowser, OpenOffice
from tests.factories import Factory
from tests.integration.access_requests.conftest import (
    APPROVE,
    REASON,
    Acme,
    add_request,
    requests_of,
    states_of,
)
from tests.integration.notifications.reading import notifications_of, told
from tests.integration.records import actions_of, changes_of


async def test_an_approver_sees_what_the_role_adds_and_why_it_is_needed(acme: Acme) -> None:
    path = await acme.ask()

    page = await acme.ada.text(path)

    assert "Vera gains" in page
    assert "Create and change projects and tasks <code>projects:write</code>" in page
    assert REASON in page
    assert f'action="{path}/approve"' in page


async def test_an_approved_request_gives_the_role_at_the_next_request(acme: Acme, runtime: Runtime) -> None:
    path = await acme.ask()
    await acme.vera.get(f"{acme.root}/projects/new", 403)

    await acme.ada.post(f"{path}/approve", APPROVE)

    assert await acme.roles_at_logto(acme.viewer) == {"editor", "viewer"}
    assert (await acme.vera.follow(f"{acme.root}/projects/new")).status_code == 200
    (row,) = await requests_of(runtime, acme.id)
    assert (row.state.value, row.decided_by, row.decider_name) == ("approved", acme.admin.id, "Ada")


async def test_an_approval_is_one_change_of_roles_with_two_events(acme: Acme, runtime: Runtime) -> None:
    path = await acme.ask()
    await acme.ada.post(f"{path}/approve", APPROVE)

    _asked, *events = await changes_of(runtime, acme.id)

    assert {event.action for event in events} == {"access.approve", "member.change-roles"}
    assert {event.actor_id for event in events} == {acme.admin.id}
    assert {event.target_id for event in events} == {acme.viewer.id}
    approved = next(event for event in events if event.action == "access.approve")
    assert approved.after == {"role": "editor", "request": path.rsplit("/", 1)[1]}


async def test_the_member_is_told_that_the_request_was_approved_and_nothing_else(
    acme: Acme, runtime: Runtime
) -> None:
    await acme.ada.post(f"{await acme.ask()}/approve", APPROVE)

    assert await told(runtime, acme.viewer.id) == [
        f"Your request was approved. You now have the editor role in {acme.name}."
    ]


@pytest.mark.parametrize("decision", ["approve", "decline", "withdraw"])
async def test_a_closed_request_no_longer_waits_for_anybody(
    acme: Acme, make: Factory, runtime: Runtime, decision: str
) -> None:
    zoe = await make.member(acme.id, "Zoe", Role.ADMIN)
    path = await acme.ask()

    await (acme.vera if decision == "withdraw" else acme.ada).post(f"{path}/{decision}", APPROVE)

    for person in (acme.admin, zoe):
        assert all(row.read_at for row in await notifications_of(runtime, person.id))


async def test_a_declined_request_changes_no_role_and_tells_the_answer(acme: Acme, runtime: Runtime) -> None:
    path = await acme.ask()

    await acme.ada.post(f"{path}/decline", {"answer": "Bob does it."})

    assert await acme.roles_at_logto(acme.viewer) == {"viewer"}
    assert await actions_of(runtime, acme.id) == ["access.request", "access.decline"]
    assert await told(runtime, acme.viewer.id) == [
        f"Your request for the editor role in {acme.name} was declined: Bob does it."
    ]
    assert "Bob does it." in await acme.vera.text(path)


async def test_an_answer_that_is_too_long_is_refused_at_the_field(acme: Acme, runtime: Runtime) -> None:
    path = await acme.ask()

    page = await acme.ada.submit(f"{path}/decline", {"answer": "x" * 501}, 422)

    assert "Use at most 500 characters." in page
    assert await states_of(runtime, acme.id) == ["pending"]


async def test_after_a_decline_the_member_can_ask_again(acme: Acme, runtime: Runtime) -> None:
    first = await acme.ask()
    await acme.ada.post(f"{first}/decline")

    assert await acme.ask() != first
    assert await states_of(runtime, acme.id) == ["pending", "declined"]


async def test_a_withdrawn_request_cannot_be_approved(acme: Acme, runtime: Runtime) -> None:
    path = await acme.ask()
    await acme.vera.post(f"{path}/withdraw")

    page = await acme.ada.submit(f"{path}/approve", APPROVE, expect=409)

    assert "It was withdrawn. Nothing was changed." in page
    assert await acme.roles_at_logto(acme.viewer) == {"viewer"}
    assert await actions_of(runtime, acme.id) == ["access.request", "access.withdraw"]


@pytest.fixture
async def zoe(acme: Acme, make: Factory, open_browser: OpenBrowser) -> Browser:
    """The browser of a second admin."""
    return await open_browser(await make.member(acme.id, "Zoe", Role.ADMIN))


async def test_of_two_approvals_at_once_one_is_told_who_was_first(
    acme: Acme, zoe: Browser, runtime: Runtime
) -> None:
    path = await acme.ask()

    answers = await asyncio.gather(
        *(admin.post(f"{path}/approve", APPROVE, expect=None) for admin in (acme.ada, zoe))
    )

    assert sorted(answer.status_code for answer in answers) == [303, 409]
    assert (await actions_of(runtime, acme.id)).count("access.approve") == 1
    assert (await actions_of(runtime, acme.id)).count("member.change-roles") == 1


async def test_a_decline_after_an_approval_is_told_who_was_first(acme: Acme, zoe: Browser) -> None:
    path = await acme.ask()
    await acme.ada.post(f"{path}/approve", APPROVE)

    assert "Ada has already approved it." in await zoe.submit(f"{path}/decline", expect=409)


@pytest.mark.parametrize("decision", ["approve", "decline"])
async def test_nobody_decides_their_own_request_even_with_the_right_role(
    acme: Acme, make: Factory, runtime: Runtime, open_browser: OpenBrowser, decision: str
) -> None:
    path = await acme.ask(Role.ADMIN)
    await make.give_roles(acme.id, acme.viewer, Role.ADMIN)
    browser = await open_browser(acme.viewer)

    page = await browser.submit(f"{path}/{decision}", APPROVE, expect=409)

    assert "You cannot decide your own request" in page
    assert f'action="{path}/approve"' not in await browser.text(path)
    assert await states_of(runtime, acme.id) == ["pending"]


async def test_an_approver_who_lost_the_role_can_neither_see_nor_approve(
    acme: Acme, zoe: Browser, runtime: Runtime
) -> None:
    path = await acme.ask()
    form = {"seen": ["", "admin"], "roles": ["viewer"], "step": "confirm", "own_loss": "yes"}
    await acme.ada.post(f"{acme.root}/members/{acme.admin.id}/roles", form)

    await acme.ada.post(f"{path}/approve", APPROVE, expect=403)
    await acme.ada.get(path, 404)

    assert await states_of(runtime, acme.id) == ["pending"]


@pytest.fixture
async def mia(acme: Acme, make: Factory, decider: str, open_browser: OpenBrowser) -> Browser:
    """A member who can change roles, but lacks what most roles grant."""
    return await open_browser(await make.member(acme.id, "Mia", decider))


async def test_a_role_with_more_than_the_approver_has_cannot_be_approved(
    acme: Acme, mia: Browser, runtime: Runtime
) -> None:
    path = await acme.ask()
    page = await mia.text(path)
    assert "You cannot assign this role." in page
    assert f'action="{path}/approve"' not in page

    refused = await mia.submit(f"{path}/approve", APPROVE, expect=403)

    assert "The editor role includes" in refused
    assert await acme.roles_at_logto(acme.viewer) == {"viewer"}
    assert await states_of(runtime, acme.id) == ["pending"]


async def test_a_role_that_the_member_has_meanwhile_can_only_be_declined(
    acme: Acme, make: Factory, runtime: Runtime
) -> None:
    path = await acme.ask()
    await make.give_roles(acme.id, acme.viewer, Role.VIEWER, Role.EDITOR)
    page = await acme.ada.text(path)
    assert "already has this role" in page
    assert f'action="{path}/approve"' not in page

    assert "already has the editor role" in await acme.ada.submit(f"{path}/approve", APPROVE, expect=409)
    await acme.ada.post(f"{path}/decline")

    assert await states_of(runtime, acme.id) == ["declined"]


async def test_the_roles_that_a_member_has_stay(acme: Acme, make: Factory, decider: str) -> None:
    await make.give_roles(acme.id, acme.viewer, Role.VIEWER, decider)

    await acme.ada.post(f"{await acme.ask()}/approve", APPROVE)

    assert await acme.roles_at_logto(acme.viewer) == {"viewer", "editor", decider}


async def test_a_requester_who_was_removed_gets_nothing(acme: Acme, make: Factory) -> None:
    path = await acme.ask()
    await make.management.remove_member(acme.id, acme.viewer.id)
    assert "no longer a member" in await acme.ada.text(path)

    await acme.ada.post(f"{path}/approve", APPROVE, expect=404)

    assert await acme.roles_at_logto(acme.viewer) is None


@pytest.mark.parametrize("action", ["approve", "decline", "withdraw"])
async def test_an_expired_request_can_no_longer_be_closed(acme: Acme, runtime: Runtime, action: str) -> None:
    path = f"{acme.requests}/{await add_request(runtime, acme, Role.EDITOR, age=LIFETIME)}"

    page = await (acme.vera if action == "withdraw" else acme.ada).submit(
        f"{path}/{action}", APPROVE, expect=409
    )

    assert "It has expired." in page
    assert await acme.roles_at_logto(acme.viewer) == {"viewer"}
    assert await states_of(runtime, acme.id) == ["expired"]


@pytest.fixture
async def eddy(acme: Acme, make: Factory, open_browser: OpenBrowser) -> Browser:
    """The browser of an editor, who neither asked nor decides."""
    return await open_browser(await make.member(acme.id, "Eddy", Role.EDITOR))


async def test_other_members_learn_nothing_of_a_request(acme: Acme, eddy: Browser, runtime: Runtime) -> None:
    path = await acme.ask()

    await eddy.get(path, 404)
    await eddy.post(f"{path}/withdraw", expect=404)
    for action in ("approve", "decline"):
        await eddy.post(f"{path}/{action}", APPROVE, expect=403)
    await eddy.get(acme.requests, 403)

    assert await states_of(runtime, acme.id) == ["pending"]


async def test_an_approver_cannot_withdraw_the_request_of_another(acme: Acme, runtime: Runtime) -> None:
    path = await acme.ask()

    await acme.ada.post(f"{path}/withdraw", expect=404)

    assert await states_of(runtime, acme.id) == ["pending"]


async def test_a_request_of_another_organization_is_not_found(acme: Acme, open_office: OpenOffice) -> None:
    path = await acme.ask()
    globex = await open_office("Globex", admin="Gail")
    foreign = path.replace(acme.id, globex.id)

    await globex.browser.get(foreign, 404)
    for action in ("approve", "decline", "withdraw"):
        await globex.browser.post(f"{foreign}/{action}", APPROVE, expect=404)


async def test_the_list_shows_pending_requests_first(
    acme: Acme, make: Factory, open_browser: OpenBrowser
) -> None:
    person: Person = await make.member(acme.id, "Wanda", Role.VIEWER)
    pending = await acme.ask(by=await open_browser(person))
    closed = await acme.ask()
    await acme.ada.post(f"{closed}/decline")

    page = await acme.ada.text(acme.requests)

    assert page.index(f'href="{pending}"') < page.index(f'href="{closed}"')
    assert 'Requests <span class="count">1</span>' in page


async def test_the_pages_of_members_show_how_many_requests_wait(acme: Acme) -> None:
    await acme.ask()

    for path in ("members", "members?show=machines"):
        assert 'Requests <span class="count">1</span>' in await acme.ada.text(f"{acme.root}/{path}")
    assert "Requests <span" not in await acme.vera.text(f"{acme.root}/members")
