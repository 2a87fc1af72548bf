"""Losing access in the middle of inviting, sending or accepting."""

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
from tests.factories import Factory, address_of, new_address
from tests.integration.invitations.conftest import (
    Acme,
    Faulty,
    path_of,
)
from tests.integration.members.conftest import roles_form
from tests.integration.records import actions_of, pending_in


@pytest.fixture
async def second(faulty: Faulty, make: Factory) -> Person:
    """Another admin of Acme."""
    return await make.member(faulty.acme.id, "Zoe", Role.ADMIN)


def addresses() -> list[str]:
    return [new_address() for _ in range(20)]


async def invited_at_logto(acme: Acme) -> set[str]:
    return {invitation.invitee for invitation in await acme.management.list_invitations(acme.id)}


async def test_no_invitation_is_created_after_its_sender_was_demoted(faulty: Faulty, second: Person) -> None:
    there, wanted = await faulty.open_browser(second), addresses()
    made_before: set[str] = set()
    demotion: asyncio.Task[None] | None = None

    async def demote() -> None:
        path = f"{faulty.acme.root}/members/{faulty.acme.admin.id}/roles"
        answer = await there.post(path, roles_form(["admin"], ["viewer"]), None)
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


async def test_a_waiting_change_is_carried_out_between_two_steps_of_a_long_one(
    faulty: Faulty, second: Person, make: Factory
) -> None:
    bob = await make.member(faulty.acme.id, "Bob", Role.VIEWER)
    there, wanted = await faulty.open_browser(second), addresses()
    await there.get(f"{faulty.acme.root}/members/{bob.id}/roles")
    started = asyncio.Event()

    async def tell(path: str) -> None:
        if path == "/api/organization-invitations":
            started.set()

    faulty.gate.before = tell
    form = asyncio.create_task(faulty.acme.invite("\n".join(wanted), "viewer"))
    await asyncio.wait_for(started.wait(), 30)
    path = f"{faulty.acme.root}/members/{bob.id}/roles"
    answer = await there.post(path, roles_form(["viewer"], ["editor"]), None)

    assert answer.status_code == 303
    assert not form.done()
    await form
    assert await invited_at_logto(faulty.acme) == set(wanted)


async def test_no_invitation_is_created_after_its_senders_session_ended(
    faulty: Faulty, runtime: Runtime
) -> None:
    wanted = addresses()

    async def sign_out_at_the_second(path: str) -> None:
        creations = [call for call in faulty.gate.calls if call == "POST /api/organization-invitations"]
        if len(creations) == 2:
            async with runtime.jobs.writing() as db:
                ended = sa.delete(SessionRow).where(SessionRow.subject == faulty.acme.admin.id)
                await db.execute(ended)

    faulty.gate.before = sign_out_at_the_second
    await faulty.acme.invite("\n".join(wanted), "viewer", expect=303)  # to the sign-in

    assert await invited_at_logto(faulty.acme) == set(wanted[:2])


async def test_no_message_is_sent_after_its_sender_lost_access(faulty: Faulty, runtime: Runtime) -> None:
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


async def test_no_invitation_is_created_after_its_sender_was_suspended(
    faulty: Faulty, runtime: Runtime
) -> None:
    wanted = addresses()

    async def suspend(path: str) -> None:
        if path == "/api/organization-invitations":
            await note_change(runtime.work, "*", faulty.acme.admin.id)

    faulty.gate.before = suspend
    page = await faulty.acme.invite("\n".join(wanted), "viewer", expect=409)

    assert await invited_at_logto(faulty.acme) == {wanted[0]}
    assert wanted[1] in page


async def test_an_invitation_is_not_accepted_after_its_address_left_the_account(
    faulty: Faulty, erin: Person, make: Factory, runtime: Runtime
) -> None:
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

    assert await faulty.acme.roles_at_logto(erin) is None
    assert await actions_of(runtime, faulty.acme.id) == ["invitation.create"]


async def test_an_invitation_is_not_accepted_after_the_session_ended(
    faulty: Faulty, erin: Person, runtime: Runtime
) -> None:
    invitation = await faulty.acme.invited(address_of(erin), "admin")
    browser = await faulty.open_browser(erin)

    async def end_session(path: str) -> None:
        if path == f"/api/users/{erin.id}":
            async with runtime.jobs.writing() as db:
                await db.execute(sa.delete(SessionRow).where(SessionRow.subject == erin.id))

    faulty.gate.before = end_session
    answer = await browser.post(f"{path_of(invitation)}/accept")

    assert answer.headers["Location"].startswith("/sign-in?")
    assert await faulty.acme.roles_at_logto(erin) is None
    assert await pending_in(runtime, faulty.acme.id) == []


async def test_an_organization_is_not_created_after_the_session_ended(
    faulty: Faulty, erin: Person, make: Factory, runtime: Runtime
) -> None:
    browser = await faulty.open_browser(erin)

    async def end_session(path: str) -> None:
        if path.endswith("/users"):
            async with runtime.jobs.writing() as db:
                await db.execute(sa.delete(SessionRow).where(SessionRow.subject == erin.id))

    faulty.gate.before = end_session
    answer = await browser.post("/o/new", {"name": f"Org of {erin.username}"})

    assert answer.headers["Location"].startswith("/sign-in?")
    names = [organization.name for organization in await make.management.list_organizations()]
    assert f"Org of {erin.username}" not in names


async def test_a_change_of_another_membership_does_not_stop_the_sender(
    faulty: Faulty, make: Factory, runtime: Runtime
) -> None:
    bob = await make.person("Bob")

    async def change_somebody_else(path: str) -> None:
        if path == "/api/organization-invitations":
            await note_change(runtime.work, faulty.acme.id, bob.id)

    faulty.gate.before = change_somebody_else
    wanted = addresses()
    await faulty.acme.invite("\n".join(wanted), "viewer")
    assert await invited_at_logto(faulty.acme) == set(wanted)
