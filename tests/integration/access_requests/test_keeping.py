"""Asking to keep a role longer that ends, and what becomes of such a request."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import pytest

from saas_app.db.base import utc_now
from saas_app.rbac.permissions import Role
from saas_app.runtime import Runtime
from tests.clients import Browser, Person
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.access_requests.conftest import Acme, ask_form, requests_of, states_of
from tests.integration.access_requests.test_asking import option
from tests.integration.ending import PAST, ends_of, set_end
from tests.integration.notifications.reading import notifications_of, told
from tests.integration.records import changes_of

EDITOR = Role.EDITOR.value
DAYS = timedelta(days=3)
Lose = Callable[[Acme, Runtime], Awaitable[None]]


def stamp(moment: datetime) -> str:
    """Return a moment as a ``time`` element has it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def approval(seen: datetime, duration: str = "day", **more: str) -> dict[str, str]:
    """Return the form of an approval, from a page that showed until when the role is held."""
    return {"seen": seen.isoformat(), "duration": duration, **more}


async def end_of(runtime: Runtime, acme: Acme) -> datetime | None:
    """Return the end of the viewer's role of an editor, or None."""
    return (await ends_of(runtime, acme.id, acme.viewer)).get(EDITOR)


@pytest.fixture
async def end(acme: Acme, runtime: Runtime) -> datetime:
    """When Vera's role of an editor ends, which she was given for an hour."""
    await acme.ada.post(f"{await acme.ask()}/approve", {"duration": "hour"})
    found = await end_of(runtime, acme)
    assert found is not None
    return found


@pytest.fixture
async def path(acme: Acme, end: datetime) -> str:
    """The path of Vera's request to keep that role for a day."""
    return await acme.ask()


async def test_my_access_leads_to_the_form_with_the_role_that_ends(acme: Acme, end: datetime) -> None:
    link = f"{acme.requests}/new?role=editor"
    assert f'href="{link}">Ask to keep the editor role longer' in await acme.vera.text(f"{acme.root}/access")

    offered = option(await acme.vera.text(link), EDITOR)

    assert "checked" in offered
    assert stamp(end) in offered
    assert "You keep 1 permission: <code>projects:write</code>" in offered


async def test_a_role_that_does_not_end_is_not_offered(acme: Acme) -> None:
    await acme.ada.post(f"{await acme.ask()}/approve", {"duration": "none"})

    assert 'value="editor"' not in await acme.vera.text(f"{acme.requests}/new")
    assert "Ask to keep" not in await acme.vera.text(f"{acme.root}/access")
    page = await acme.vera.submit(f"{acme.requests}/new", ask_form(), 409)
    assert "You already have every permission of the editor role." in page


@pytest.mark.parametrize(
    ("ends_in", "selected"),
    [(timedelta(hours=2), "day"), (DAYS, "week"), (timedelta(days=30), "none")],
    ids=["hours", "days", "a month"],
)
async def test_the_form_selects_a_time_that_is_longer_than_what_is_left(
    acme: Acme, end: datetime, runtime: Runtime, ends_in: timedelta, selected: str
) -> None:
    await set_end(runtime, acme.id, acme.viewer, EDITOR, ends_in)

    page = await acme.vera.text(f"{acme.requests}/new?role=editor")

    assert f'name="duration" value="{selected}" checked' in page


async def test_a_time_that_is_over_before_the_role_ends_is_refused(
    acme: Acme, end: datetime, runtime: Runtime
) -> None:
    await set_end(runtime, acme.id, acme.viewer, EDITOR, DAYS)

    page = await acme.vera.submit(f"{acme.requests}/new", ask_form(duration="day"), 422)

    assert "You have this role until" in page.split('id="until-error"')[1]
    assert await states_of(runtime, acme.id) == ["approved"]


async def test_those_who_can_approve_read_that_the_member_has_the_role_and_until_when(
    acme: Acme, end: datetime, path: str, runtime: Runtime
) -> None:
    notification, *_ = await notifications_of(runtime, acme.admin.id)

    assert f"Vera asks to keep the editor role in {acme.name} longer." in await told(runtime, acme.admin.id)
    assert notification.ends_at == end
    for page in (path, acme.requests):
        assert "Vera asks to keep the" in await acme.ada.text(page)


