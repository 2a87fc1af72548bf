"""Changing when a role ends: by whom, how far, and what is refused."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from saas_app.db.base import utc_now
from saas_app.models import ActorType
from saas_app.rbac.permissions import Permission, Role
from saas_app.runtime import Runtime
from tests.clients import Browser, Person
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.ending import FUTURE, PAST, ends_of, set_end
from tests.integration.members.conftest import Acme, roles_form, row_of
from tests.integration.records import changes_of

EDITOR, ADMIN = Role.EDITOR.value, Role.ADMIN.value
DAY = timedelta(days=1)


@pytest.fixture
async def bob(acme: Acme, make: Factory) -> Person:
    """An editor and viewer of Acme."""
    return await make.member(acme.id, "Bob", Role.EDITOR, Role.VIEWER)


def end_of(acme: Acme, person: Person, role: str = EDITOR) -> str:
    """Return the path at which the end of a role is changed."""
    return f"{acme.roles_of(person)}/{role}/end"


def new_end(seen: datetime | None, duration: str = "day", **more: str) -> dict[str, str]:
    """Return the form that changes an end, as the page sends it."""
    return {"seen": "none" if seen is None else seen.isoformat(), "duration": duration, **more}


async def test_the_page_shows_the_end_and_the_time_left(acme: Acme, bob: Person, runtime: Runtime) -> None:
    await set_end(runtime, acme.id, bob, EDITOR, timedelta(minutes=58, seconds=30))

    page = await acme.browser.text(end_of(acme, bob))

    assert "58 minutes left" in page
    assert "End the role now" in page


async def test_a_later_end_is_stored_and_recorded(acme: Acme, bob: Person, runtime: Runtime) -> None:
    before = await set_end(runtime, acme.id, bob, EDITOR, FUTURE)

    await acme.browser.post(end_of(acme, bob), new_end(before))

    after = (await ends_of(runtime, acme.id, bob))[EDITOR]
    assert timedelta(hours=23) < after - utc_now() < timedelta(hours=25)
    assert await acme.roles_at_logto(bob) == {"editor", "viewer"}
    (event,) = await changes_of(runtime, acme.id)
    assert (event.action, event.actor_type, event.target_id) == (
        "member.set-role-end",
        ActorType.PERSON,
        bob.id,
    )
    assert event.before == {"role": EDITOR, "ends_at": before.isoformat()}
    assert event.after == {"role": EDITOR, "ends_at": after.isoformat()}


async def test_a_role_can_lose_its_end(acme: Acme, bob: Person, runtime: Runtime) -> None:
    before = await set_end(runtime, acme.id, bob, EDITOR, FUTURE)

    await acme.browser.post(end_of(acme, bob), new_end(before, "none"))

    assert await ends_of(runtime, acme.id, bob) == {}
    (event,) = await changes_of(runtime, acme.id)
    assert event.after == {"role": EDITOR, "ends_at": None}


async def test_a_role_without_an_end_can_get_one(acme: Acme, bob: Person, runtime: Runtime) -> None:
    await acme.browser.post(end_of(acme, bob), new_end(None, "hour"))

    assert (await ends_of(runtime, acme.id, bob)).keys() == {EDITOR}


async def test_the_end_as_it_is_changes_and_records_nothing(
    acme: Acme, bob: Person, runtime: Runtime
) -> None:
    end = await set_end(runtime, acme.id, bob, EDITOR, FUTURE)

    await acme.browser.post(end_of(acme, bob), new_end(end, "date", until=end.isoformat()))

    assert await changes_of(runtime, acme.id) == []


async def test_an_event_shows_the_ends_in_words(acme: Acme, bob: Person) -> None:
    await acme.browser.post(end_of(acme, bob), new_end(None, "date", until=in_utc(DAY)))
    log = await acme.browser.text(f"{acme.root}/audit")
    (path,) = re.findall(rf'href="({acme.root}/audit/[0-9a-f-]{{36}})"', log)

    page = await acme.browser.text(path)

    assert "<del>No end</del>" in page
    assert f"<ins>{(utc_now() + DAY):%Y-%m-%d}" in page
    assert "UTC</ins>" in page


def in_utc(ahead: timedelta) -> str:
    """Return a moment as it is typed by somebody whose time zone is not known."""
    return (utc_now() + ahead).strftime("%Y-%m-%dT%H:%M")


async def test_an_end_that_somebody_else_changed_is_shown_and_not_overwritten(
    acme: Acme, bob: Person, runtime: Runtime
) -> None:
    seen = await set_end(runtime, acme.id, bob, EDITOR, FUTURE)
    current = await set_end(runtime, acme.id, bob, EDITOR, 2 * DAY)

    page = await acme.browser.submit(end_of(acme, bob), new_end(seen, "none"), 409)

    assert "The end has changed since you opened the page" in page
    assert f'value="{current.isoformat()}"' in page
    assert await ends_of(runtime, acme.id, bob) == {EDITOR: current}


@pytest.mark.parametrize("duration", ["day", "none"])
async def test_a_role_that_has_ended_is_not_extended(
    acme: Acme, bob: Person, runtime: Runtime, duration: str
) -> None:
    ended_at = await set_end(runtime, acme.id, bob, EDITOR, PAST)

    page = await acme.browser.submit(end_of(acme, bob), new_end(ended_at, duration), 409)

    assert "assign it again" in page
    assert await ends_of(runtime, acme.id, bob) == {EDITOR: ended_at}


async def test_the_end_of_a_role_that_was_taken_away_cannot_be_changed(
    acme: Acme, bob: Person, runtime: Runtime, make: Factory
) -> None:
    seen = await set_end(runtime, acme.id, bob, EDITOR, FUTURE)
    await make.give_roles(acme.id, bob, Role.VIEWER)

    await acme.browser.submit(end_of(acme, bob), new_end(seen), 409)
    await acme.browser.text(end_of(acme, bob), 409)

    assert await ends_of(runtime, acme.id, bob) == {EDITOR: seen}


async def test_the_end_of_a_role_of_a_former_member_cannot_be_changed(
    acme: Acme, bob: Person, runtime: Runtime
) -> None:
    seen = await set_end(runtime, acme.id, bob, EDITOR, FUTURE)
    await acme.browser.post(acme.removal_of(bob))

    await acme.browser.submit(end_of(acme, bob), new_end(seen), 404)

    assert await ends_of(runtime, acme.id, bob) == {}


@pytest.mark.parametrize("until", ["2020-01-01T00:00", "9999-12-31T23:59", "soon", ""])
async def test_an_impossible_end_is_refused_at_its_field(
    acme: Acme, bob: Person, runtime: Runtime, until: str
) -> None:
    page = await acme.browser.submit(end_of(acme, bob), new_end(None, "date", until=until), 422)

    assert 'id="until-error"' in page
    assert await ends_of(runtime, acme.id, bob) == {}


@pytest.mark.parametrize(
    ("seen", "status"), [({}, 400), ({"seen": "yesterday"}, 400)], ids=["missing", "unreadable"]
)
async def test_a_form_without_the_end_that_it_showed_is_a_bad_request(
    acme: Acme, bob: Person, seen: dict[str, str], status: int
) -> None:
    await acme.browser.post(end_of(acme, bob), {**seen, "duration": "day"}, status)


@pytest.mark.parametrize("role", ["integration", "no-such-role"])
async def test_there_is_no_page_for_a_role_that_people_cannot_hold(
    acme: Acme, bob: Person, role: str
) -> None:
    await acme.browser.get(end_of(acme, bob, role), 404)
    await acme.browser.post(end_of(acme, bob, role), new_end(None), 404)


async def test_ending_a_role_now_shows_what_is_lost_before_it_is_saved(
    acme: Acme, bob: Person, runtime: Runtime
) -> None:
    await set_end(runtime, acme.id, bob, EDITOR, FUTURE)
    page = await acme.browser.text(end_of(acme, bob))
    form = page.split(f'action="{acme.roles_of(bob)}"')[1].split("</form>")[0]
    assert 'name="roles" value="viewer"' in form
    assert 'name="roles" value="editor"' not in form

    preview = await acme.browser.submit(
        acme.roles_of(bob), roles_form(["editor", "viewer"], ["viewer"], step="preview")
    )
    await acme.browser.post(acme.roles_of(bob), roles_form(["editor", "viewer"], ["viewer"]))

    assert Permission.PROJECTS_WRITE.value in preview.split('id="loses"')[1]
    assert await acme.roles_at_logto(bob) == {"viewer"}
    assert await ends_of(runtime, acme.id, bob) == {}


async def test_the_last_lasting_admin_cannot_become_one_for_a_time(
    acme: Acme, runtime: Runtime, make: Factory
) -> None:
    eve = await make.member(acme.id, "Eve", Role.ADMIN)
    await set_end(runtime, acme.id, eve, ADMIN, FUTURE)

    page = await acme.browser.submit(end_of(acme, acme.admin, ADMIN), new_end(None), 409)

    assert "whose role has no end" in page
    assert await ends_of(runtime, acme.id, acme.admin) == {}


async def test_an_admin_beside_another_one_can_become_one_for_a_time(
    acme: Acme, runtime: Runtime, make: Factory
) -> None:
    eve = await make.member(acme.id, "Eve", Role.ADMIN)

    await acme.browser.post(end_of(acme, eve, ADMIN), new_end(None))

    assert (await ends_of(runtime, acme.id, eve)).keys() == {ADMIN}


@dataclass
class TemporaryAdmin:
    """A signed-in admin whose role ends in an hour."""

    person: Person
    browser: Browser
    end: datetime


@pytest.fixture
async def tess(acme: Acme, make: Factory, runtime: Runtime, open_browser: OpenBrowser) -> TemporaryAdmin:
    person = await make.member(acme.id, "Tess", Role.ADMIN)
    end = await set_end(runtime, acme.id, person, ADMIN, FUTURE)
    return TemporaryAdmin(person, await open_browser(person), end)


@pytest.mark.parametrize("duration", ["day", "none"])
async def test_nobody_extends_their_own_role(
    acme: Acme, tess: TemporaryAdmin, runtime: Runtime, duration: str
) -> None:
    page = await tess.browser.submit(end_of(acme, tess.person, ADMIN), new_end(tess.end, duration), 409)

    assert "You cannot extend your own role" in page
    assert await ends_of(runtime, acme.id, tess.person) == {ADMIN: tess.end}


async def test_members_can_end_their_own_role_sooner(
    acme: Acme, tess: TemporaryAdmin, runtime: Runtime
) -> None:
    form = new_end(tess.end, "date", until=in_utc(timedelta(minutes=30)))

    await tess.browser.post(end_of(acme, tess.person, ADMIN), form)

    assert (await ends_of(runtime, acme.id, tess.person))[ADMIN] < tess.end


@pytest.mark.parametrize("duration", ["day", "none"])
async def test_a_temporary_admin_extends_no_role_beyond_their_own(
    acme: Acme, bob: Person, tess: TemporaryAdmin, runtime: Runtime, duration: str
) -> None:
    end = await set_end(runtime, acme.id, bob, EDITOR, timedelta(minutes=20))

    page = await tess.browser.submit(end_of(acme, bob), new_end(end, duration), 403)

    assert "Choose an end that is not later." in page
    assert await ends_of(runtime, acme.id, bob) == {EDITOR: end}


async def test_a_temporary_admin_shortens_any_role(
    acme: Acme, bob: Person, tess: TemporaryAdmin, runtime: Runtime
) -> None:
    await tess.browser.post(end_of(acme, bob), new_end(None, "day"))

    assert (await ends_of(runtime, acme.id, bob)).keys() == {EDITOR}


@pytest.mark.parametrize("duration", ["day", "none"])
@pytest.mark.parametrize("role", [Role.ADMIN, Role.EDITOR])
async def test_a_temporary_admin_gives_no_role_for_longer_than_their_own(
    acme: Acme, make: Factory, tess: TemporaryAdmin, runtime: Runtime, role: Role, duration: str
) -> None:
    vera = await make.member(acme.id, "Vera", Role.VIEWER)
    form = roles_form(["viewer"], ["viewer", role.value], duration=duration)

    for given in (form, {**form, "step": "preview"}):
        await tess.browser.submit(acme.roles_of(vera), given, 403)

    assert await acme.roles_at_logto(vera) == {"viewer"}
    assert await ends_of(runtime, acme.id, vera) == {}


async def test_a_temporary_admin_gives_a_role_that_ends_before_their_own(
    acme: Acme, make: Factory, tess: TemporaryAdmin, runtime: Runtime
) -> None:
    vera = await make.member(acme.id, "Vera", Role.VIEWER)
    until = in_utc(timedelta(minutes=30))

    await tess.browser.post(
        acme.roles_of(vera), roles_form(["viewer"], ["viewer", EDITOR], duration="date", until=until)
    )

    assert (await ends_of(runtime, acme.id, vera))[EDITOR] < tess.end


async def test_a_temporary_admin_gives_several_members_no_lasting_role(
    acme: Acme, make: Factory, tess: TemporaryAdmin
) -> None:
    vera = await make.member(acme.id, "Vera", Role.VIEWER)
    form = {"row": [row_of(vera, "viewer")], "roles": [EDITOR], "step": "confirm"}

    await tess.browser.submit(f"{acme.members}/bulk/roles", form)

    assert await acme.roles_at_logto(vera) == {"viewer"}


async def test_roles_given_to_several_members_do_not_end(
    acme: Acme, bob: Person, runtime: Runtime, make: Factory
) -> None:
    vera = await make.member(acme.id, "Vera", Role.VIEWER)
    kept = await set_end(runtime, acme.id, bob, EDITOR, FUTURE)
    await set_end(runtime, acme.id, vera, EDITOR, FUTURE)
    rows = [row_of(vera, "viewer"), row_of(bob, "editor", "viewer")]

    await acme.browser.post(
        f"{acme.members}/bulk/roles", {"row": rows, "roles": [EDITOR, "viewer"], "step": "confirm"}, None
    )

    assert await acme.roles_at_logto(vera) == {"editor", "viewer"}
    assert await ends_of(runtime, acme.id, vera) == {}
    assert await ends_of(runtime, acme.id, bob) == {EDITOR: kept}


async def test_a_viewer_changes_no_end(
    acme: Acme, bob: Person, runtime: Runtime, open_browser: OpenBrowser
) -> None:
    end = await set_end(runtime, acme.id, bob, EDITOR, FUTURE)
    browser = await open_browser(bob)

    await browser.get(end_of(acme, bob), 403)
    await browser.post(end_of(acme, bob), new_end(end, "none"), 403)

    assert await ends_of(runtime, acme.id, bob) == {EDITOR: end}


async def test_members_see_when_their_own_roles_end(
    acme: Acme, bob: Person, runtime: Runtime, open_browser: OpenBrowser
) -> None:
    await set_end(runtime, acme.id, bob, EDITOR, timedelta(minutes=58, seconds=30))
    browser = await open_browser(bob)

    access = await browser.text(f"{acme.root}/access")
    overview = await browser.text(f"{acme.root}/")

    assert "58 minutes left" in access.split('id="roles"')[1].split("</section>")[0]
    assert "Your editor role ends on" in overview


async def test_the_overview_says_nothing_about_an_end_that_is_far(
    acme: Acme, bob: Person, runtime: Runtime, open_browser: OpenBrowser
) -> None:
    await set_end(runtime, acme.id, bob, EDITOR, 2 * DAY)
    browser = await open_browser(bob)

    assert "Your editor role ends on" not in await browser.text(f"{acme.root}/")
