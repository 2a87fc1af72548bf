"""Roles that are given for a time: what is stored, what is told, and what temporary approvers can give."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from saas_app.access_requests.values import MIN_MINUTES
from saas_app.db.base import utc_now
from saas_app.rbac.permissions import Role
from saas_app.runtime import Runtime
from tests.clients import Browser, Person
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.access_requests.conftest import (
    APPROVE,
    Acme,
    add_request,
    ask_form,
    requests_of,
    states_of,
)
from tests.integration.ending import PAST, ends_of, set_end
from tests.integration.notifications.reading import notifications_of, told
from tests.integration.records import changes_of

EDITOR = Role.EDITOR.value


async def test_an_approval_for_a_day_stores_the_end_with_the_role_and_the_request(
    acme: Acme, runtime: Runtime
) -> None:
    await acme.ada.post(f"{await acme.ask()}/approve", APPROVE)

    end = (await ends_of(runtime, acme.id, acme.viewer))[EDITOR]
    assert timedelta(hours=23) < end - utc_now() <= timedelta(hours=25)
    (row,) = await requests_of(runtime, acme.id)
    assert row.ends_at == end
    changed = next(e for e in await changes_of(runtime, acme.id) if e.action == "member.change-roles")
    assert changed.after == {
        "roles": ["editor", "viewer"],
        "ends_at": end.isoformat(),
        "request": str(row.id),
    }


async def test_the_member_reads_when_the_role_ends(acme: Acme, runtime: Runtime) -> None:
    path = await acme.ask()
    await acme.ada.post(f"{path}/approve", APPROVE)

    (row,) = await requests_of(runtime, acme.id)
    (notification,) = await notifications_of(runtime, acme.viewer.id)
    assert row.ends_at is not None
    assert notification.ends_at == row.ends_at
    stamp = row.ends_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    for page in ("/notifications", path):
        assert stamp in await acme.vera.text(page)


async def test_an_approval_without_an_end_stores_none(acme: Acme, runtime: Runtime) -> None:
    await acme.ada.post(f"{await acme.ask()}/approve", {"duration": "none"})

    assert await ends_of(runtime, acme.id, acme.viewer) == {}
    assert [row.ends_at for row in await requests_of(runtime, acme.id)] == [None]


@pytest.mark.parametrize(
    ("asked", "selected"),
    [("hour", "hour"), ("week", "week"), ("none", "day")],
    ids=["hour", "week", "no end"],
)
async def test_the_requested_time_is_selected_but_never_a_role_without_an_end(
    acme: Acme, asked: str, selected: str
) -> None:
    answer = await acme.vera.post(f"{acme.requests}/new", ask_form(duration=asked))

    page = await acme.ada.text(answer.headers["Location"])

    offered = [part.split('"')[0] for part in page.split('name="duration" value="')[1:]]
    assert offered == ["hour", "day", "week", "date", "none"]
    assert "checked" in page.split(f'name="duration" value="{selected}"')[1].split(">")[0]


async def test_the_shortest_time_that_can_be_requested_can_be_approved_as_it_is_selected(
    acme: Acme, runtime: Runtime
) -> None:
    request_id = await add_request(runtime, acme, EDITOR, minutes=MIN_MINUTES)
    page = await acme.ada.text(f"{acme.requests}/{request_id}")
    until = page.split('name="until" value="')[1].split('"')[0]

    await acme.ada.post(f"{acme.requests}/{request_id}/approve", {"duration": "date", "until": until})

    assert await acme.roles_at_logto(acme.viewer) == {"editor", "viewer"}


def in_utc(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M")


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"duration": "forever"},
        {"duration": "date"},
        {"duration": "date", "until": "tomorrow"},
        {"duration": "date", "until": "9999-12-31T23:59"},
        {"duration": "date", "until": in_utc(utc_now() - timedelta(days=1))},
    ],
    ids=["nothing", "unknown", "no date", "not a date", "year 9999", "past"],
)
async def test_an_impossible_end_is_refused_at_its_field(
    acme: Acme, runtime: Runtime, form: dict[str, str]
) -> None:
    path = await acme.ask()

    page = await acme.ada.submit(f"{path}/approve", form, 422)

    assert 'id="until-error"' in page
    assert await states_of(runtime, acme.id) == ["pending"]
    assert await acme.roles_at_logto(acme.viewer) == {"viewer"}


@pytest.fixture
async def temporary(acme: Acme, make: Factory, runtime: Runtime) -> Person:
    """Tom, an admin for two hours."""
    person = await make.member(acme.id, "Tom", Role.ADMIN)
    await set_end(runtime, acme.id, person, Role.ADMIN, timedelta(hours=2))
    return person


@pytest.fixture
async def tom(temporary: Person, open_browser: OpenBrowser) -> Browser:
    """The browser of Tom."""
    return await open_browser(temporary)


@pytest.mark.parametrize("duration", ["day", "none"])
async def test_a_temporary_admin_cannot_approve_for_longer_than_they_are_one(
    acme: Acme, tom: Browser, runtime: Runtime, duration: str
) -> None:
    path = await acme.ask()

    page = await tom.submit(f"{path}/approve", {"duration": duration}, 403)

    assert "Choose an end that is not later." in page
    assert await acme.roles_at_logto(acme.viewer) == {"viewer"}
    assert await states_of(runtime, acme.id) == ["pending"]


async def test_a_temporary_admin_can_approve_for_a_shorter_time(
    acme: Acme, tom: Browser, runtime: Runtime
) -> None:
    await tom.post(f"{await acme.ask()}/approve", {"duration": "hour"})

    assert await acme.roles_at_logto(acme.viewer) == {"editor", "viewer"}


async def test_only_those_are_notified_who_can_approve_for_as_long(
    acme: Acme, temporary: Person, runtime: Runtime
) -> None:
    await acme.ask()
    assert await told(runtime, temporary.id) == []

    await acme.vera.post(f"{acme.requests}/new", ask_form(Role.ADMIN, duration="hour"))

    assert await told(runtime, temporary.id) == [f"Vera asks for the admin role in {acme.name}."]


async def test_a_request_that_could_be_approved_only_for_less_says_so(
    acme: Acme, temporary: Person, make: Factory, runtime: Runtime
) -> None:
    await make.give_roles(acme.id, acme.admin, Role.VIEWER)

    page = await acme.vera.submit(f"{acme.requests}/new", ask_form(), 409)

    assert "Ask for a shorter time." in page
    assert await requests_of(runtime, acme.id) == []


async def test_an_admin_whose_role_has_ended_can_neither_see_nor_approve(
    acme: Acme, make: Factory, runtime: Runtime, open_browser: OpenBrowser
) -> None:
    path = await acme.ask()
    person = await make.member(acme.id, "Una", Role.ADMIN)
    browser = await open_browser(person)
    await browser.get(path)
    await set_end(runtime, acme.id, person, Role.ADMIN, PAST)

    await browser.get(path, 404)
    await browser.post(f"{path}/approve", {"duration": "hour"}, 403)

    assert await states_of(runtime, acme.id) == ["pending"]