async def test_the_audit_log_says_that_the_member_asked_to_keep_the_role(
    acme: Acme, end: datetime, path: str, runtime: Runtime
) -> None:
    event = (await changes_of(runtime, acme.id))[-1]

    assert event.after is not None
    assert (event.action, event.after["held_until"]) == ("access.request", end.isoformat())
    log = await acme.ada.text(f"{acme.root}/audit")
    assert "asked to keep the <em>editor</em> role longer" in log


async def test_the_author_sees_what_they_asked_for(acme: Acme, end: datetime, path: str) -> None:
    assert "Your request to keep the" in await acme.vera.text(path)
    page = await acme.vera.text(f"{acme.root}/access")
    assert f'href="{path}">Request to keep the' in page
    assert "Ask to keep" not in page  # it waits for a decision


async def test_an_approver_sees_until_when_the_role_is_held_and_what_it_would_become(
    acme: Acme, end: datetime, path: str
) -> None:
    page = await acme.ada.text(path)

    decision = page.split('id="decide"')[1]
    assert "Vera keeps" in decision
    assert stamp(end) in decision
    assert f"{utc_now() + timedelta(days=1):%Y-%m-%dT}" in decision
    assert f'name="seen" value="{end.isoformat()}"' in decision
    assert 'name="duration" value="day" checked' in decision


async def test_an_approver_is_offered_a_longer_time_if_the_requested_one_no_longer_is(
    acme: Acme, path: str, runtime: Runtime
) -> None:
    await set_end(runtime, acme.id, acme.viewer, EDITOR, DAYS)

    page = await acme.ada.text(path)

    assert "Not longer than now." in page
    assert 'name="duration" value="week" checked' in page


async def test_an_approval_lets_the_role_end_later(
    acme: Acme, end: datetime, path: str, runtime: Runtime
) -> None:
    await acme.ada.post(f"{path}/approve", approval(end))

    later = await end_of(runtime, acme)
    assert later is not None
    assert timedelta(hours=23) < later - utc_now() <= timedelta(hours=25)
    row = (await requests_of(runtime, acme.id))[0]
    assert (row.state.value, row.decided_by, row.ends_at) == ("approved", acme.admin.id, later)
    assert await acme.roles_at_logto(acme.viewer) == {"editor", "viewer"}


async def test_an_approval_is_a_change_of_the_end_with_two_events(
    acme: Acme, end: datetime, path: str, runtime: Runtime
) -> None:
    await acme.ada.post(f"{path}/approve", approval(end))

    request_id = path.rsplit("/", 1)[1]
    events = {event.action: event for event in (await changes_of(runtime, acme.id))[-2:]}
    later = await end_of(runtime, acme)
    assert later is not None
    assert events["access.approve"].after == {"role": "editor", "request": request_id}
    moved = events["member.set-role-end"]
    assert moved.before == {"role": "editor", "ends_at": end.isoformat()}
    assert moved.after == {"role": "editor", "ends_at": later.isoformat(), "request": request_id}


async def test_the_member_is_told_the_new_end_and_nothing_else(
    acme: Acme, end: datetime, path: str, runtime: Runtime
) -> None:
    known = await told(runtime, acme.viewer.id)

    await acme.ada.post(f"{path}/approve", approval(end))

    news = f"Your request was approved. You keep the editor role in {acme.name} longer."
    assert sorted(await told(runtime, acme.viewer.id)) == sorted([*known, news])
    later = await end_of(runtime, acme)
    assert later in [row.ends_at for row in await notifications_of(runtime, acme.viewer.id)]


async def test_an_approval_can_let_the_role_last(
    acme: Acme, end: datetime, path: str, runtime: Runtime
) -> None:
    await acme.ada.post(f"{path}/approve", approval(end, "none"))

    assert await end_of(runtime, acme) is None
    assert await acme.roles_at_logto(acme.viewer) == {"editor", "viewer"}
    news = f"Your request was approved. Your editor role in {acme.name} no longer has an end."
    assert news in await told(runtime, acme.viewer.id)


