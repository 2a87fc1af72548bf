"""An agent begins to act for a member: the form, who must allow it, and who is told."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from saas_app.config import Settings
from saas_app.db.base import utc_now
from saas_app.rbac.permissions import Role
from saas_app.runtime import Runtime
from saas_app.support import queries
from saas_app.support.values import RETENTION, AccessRow
from tests.clients import FRESH, Browser, Person
from tests.conftest import OpenBrowser
from tests.factories import PASSWORD, Factory, address_of, new_address
from tests.integration.ending import PAST, set_end
from tests.integration.faulty_logto import DOWN, Fault, Faulty
from tests.integration.notifications.reading import told
from tests.integration.records import actions_of, changes_of
from tests.integration.support.conftest import SUPPORT, Customer
from tests.integration.support.rows import allow_support


@pytest.fixture
async def form(acme: Customer, runtime: Runtime) -> dict[str, str]:
    """A complete form, for Carol in Acme, which allows support access."""
    await allow_support(runtime, acme.id)
    return {
        "organization": acme.id,
        "member": address_of(acme.carol),
        "ticket": "4711",
        "reason": "The export stops.\nShe sees no error.",
        "level": "read",
    }


async def accesses_to(runtime: Runtime, organization_id: str) -> list[AccessRow]:
    async with runtime.work.reading(organization_id) as db:
        return await queries.list_of_organization(db, organization_id, utc_now() - RETENTION, None, 10)


async def test_the_agent_lands_in_the_organization_and_acts_for_the_member(
    acme: Customer, desk: Browser, desk_root: str, form: Mapping[str, str]
) -> None:
    response = await desk.post(f"{desk_root}/start", form)

    assert response.headers["Location"] == f"{acme.root}/"
    page = await desk.text(f"{acme.root}/")
    assert "You are acting for <strong>Carol</strong> in" in page
    assert "Acme" in await desk.text(f"{acme.root}/projects")
    assert "View only" in await desk.text(desk_root)


async def test_what_was_entered_is_stored_and_recorded_with_both_names(
    acme: Customer, desk: Browser, desk_root: str, sam: Person, form: Mapping[str, str], runtime: Runtime
) -> None:
    await desk.post(f"{desk_root}/start", form)

    (access,) = await accesses_to(runtime, acme.id)
    assert (access.agent_id, access.member_id) == (sam.id, acme.carol.id)
    assert (access.ticket, access.reason, access.writes) == ("4711", form["reason"], False)
    (event,) = await changes_of(runtime, acme.id)
    assert (event.action, event.actor_id, event.target_id) == ("support.start", sam.id, acme.carol.id)


async def test_the_member_and_the_admins_are_told(
    acme: Customer, desk: Browser, desk_root: str, form: Mapping[str, str], runtime: Runtime
) -> None:
    await desk.post(f"{desk_root}/start", form)

    assert await told(runtime, acme.carol.id) == [
        f"Sam from support started acting for you in {acme.name} (ticket 4711)."
    ]
    assert await told(runtime, acme.admin.id) == [
        f"Sam from support started acting for Carol in {acme.name} (ticket 4711)."
    ]


async def test_an_admin_whose_role_has_ended_is_not_told(
    acme: Customer, desk: Browser, desk_root: str, form: Mapping[str, str], make: Factory, runtime: Runtime
) -> None:
    """The job that takes the role away at Logto is late."""
    tom = await make.member(acme.id, "Tom", Role.ADMIN)
    await set_end(runtime, acme.id, tom, Role.ADMIN, PAST)

    await desk.post(f"{desk_root}/start", form)

    assert await told(runtime, tom.id) == []


@pytest.mark.parametrize("how", ["ADDRESS", "username", "id"])
async def test_the_member_is_found_by_what_they_gave(
    acme: Customer, desk: Browser, desk_root: str, form: Mapping[str, str], how: str
) -> None:
    carol = acme.carol
    typed = {"ADDRESS": address_of(carol).upper(), "username": carol.username, "id": carol.id}[how]

    await desk.post(f"{desk_root}/start", {**form, "member": typed})

    assert "You are acting for <strong>Carol</strong> in" in await desk.text(f"{acme.root}/")


async def test_a_member_is_found_whose_address_is_part_of_many_others(
    acme: Customer, desk: Browser, desk_root: str, form: Mapping[str, str], make: Factory, runtime: Runtime
) -> None:
    """Logto's search lists members by their ids. The one who is looked for comes last."""
    address, management = new_address(), make.management
    others = [
        await management.create_user(
            username=f"x{n}_{acme.id}", email=f"x{n}{address}", name="X", password=PASSWORD
        )
        for n in range(21)
    ]
    await management.add_members(acme.id, [user.id for user in others])
    last = max(user.id for user in others)
    await management._transport.call("PATCH", f"/users/{last}", body={"primaryEmail": address})

    await desk.post(f"{desk_root}/start", {**form, "member": address})

    assert [row.member_id for row in await accesses_to(runtime, acme.id)] == [last]


async def test_a_member_is_found_by_the_other_spelling_of_their_address(
    acme: Customer, desk: Browser, desk_root: str, form: Mapping[str, str], make: Factory, runtime: Runtime
) -> None:
    member = await make.person("Ida", domain="bücher.example")
    await make.join(acme.id, member, "viewer")

    await desk.post(f"{desk_root}/start", {**form, "member": f"{member.username}@xn--bcher-kva.example"})

    assert [row.member_id for row in await accesses_to(runtime, acme.id)] == [member.id]


