"""Roles that are given for a time: the end is stored with them, whatever fails, and goes with them."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from saas_app.config import Settings
from saas_app.db.base import utc_now
from saas_app.errors import LogtoUnavailable
from saas_app.logto import ManagementClient, ManagementError
from saas_app.rbac.permissions import Role
from saas_app.runtime import Runtime
from tests.clients import Person
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.ending import PAST, ends_of, set_end
from tests.integration.killed import run_until_killed
from tests.integration.members.conftest import Acme, roles_form
from tests.integration.records import changes_of

EDITOR = Role.EDITOR.value


@pytest.fixture
async def bob(acme: Acme, make: Factory) -> Person:
    """A viewer of Acme."""
    return await make.member(acme.id, "Bob", Role.VIEWER)


def give(role: str = EDITOR, *, step: str = "confirm", **duration: str) -> dict[str, str | list[str]]:
    """Return the form that gives Bob a role, by default for an hour."""
    return roles_form(["viewer"], [role, "viewer"], step=step, **(duration or {"duration": "hour"}))


def in_utc(moment: datetime) -> str:
    """Return a moment as it is typed by somebody whose time zone is not known."""
    return moment.strftime("%Y-%m-%dT%H:%M")


async def test_a_role_given_for_an_hour_is_stored_and_recorded_with_its_end(
    acme: Acme, bob: Person, runtime: Runtime
) -> None:
    await acme.browser.post(acme.roles_of(bob), give())

    end = (await ends_of(runtime, acme.id, bob))[EDITOR]
    assert timedelta(minutes=59) < end - utc_now() <= timedelta(minutes=61)
    assert await acme.roles_at_logto(bob) == {"editor", "viewer"}
    (event,) = await changes_of(runtime, acme.id)
    assert event.after == {"roles": ["editor", "viewer"], "ends_at": end.isoformat()}


async def test_only_the_roles_that_a_choice_adds_end(acme: Acme, bob: Person, runtime: Runtime) -> None:
    await acme.browser.post(acme.roles_of(bob), give())

    assert (await ends_of(runtime, acme.id, bob)).keys() == {EDITOR}


async def test_a_choice_that_adds_nothing_records_no_end(acme: Acme, bob: Person, runtime: Runtime) -> None:
    form = roles_form(["viewer"], [], duration="hour")

    await acme.browser.post(acme.roles_of(bob), form)

    assert await ends_of(runtime, acme.id, bob) == {}
    (event,) = await changes_of(runtime, acme.id)
    assert event.after == {"roles": []}


async def test_the_preview_shows_the_end_that_is_then_saved(
    acme: Acme, bob: Person, runtime: Runtime
) -> None:
    page = await acme.browser.submit(acme.roles_of(bob), give(step="preview"))
    until = page.split('name="until" value="')[1].split('"')[0]

    await acme.browser.post(acme.roles_of(bob), give(duration="date", until=until))

    assert f'<time datetime="{until[:19]}Z"' in page
    assert (await ends_of(runtime, acme.id, bob))[EDITOR].isoformat() == until


@pytest.mark.parametrize(("first", "second"), [("none", "hour"), ("hour", "none"), ("hour", "day")])
async def test_a_role_that_somebody_gave_meanwhile_with_another_end_is_a_conflict(
    acme: Acme, bob: Person, runtime: Runtime, first: str, second: str
) -> None:
    await acme.browser.post(acme.roles_of(bob), give(duration=first))
    given = await ends_of(runtime, acme.id, bob)

    page = await acme.browser.submit(acme.roles_of(bob), give(duration=second), 409)

    assert "has changed since you opened the page. Nothing was changed." in page
    assert await ends_of(runtime, acme.id, bob) == given


async def test_a_form_that_is_sent_twice_is_no_conflict(acme: Acme, bob: Person, runtime: Runtime) -> None:
    form = give(duration="date", until=in_utc(utc_now() + timedelta(days=1)))
    await acme.browser.post(acme.roles_of(bob), form)

    await acme.browser.post(acme.roles_of(bob), form)

    assert len(await changes_of(runtime, acme.id)) == 1


async def test_a_role_without_an_end_does_not_get_the_end_of_an_earlier_assignment(
    acme: Acme, bob: Person, runtime: Runtime
) -> None:
    await set_end(runtime, acme.id, bob, EDITOR, timedelta(hours=1))

    await acme.browser.post(acme.roles_of(bob), give(duration="none"))

    assert await ends_of(runtime, acme.id, bob) == {}
    assert await acme.roles_at_logto(bob) == {"editor", "viewer"}


async def test_taking_a_role_away_deletes_its_end(
    acme: Acme, bob: Person, runtime: Runtime, make: Factory
) -> None:
    await make.give_roles(acme.id, bob, "editor", "viewer")
    await set_end(runtime, acme.id, bob, EDITOR, timedelta(hours=1))

    await acme.browser.post(acme.roles_of(bob), roles_form(["editor", "viewer"], ["viewer"]))

    assert await ends_of(runtime, acme.id, bob) == {}


async def test_a_role_that_has_ended_counts_as_not_held_and_can_be_given_again(
    acme: Acme, bob: Person, runtime: Runtime, make: Factory
) -> None:
    await make.give_roles(acme.id, bob, "editor", "viewer")
    await set_end(runtime, acme.id, bob, EDITOR, PAST)
    assert ">editor" not in (await acme.browser.text(acme.members)).split("Bob</span>")[1].split("<tr")[0]

    await acme.browser.post(acme.roles_of(bob), give())

    assert (await ends_of(runtime, acme.id, bob))[EDITOR] > utc_now()


async def test_a_role_that_has_ended_is_left_to_the_job_by_other_changes(
    acme: Acme, bob: Person, runtime: Runtime, make: Factory
) -> None:
    await make.give_roles(acme.id, bob, "editor", "viewer")
    ended_at = await set_end(runtime, acme.id, bob, EDITOR, PAST)

    await acme.browser.post(acme.roles_of(bob), roles_form(["viewer"], []))

    assert await acme.roles_at_logto(bob) == {"editor"}
    assert await ends_of(runtime, acme.id, bob) == {EDITOR: ended_at}


async def refuse(*_: object) -> None:
    raise ManagementError(422, "organization.role_names_not_found", "")


async def lose_the_answer(*_: object) -> None:
    raise LogtoUnavailable


async def test_if_logto_rejects_the_role_no_end_is_left(
    acme: Acme, bob: Person, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ManagementClient, "replace_roles", refuse)

    await acme.browser.submit(acme.roles_of(bob), give(), 409)

    assert await ends_of(runtime, acme.id, bob) == {}


@pytest.mark.parametrize("duration", ["hour", "none"])
async def test_if_logto_rejects_it_a_role_that_has_ended_stays_ended(
    acme: Acme,
    bob: Person,
    runtime: Runtime,
    make: Factory,
    monkeypatch: pytest.MonkeyPatch,
    duration: str,
) -> None:
    await make.give_roles(acme.id, bob, "editor", "viewer")
    ended_at = await set_end(runtime, acme.id, bob, EDITOR, PAST)
    monkeypatch.setattr(ManagementClient, "replace_roles", refuse)

    await acme.browser.submit(acme.roles_of(bob), give(duration=duration), 409)

    assert await ends_of(runtime, acme.id, bob) == {EDITOR: ended_at}


async def test_if_logto_does_not_answer_the_end_stays_with_the_role_that_may_have_been_given(
    acme: Acme, bob: Person, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ManagementClient, "replace_roles", lose_the_answer)

    await acme.browser.submit(acme.roles_of(bob), give(), 503)

    assert (await ends_of(runtime, acme.id, bob)).keys() == {EDITOR}


_GIVE_AND_DIE = """
import asyncio, os, signal, sys
from datetime import timedelta
from saas_app.changes.organization_change import Systems
from saas_app.config import Settings, load_management_settings
from saas_app.db.base import utc_now
from saas_app.db.engine import create_engine
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.identity.principal import Principal
from saas_app.identity.tenant import Tenant
from saas_app.limits.changes import ChangeLimits
from saas_app.limits.requests import ProcessCounters
from saas_app.logto import ManagementClient, connect
from saas_app.members.changes import change_roles
from saas_app.members.values import WantedRoles
from saas_app.rbac.permissions import Carrier, Permission, Role

