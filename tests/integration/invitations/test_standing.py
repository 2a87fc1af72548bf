"""Inviting, sending and accepting while the right to it is lost, at every point of the way."""

from __future__ import annotations

import asyncio
import re

import pytest
import sqlalchemy as sa

from saas_app.identity.membership_changes import note_change
from saas_app.models import SessionRow
from saas_app.rbac.permissions import Role
from saas_app.runtime import Runtime
from tests.clients import Person
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.invitations.conftest import (
    Acme,
    Faulty,
    actions_of,
    address_of,
    new_address,
    path_of,
)
from tests.integration.members.conftest import pending_in, post, roles_at_logto, roles_form


@pytest.fixture
async def second(faulty: Faulty, make: Factory) -> Person:
    """Another admin of Acme."""
    person = await make.person("Zoe")
    await make.join(faulty.acme.id, person, Role.ADMIN)
    return person


def addresses() -> list[str]:
    return [new_address() for _ in range(20)]


async def invited_at_logto(acme: Acme) -> set[str]:
    return {invitation.invitee for invitation in await acme.management.list_invitations(acme.id)}


async def test_of_twenty_invitations_none_is_made_after_the_sender_was_demoted(
    faulty: Faulty, second: Person
) -> None:
    there, wanted = await faulty.open_browser(second), addresses()
    made_before: set[str] = set()
    demotion: asyncio.Task[None] | None = None

    async def demote() -> None:
        path = f"/o/{faulty.acme.id}/members/{faulty.acme.admin.id}/roles"
        answer = await post(there, path, roles_form(["admin"], ["viewer"]))
        assert answer.status_code == 303
        made_before.update(await invited_at_logto(faulty.acme))

    async def demote_at_the_third(path: str) -> None:
        nonlocal demotion
        creations = [call for call in faulty.gate.calls if call == "POST /api/organization-invitations"]
        if len(creations) == 3 and demotion is None:
            demotion = asyncio.create_task(demote())

    faulty.gate.before = demote_at_the_third
    page = await faulty.acme.invite("\n".join(wanted), "admin", expect=409)

    assert demotion is not None
    await demotion
    made = await invited_at_logto(faulty.acme)
    assert made - made_before == set()
    assert 3 <= len(made) < 20
    assert "Your access to" in page
    for address in wanted:
        stays = re.search(rf"{re.escape(address)}(\n|</textarea>)", page) is not None
        assert stays is (address not in made)


async def test_whoever_waits_for_a_turn_comes_before_the_next_step_of_a_long_change(
    faulty: Faulty, second: Person, make: Factory
) -> None:
    bob = await make.person("Bob")
    await make.join(faulty.acme.id, bob, Role.VIEWER)
    there, wanted = await faulty.open_browser(second), addresses()
    await there.get(f"/o/{faulty.acme.id}/members/{bob.id}/roles")
    started = asyncio.Event()

    async def tell(path: str) -> None:
        if path == "/api/organization-invitations":
            started.set()

    faulty.gate.before = tell
    form = asyncio.create_task(faulty.acme.invite("\n".join(wanted), "viewer"))
    await asyncio.wait_for(started.wait(), 30)
    path = f"/o/{faulty.acme.id}/members/{bob.id}/roles"
    answer = await post(there, path, roles_form(["viewer"], ["editor"]))

    assert answer.status_code == 303
    assert not form.done()
    await form
    assert await invited_at_logto(faulty.acme) == set(wanted)


async def test_a_form_whose_session_was_ended_elsewhere_makes_none_of_the_rest(
    faulty: Faulty, runtime: Runtime
) -> None:
    wanted = addresses()

    async def sign_out_at_the_second(path: str) -> None:
        creations = [call for call in faulty.gate.calls if call == "POST /api/organization-invitations"]
        if len(creations) == 2:
            async with runtime.work.writing() as db:
                ended = sa.delete(SessionRow).where(SessionRow.subject == faulty.acme.admin.id)
                await db.execute(ended)

    faulty.gate.before = sign_out_at_the_second
    await faulty.acme.invite("\n".join(wanted), "viewer", expect=303)  # to the sign-in

    assert await invited_at_logto(faulty.acme) == set(wanted[:2])


