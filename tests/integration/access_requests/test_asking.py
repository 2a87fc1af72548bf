"""Asking for a role: what the form offers, what is refused, and what is stored and told."""

from __future__ import annotations

import pytest

from saas_app.access_requests.values import LIFETIME, MAX_PENDING
from saas_app.rbac.permissions import Permission, Role
from saas_app.runtime import Runtime
from tests.clients import Person
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.access_requests.conftest import (
    REASON,
    Acme,
    add_request,
    ask_form,
    requests_of,
    states_of,
)
from tests.integration.faulty_logto import DOWN, Fault, Faulty
from tests.integration.notifications.reading import told
from tests.integration.records import actions_of, changes_of


def option(page: str, role: str) -> str:
    """Return the part of the form that offers a role."""
    return page.split(f'name="role" value="{role}"')[1].split("</label>")[0]


async def test_a_denial_leads_to_the_form_with_the_missing_permission(acme: Acme) -> None:
    page = await acme.vera.text(f"{acme.root}/projects/new", 403)

    assert f'href="{acme.requests}/new?permission=projects%3Awrite">Ask for access' in page


async def test_the_form_preselects_the_role_that_adds_least(acme: Acme) -> None:
    page = await acme.vera.text(f"{acme.requests}/new?permission={Permission.PROJECTS_WRITE}")

    assert page.index('value="editor"') < page.index('value="admin"')
    assert "checked" in option(page, Role.EDITOR)
    assert "Adds 1 permission: <code>projects:write</code>" in option(page, Role.EDITOR)


async def test_the_form_offers_only_roles_that_grant_the_permission(acme: Acme) -> None:
    page = await acme.vera.text(f"{acme.requests}/new?permission={Permission.AUDIT_READ}")

    assert 'value="admin"' in page
    assert 'value="editor"' not in page


@pytest.mark.parametrize("query", ["permission=nonsense", "role=nonsense", "role=integration", ""])
async def test_a_query_that_names_nothing_offers_every_role_that_adds_something(
    acme: Acme, query: str
) -> None:
    page = await acme.vera.text(f"{acme.requests}/new?{query}")

    assert "checked" in option(page, Role.EDITOR)
    assert 'value="viewer"' not in page


async def test_the_form_names_who_can_approve(acme: Acme) -> None:
    page = await acme.vera.text(f"{acme.requests}/new")

    assert "Who can approve" in page
    assert "Ada" in page


async def test_somebody_with_every_permission_is_offered_nothing(acme: Acme) -> None:
    assert "There is no role to ask for" in await acme.ada.text(f"{acme.requests}/new")


async def test_a_request_is_stored_recorded_and_shown_to_its_author(acme: Acme, runtime: Runtime) -> None:
    path = await acme.ask()

    (row,) = await requests_of(runtime, acme.id)
    assert (row.requester_id, row.role, row.reason, row.minutes) == (acme.viewer.id, "editor", REASON, 1440)
    (event,) = await changes_of(runtime, acme.id)
    assert (event.action, event.target_id) == ("access.request", acme.viewer.id)
    assert event.after == {"role": "editor", "request": str(row.id), "reason": REASON}
    page = await acme.vera.text(path)
    assert "Your request for the editor role" in page
    assert f'href="{acme.root}/access" aria-current="page"' in page  # not Members, where others decide
    assert REASON in page


async def test_those_who_can_approve_are_notified_and_led_to_the_request(
    acme: Acme, make: Factory, runtime: Runtime
) -> None:
    editor = await make.member(acme.id, "Eddy", Role.EDITOR)
    path = await acme.ask()

    assert await told(runtime, acme.admin.id) == [f"Vera asks for the editor role in {acme.name}."]
    assert await told(runtime, editor.id) == []
    notification = (await acme.ada.text("/notifications")).split('action="/notifications/')[2].split('"')[0]
    answer = await acme.ada.post(f"/notifications/{notification}")
    assert answer.headers["Location"] == path


async def test_my_access_lists_own_requests(acme: Acme) -> None:
    path = await acme.ask()

    page = await acme.vera.text(f"{acme.root}/access")

    assert f'href="{path}">Request for the editor role' in page
    assert f'href="{acme.requests}/new">' in page


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        (ask_form(reason=" "), "Enter why you need the role."),
        (ask_form(reason="x" * 501), "Use at most 500 characters."),
        (ask_form(""), "Choose a role."),
        (ask_form(Role.INTEGRATION), "is not a role for people"),
        (ask_form("owner"), "is not a role for people"),
        (ask_form(duration="date"), "Choose for how long you need the role."),
        (ask_form(duration="forever"), "Choose for how long you need the role."),
    ],
)
async def test_a_wrong_form_is_shown_again_with_what_was_typed(
    acme: Acme, runtime: Runtime, form: dict[str, str], problem: str
) -> None:
    page = await acme.vera.submit(f"{acme.requests}/new", form, 422)

    assert problem in page
    assert form["reason"].strip() in page
    assert await requests_of(runtime, acme.id) == []