async def test_an_approval_never_lets_a_role_end_earlier(acme: Acme, path: str, runtime: Runtime) -> None:
    end = await set_end(runtime, acme.id, acme.viewer, EDITOR, DAYS)

    page = await acme.ada.submit(f"{path}/approve", approval(end, "day"), 422)

    assert "Choose a later end." in page.split('id="until-error"')[1]
    assert await end_of(runtime, acme) == end
    assert (await states_of(runtime, acme.id))[0] == "pending"


async def test_an_approval_needs_a_possible_end(acme: Acme, end: datetime, path: str) -> None:
    form = approval(end, "date", until="9999-12-31T23:59")

    assert 'id="until-error"' in await acme.ada.submit(f"{path}/approve", form, 422)


async def test_a_declined_or_withdrawn_request_leaves_the_end_as_it_is(
    acme: Acme, end: datetime, path: str, runtime: Runtime
) -> None:
    await acme.ada.post(f"{path}/decline", {"answer": "Carol takes over."})
    await acme.vera.post(f"{await acme.ask()}/withdraw")

    assert await end_of(runtime, acme) == end
    assert await states_of(runtime, acme.id) == ["withdrawn", "declined", "approved"]


async def test_nobody_lets_their_own_role_last_longer_by_a_request(
    acme: Acme, end: datetime, path: str, make: Factory, runtime: Runtime, open_browser: OpenBrowser
) -> None:
    await make.give_roles(acme.id, acme.viewer, Role.EDITOR, Role.ADMIN)
    browser = await open_browser(acme.viewer)

    page = await browser.submit(f"{path}/approve", approval(end), 409)

    assert "You cannot decide your own request" in page
    assert await end_of(runtime, acme) == end


@pytest.fixture
async def temporary(acme: Acme, make: Factory, runtime: Runtime) -> Person:
    """Tom, an admin for two hours."""
    person = await make.member(acme.id, "Tom", Role.ADMIN)
    await set_end(runtime, acme.id, person, Role.ADMIN, timedelta(hours=2))
    return person


async def test_a_temporary_admin_lets_no_role_last_longer_than_their_own(
    acme: Acme, end: datetime, path: str, temporary: Person, runtime: Runtime, open_browser: OpenBrowser
) -> None:
    tom = await open_browser(temporary)

    page = await tom.submit(f"{path}/approve", approval(end, "day"), 403)

    assert "Choose an end that is not later." in page
    assert await end_of(runtime, acme) == end


async def test_an_approver_without_the_permissions_of_the_role_cannot_extend_it(
    acme: Acme,
    end: datetime,
    path: str,
    make: Factory,
    decider: str,
    runtime: Runtime,
    open_browser: OpenBrowser,
) -> None:
    mia = await open_browser(await make.member(acme.id, "Mia", decider))

    assert "The editor role includes" in await mia.submit(f"{path}/approve", approval(end), 403)

    assert await end_of(runtime, acme) == end


async def test_only_those_are_notified_who_could_let_the_role_last_that_long(
    acme: Acme, end: datetime, temporary: Person, runtime: Runtime
) -> None:
    await acme.ask()

    assert await told(runtime, temporary.id) == []


@pytest.mark.parametrize(
    ("hours", "advice"), [(1, True), (3, False)], ids=["ends before theirs", "ends after theirs"]
)
async def test_advice_to_ask_for_less_comes_only_if_somebody_could_extend_the_role(
    acme: Acme, end: datetime, temporary: Person, make: Factory, runtime: Runtime, hours: int, advice: bool
) -> None:
    await set_end(runtime, acme.id, acme.viewer, EDITOR, timedelta(hours=hours))
    await make.give_roles(acme.id, acme.admin, Role.VIEWER)

    page = await acme.vera.submit(f"{acme.requests}/new", ask_form(), 409)

    assert "No other member" in page
    assert ("Ask for a shorter time." in page) is advice