async def test_the_message_is_a_step_of_its_own(faulty: Faulty, runtime: Runtime) -> None:
    address = new_address()

    async def change_access_before_the_note(path: str) -> None:
        if path == "/api/organization-invitations":
            await note_change(runtime.work, faulty.acme.id, faulty.acme.admin.id)

    faulty.gate.before = change_access_before_the_note
    page = await faulty.acme.invite(address, "viewer", expect=200)

    assert "Invitation created, but no email was sent. Your access to" in page
    assert not [call for call in faulty.gate.calls if call.endswith("/message")]
    invitation = await faulty.acme.found(address)
    assert path_of(invitation) not in page


async def test_somebody_suspended_everywhere_sends_nothing_more(faulty: Faulty, runtime: Runtime) -> None:
    wanted = addresses()

    async def suspend(path: str) -> None:
        if path == "/api/organization-invitations":
            await note_change(runtime.work, "*", faulty.acme.admin.id)

    faulty.gate.before = suspend
    page = await faulty.acme.invite("\n".join(wanted), "viewer", expect=409)

    assert await invited_at_logto(faulty.acme) == {wanted[0]}
    assert wanted[1] in page


async def test_an_invitation_whose_address_was_given_up_meanwhile_is_not_accepted(
    faulty: Faulty, make: Factory, runtime: Runtime
) -> None:
    erin = await make.person("Erin")
    invitation = await faulty.acme.invited(address_of(erin), "admin")
    browser = await faulty.open_browser(erin)
    reads = 0

    async def give_up_the_address(path: str) -> None:
        nonlocal reads
        reads += path == f"/api/users/{erin.id}"
        if reads == 2:
            await make.management._body("PATCH", f"/users/{erin.id}", {"primaryEmail": new_address()})

    faulty.gate.before = give_up_the_address
    await browser.post(f"{path_of(invitation)}/accept", expect=404)

    assert await roles_at_logto(make.management, faulty.acme.id, erin) is None
    assert await actions_of(runtime, faulty.acme.id) == ["invitation.create"]


async def test_an_acceptance_by_a_session_that_was_ended_meanwhile_is_none(
    faulty: Faulty, make: Factory, runtime: Runtime
) -> None:
    erin = await make.person("Erin")
    invitation = await faulty.acme.invited(address_of(erin), "admin")
    browser = await faulty.open_browser(erin)

    async def end_session(path: str) -> None:
        if path == f"/api/users/{erin.id}":
            async with runtime.work.writing() as db:
                await db.execute(sa.delete(SessionRow).where(SessionRow.subject == erin.id))

    faulty.gate.before = end_session
    answer = await browser.post(f"{path_of(invitation)}/accept")

    assert answer.headers["Location"].startswith("/sign-in?")
    assert await roles_at_logto(make.management, faulty.acme.id, erin) is None
    assert await pending_in(runtime, faulty.acme.id) == []


async def test_an_organization_is_not_given_an_admin_whose_session_was_ended_meanwhile(
    faulty: Faulty, make: Factory, runtime: Runtime
) -> None:
    erin = await make.person("Erin")
    browser = await faulty.open_browser(erin)

    async def end_session(path: str) -> None:
        if path.endswith("/users"):
            async with runtime.work.writing() as db:
                await db.execute(sa.delete(SessionRow).where(SessionRow.subject == erin.id))

    faulty.gate.before = end_session
    answer = await browser.post("/o/new", {"name": f"Org of {erin.username}"})

    assert answer.headers["Location"].startswith("/sign-in?")
    names = [organization.name for organization in await make.management.list_organizations()]
    assert f"Org of {erin.username}" not in names


async def test_whoever_is_not_touched_by_another_change_sends_on(
    faulty: Faulty, make: Factory, runtime: Runtime, open_browser: OpenBrowser
) -> None:
    bob = await make.person("Bob")

    async def change_somebody_else(path: str) -> None:
        if path == "/api/organization-invitations":
            await note_change(runtime.work, faulty.acme.id, bob.id)

    faulty.gate.before = change_somebody_else
    wanted = addresses()
    await faulty.acme.invite("\n".join(wanted), "viewer")
    assert await invited_at_logto(faulty.acme) == set(wanted)