async def test_the_address_of_a_person_elsewhere_finds_nobody(
    desk: Browser, desk_root: str, form: Mapping[str, str], make: Factory
) -> None:
    stranger = await make.person("Stranger")

    for typed in (address_of(stranger), stranger.username):
        await desk.submit(f"{desk_root}/start", {**form, "member": typed}, 422)


@pytest.mark.parametrize("typed", ["carol", "nobody@example.test", "carol_", "%", "../x"])
async def test_a_part_of_an_address_finds_nobody(
    acme: Customer, desk: Browser, desk_root: str, form: Mapping[str, str], typed: str, runtime: Runtime
) -> None:
    page = await desk.submit(f"{desk_root}/start", {**form, "member": typed}, 422)

    assert "has this email address, username or user ID" in page
    assert form["reason"] in page
    assert await accesses_to(runtime, acme.id) == []


async def test_a_person_of_another_organization_is_not_found(
    make: Factory, desk: Browser, desk_root: str, form: Mapping[str, str]
) -> None:
    stranger = await make.person("Stranger")

    await desk.submit(f"{desk_root}/start", {**form, "member": stranger.id}, 422)


@pytest.mark.parametrize("missing", ["member", "ticket", "reason"])
async def test_everything_must_be_entered(
    acme: Customer, desk: Browser, desk_root: str, form: Mapping[str, str], missing: str, runtime: Runtime
) -> None:
    page = await desk.submit(f"{desk_root}/start", {**form, missing: " "}, 422)

    assert f'id="{missing}-error"' in page
    assert await accesses_to(runtime, acme.id) == []


async def test_nobody_acts_for_themselves(
    acme: Customer, desk: Browser, desk_root: str, sam: Person, make: Factory, form: Mapping[str, str]
) -> None:
    await make.join(acme.id, sam, "viewer")

    page = await desk.submit(f"{desk_root}/start", {**form, "member": sam.id}, 422)

    assert "You cannot act for yourself." in page


async def test_changes_cannot_be_asked_for_where_only_viewing_is_allowed(
    acme: Customer, desk: Browser, desk_root: str, form: Mapping[str, str], runtime: Runtime
) -> None:
    assert "What you can do" not in await desk.text(f"{desk_root}/start?organization={acme.id}")

    await desk.submit(f"{desk_root}/start", {**form, "level": "write"}, 422)

    assert await accesses_to(runtime, acme.id) == []


async def test_changes_can_be_asked_for_where_they_are_allowed(
    acme: Customer, desk: Browser, desk_root: str, form: Mapping[str, str], make: Factory, runtime: Runtime
) -> None:
    await allow_support(runtime, acme.id, writes=True)
    editor = await make.member(acme.id, "Eddie", "editor")

    await desk.post(f"{desk_root}/start", {**form, "member": editor.id, "level": "write"})
    await desk.post(f"{acme.root}/projects/new", {"name": "Rover"})

    assert await actions_of(runtime, acme.id) == ["support.start", "project.create"]


async def test_nobody_acts_for_a_colleague_in_the_support_team(
    make: Factory,
    desk: Browser,
    desk_root: str,
    form: Mapping[str, str],
    settings: Settings,
    runtime: Runtime,
) -> None:
    """They would not reach the desk any more, so that they could not end it either."""
    team = settings.support_organization_id
    colleague = await make.member(team, "Pat", SUPPORT)
    await allow_support(runtime, team)
    wanted = {**form, "organization": team, "member": colleague.id}

    await desk.get(f"{desk_root}/start?organization={team}", 404)
    await desk.post(f"{desk_root}/start", wanted, 404)

    assert f"start?organization={team}" not in await desk.text(desk_root)
    assert await accesses_to(runtime, team) == []


@pytest.mark.parametrize("path", ["", "start"])
async def test_an_organization_that_does_not_allow_it_is_not_told_from_one_that_does_not_exist(
    desk: Browser, desk_root: str, make: Factory, form: Mapping[str, str], path: str
) -> None:
    closed = await make.organization("Closed")
    texts = set()
    for organization_id in (closed, "doesnotexist"):
        wanted = {**form, "organization": organization_id}
        page = (
            await desk.submit(f"{desk_root}/start", wanted, 404)
            if path
            else await desk.text(f"{desk_root}/start?organization={organization_id}", 404)
        )
        texts.add(page.partition('<div class="error-page">')[2].partition("</main>")[0])

    assert len(texts) == 1
    assert "This organization does not allow support access" in texts.pop()


async def test_a_sign_in_that_is_not_fresh_is_asked_for_again(
    make: Factory, settings: Settings, open_browser: OpenBrowser, desk_root: str, form: Mapping[str, str]
) -> None:
    agent = await make.member(settings.support_organization_id, "Sue", SUPPORT)
    browser = await open_browser(agent)

    await browser.post(f"{desk_root}/start", form, 401)


async def test_while_logto_is_down_nothing_starts_and_the_form_is_kept(
    faulty: Faulty, make: Factory, settings: Settings, desk_root: str, runtime: Runtime
) -> None:
    acme = faulty.acme
    await allow_support(runtime, acme.id)
    sam = await make.member(settings.support_organization_id, "Sam", SUPPORT)
    browser = await faulty.open_browser()
    await browser.sign_in(sam, FRESH)
    await browser.get(desk_root)
    faulty.gate.fail(Fault(".*", ".*", **DOWN))
    wanted = {"organization": acme.id, "member": acme.admin.id, "ticket": "4711", "reason": "Stuck."}

    page = await browser.submit(f"{desk_root}/start", {**wanted, "level": "read"}, 503)

    assert "Nothing was started." in page
    assert "Stuck." in page
    assert await accesses_to(runtime, acme.id) == []