async def test_the_form_says_if_nobody_could_let_the_role_last_longer(
    acme: Acme, end: datetime, temporary: Person, make: Factory, runtime: Runtime
) -> None:
    await set_end(runtime, acme.id, acme.viewer, EDITOR, timedelta(hours=3))
    await make.give_roles(acme.id, acme.admin, Role.VIEWER)

    offered = option(await acme.vera.text(f"{acme.requests}/new"), EDITOR)

    assert "disabled" in offered
    assert "can let this role last longer." in offered


async def test_an_end_that_somebody_moved_meanwhile_is_not_overwritten(
    acme: Acme, end: datetime, path: str, runtime: Runtime
) -> None:
    moved = await set_end(runtime, acme.id, acme.viewer, EDITOR, timedelta(hours=5))

    page = await acme.ada.submit(f"{path}/approve", approval(end), 409)

    assert "has changed meanwhile" in page
    assert await end_of(runtime, acme) == moved
    assert stamp(moved) in await acme.ada.text(path)


async def test_a_role_that_was_given_meanwhile_is_not_extended_unseen(
    acme: Acme, make: Factory, runtime: Runtime
) -> None:
    path = await acme.ask()
    await make.give_roles(acme.id, acme.viewer, Role.VIEWER, Role.EDITOR)
    given = await set_end(runtime, acme.id, acme.viewer, EDITOR, timedelta(hours=1))

    page = await acme.ada.submit(f"{path}/approve", {"duration": "day"}, 409)

    assert "was given the editor role for a time meanwhile" in page
    assert await end_of(runtime, acme) == given


async def take_away(acme: Acme, runtime: Runtime) -> None:
    """Take the role away, as another admin may."""
    form = {"seen": ["", "editor", "viewer"], "roles": ["viewer"], "step": "confirm"}
    await acme.ada.post(f"{acme.root}/members/{acme.viewer.id}/roles", form)


async def let_end(acme: Acme, runtime: Runtime) -> None:
    """Let the end come."""
    await set_end(runtime, acme.id, acme.viewer, EDITOR, PAST)


@pytest.mark.parametrize("lose", [take_away, let_end])
async def test_a_role_that_is_gone_meanwhile_is_not_given_unseen(
    acme: Acme, end: datetime, path: str, runtime: Runtime, lose: Lose
) -> None:
    await lose(acme, runtime)

    page = await acme.ada.submit(f"{path}/approve", approval(end), 409)

    assert "no longer has the editor role" in page
    assert (await states_of(runtime, acme.id))[0] == "pending"


@pytest.mark.parametrize("lose", [take_away, let_end])
async def test_a_request_to_keep_a_role_that_is_gone_is_an_ordinary_request(
    acme: Acme, path: str, runtime: Runtime, lose: Lose
) -> None:
    await lose(acme, runtime)
    assert "Vera gains" in await acme.ada.text(path)
    assert "Your request for the" in await acme.vera.text(path)

    await acme.ada.post(f"{path}/approve", {"duration": "day"})

    assert await acme.roles_at_logto(acme.viewer) == {"editor", "viewer"}
    later = await end_of(runtime, acme)
    assert later is not None
    assert later - utc_now() > timedelta(hours=23)


@pytest.fixture
async def zoe(acme: Acme, make: Factory, open_browser: OpenBrowser) -> Browser:
    """The browser of a second admin."""
    return await open_browser(await make.member(acme.id, "Zoe", Role.ADMIN))


async def test_of_two_approvals_at_once_one_is_told_who_was_first(
    acme: Acme, end: datetime, path: str, zoe: Browser, runtime: Runtime
) -> None:
    answers = await asyncio.gather(
        *(admin.post(f"{path}/approve", approval(end), expect=None) for admin in (acme.ada, zoe))
    )

    assert sorted(answer.status_code for answer in answers) == [303, 409]
    actions = [event.action for event in await changes_of(runtime, acme.id)]
    assert actions.count("member.set-role-end") == 1