give = ManagementClient.replace_roles

async def give_and_die(*arguments):
    await give(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)

async def main(database_url, organization_id, user_id):
    ManagementClient.replace_roles = give_and_die
    settings = Settings(encryption_keys=(), logto_app_id="app", logto_app_secret="secret")
    work = UnitOfWork(create_engine(database_url))
    ada = Tenant(organization_id, "Acme", Principal("ada", name="Ada"), frozenset({Role.ADMIN.value}),
                 frozenset(Permission), frozenset(Carrier), utc_now())
    until = utc_now() + timedelta(hours=1)
    wanted = WantedRoles(user_id, frozenset({"viewer"}), frozenset({Role.EDITOR, Role.VIEWER}), until=until)
    async with connect(load_management_settings()) as client:
        limits = ChangeLimits(settings, ProcessCounters())
        await change_roles(Systems(work, client, limits).by(ada), wanted)

asyncio.run(main(*sys.argv[1:]))
"""


async def test_a_process_that_dies_after_logto_gave_the_role_leaves_its_end(
    acme: Acme, bob: Person, runtime: Runtime, settings: Settings
) -> None:
    await run_until_killed(settings, _GIVE_AND_DIE, acme.id, bob.id)

    assert await acme.roles_at_logto(bob) == {"editor", "viewer"}
    assert (await ends_of(runtime, acme.id, bob)).keys() == {EDITOR}


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        (in_utc(utc_now() - timedelta(days=1)), "at least 5 minutes from now"),
        (in_utc(utc_now() + timedelta(minutes=3)), "at least 5 minutes from now"),
        (in_utc(utc_now() + timedelta(days=366)), "at most 365 days from now"),
        ("9999-12-31T23:59", "at most 365 days from now"),
        ("next friday", "Enter a date and a time"),
        ("", "Enter a date and a time"),
    ],
    ids=["past", "too soon", "too late", "year 9999", "not a date", "empty"],
)
@pytest.mark.parametrize("step", ["preview", "confirm"])
async def test_an_impossible_end_is_refused_at_its_field_with_what_was_typed(
    acme: Acme, bob: Person, runtime: Runtime, step: str, typed: str, problem: str
) -> None:
    form = give(step=step, duration="date", until=typed)

    page = await acme.browser.submit(acme.roles_of(bob), form, 422)

    assert problem in page.split('id="until-error"')[1]
    assert 'value="date" checked' in page
    assert 'value="editor" aria-describedby="role-editor" checked' in page
    assert await ends_of(runtime, acme.id, bob) == {}
    assert await acme.roles_at_logto(bob) == {"viewer"}


async def test_an_admin_whose_role_ends_is_not_another_admin(
    acme: Acme, runtime: Runtime, make: Factory
) -> None:
    eve = await make.member(acme.id, "Eve", Role.ADMIN)
    await set_end(runtime, acme.id, eve, Role.ADMIN.value, timedelta(hours=1))

    page = await acme.browser.submit(f"{acme.root}/leave", {"confirm": "yes"}, 409)

    assert "An organization needs an admin" in page
    assert await acme.roles_at_logto(acme.admin) == {"admin"}


async def test_an_admin_whose_role_ends_can_be_removed(acme: Acme, runtime: Runtime, make: Factory) -> None:
    eve = await make.member(acme.id, "Eve", Role.ADMIN)
    await set_end(runtime, acme.id, eve, Role.ADMIN.value, timedelta(hours=1))

    await acme.browser.post(acme.removal_of(eve))

    assert await acme.roles_at_logto(eve) is None


async def test_the_time_left_stands_at_the_role_in_the_list(
    acme: Acme, bob: Person, runtime: Runtime, open_browser: OpenBrowser
) -> None:
    await set_end(runtime, acme.id, bob, "viewer", timedelta(minutes=58, seconds=30))

    page = await acme.browser.text(acme.members)

    assert "58 minutes left" in page