async def test_a_second_request_for_a_role_leads_to_the_first(acme: Acme, runtime: Runtime) -> None:
    first = await acme.ask()

    second = await acme.ask()

    assert second == first
    assert "is still pending" in await acme.vera.text(second)
    assert await states_of(runtime, acme.id) == ["pending"]


async def test_a_role_that_adds_nothing_is_refused(acme: Acme, runtime: Runtime) -> None:
    page = await acme.vera.submit(f"{acme.requests}/new", ask_form(Role.VIEWER), 409)

    assert "You already have every permission of the viewer role." in page
    assert await actions_of(runtime, acme.id) == []


@pytest.fixture
async def lonely(make: Factory, open_browser: OpenBrowser, acme: Acme) -> Acme:
    """Acme after its only admin was made a viewer in Logto, so that nobody can assign anything."""
    await make.give_roles(acme.id, acme.admin, Role.VIEWER)
    return acme


async def test_the_form_says_if_nobody_could_approve(lonely: Acme, runtime: Runtime) -> None:
    page = await lonely.vera.text(f"{lonely.requests}/new")
    assert "disabled" in option(page, Role.EDITOR).split(">")[0]
    assert "Nobody in" in option(page, Role.EDITOR)

    refused = await lonely.vera.submit(f"{lonely.requests}/new", ask_form(), 409)

    assert "No other member of" in refused
    assert await requests_of(runtime, lonely.id) == []


async def test_suspended_admins_cannot_approve(acme: Acme, make: Factory) -> None:
    await make.management._body("PATCH", f"/users/{acme.admin.id}/is-suspended", {"isSuspended": True})

    await acme.vera.submit(f"{acme.requests}/new", ask_form(), 409)


async def test_a_member_can_have_only_some_pending_requests(waiting: Acme, runtime: Runtime) -> None:
    page = await waiting.vera.submit(f"{waiting.requests}/new", ask_form(), 409)

    assert "Withdraw one before you send another" in page
    assert REASON in page
    assert len(await requests_of(runtime, waiting.id)) == MAX_PENDING


async def test_requests_that_are_withdrawn_count_too_because_each_notifies_others(
    acme: Acme, runtime: Runtime
) -> None:
    """The first one is sent and withdrawn, a refused one does not count, and the others are counted here."""
    await acme.vera.post(f"{await acme.ask()}/withdraw")
    await acme.vera.submit(f"{acme.requests}/new", ask_form(Role.VIEWER), 409)
    policy = runtime.change_limits.access_requests
    for _ in range(policy.rate.amount - 2):
        await runtime.change_limits.count(policy, acme.viewer.id)
    await acme.vera.post(f"{await acme.ask()}/withdraw")

    page = await acme.vera.submit(f"{acme.requests}/new", ask_form(), 429)

    assert "One person can ask for access" in page
    assert REASON in page
    assert await states_of(runtime, acme.id) == ["withdrawn", "withdrawn"]


async def test_a_request_that_expired_makes_room_for_a_new_one(acme: Acme, runtime: Runtime) -> None:
    old = await add_request(runtime, acme, Role.EDITOR, age=LIFETIME)
    assert "Expired" in await acme.vera.text(f"{acme.requests}/{old}")

    await acme.ask()

    assert await states_of(runtime, acme.id) == ["pending", "expired"]


async def test_without_logto_the_form_is_shown_again_with_what_was_typed(
    faulty: Faulty, make: Factory, runtime: Runtime
) -> None:
    vera = await make.member(faulty.acme.id, "Vera", Role.VIEWER)
    browser = await faulty.open_browser(vera)
    faulty.gate.fail(Fault("GET", ".*", **DOWN))
    path = f"{faulty.acme.root}/access-requests/new"

    page = await browser.submit(path, ask_form(), 503)

    assert REASON in page
    assert "Your request was not sent." in page
    assert "checked" in option(await browser.text(path, 503), Role.EDITOR)
    assert await requests_of(runtime, faulty.acme.id) == []


async def test_a_requester_who_is_removed_meanwhile_leaves_no_request(
    acme: Acme, make: Factory, runtime: Runtime
) -> None:
    person: Person = acme.viewer
    await make.management.remove_member(acme.id, person.id)

    await acme.vera.post(f"{acme.requests}/new", ask_form(), None)

    assert await requests_of(runtime, acme.id) == []
