"""Clients that disconnect during a change in Logto: the change is finished, counted and recorded."""

from __future__ import annotations

import asyncio
import re
import secrets
from dataclasses import dataclass, field
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa

from saas_app.models import MembershipChange
from saas_app.rbac.permissions import Role
from saas_app.runtime import Runtime
from tests.clients import SAME_ORIGIN, SESSION_COOKIE, URLENCODED, Browser
from tests.factories import Factory
from tests.integration.faulty_logto import Faulty, Gate
from tests.integration.members.conftest import roles_form
from tests.integration.records import actions_of, pending_in
from tests.remote import eventually


@dataclass(slots=True)
class Stop:
    """A pause of a call to Logto until the client has disconnected."""

    gate: Gate
    call: str
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, _path: str) -> None:
        if re.fullmatch(self.call, self.gate.calls[-1]):
            self.reached.set()
            await self.gone.wait()


async def leave_at(stop: Stop, browser: Browser, path: str, form: dict[str, str | list[str]]) -> None:
    """Send a form and close the connection during the call to Logto, which responds a moment later."""
    headers = {
        **SAME_ORIGIN,
        **URLENCODED,
        "Cookie": f"{SESSION_COOKIE}={browser.session_cookie}",
    }
    async with browser.app.request(path, method="POST", headers=headers) as connection:
        await connection.send(urlencode(form, doseq=True).encode())
        await connection.send_complete()
        await asyncio.wait_for(stop.reached.wait(), 20)
        await connection.disconnect()
        asyncio.get_running_loop().call_later(0.1, stop.gone.set)


@pytest.mark.parametrize(
    "call", ["POST /api/organizations", "POST /api/organizations/[^/]+/users", "POST .*/users/[^/]+/roles"]
)
async def test_an_organization_whose_creator_disconnects_has_its_admin(
    faulty: Faulty, make: Factory, call: str
) -> None:
    person, name = await make.person("Pat"), f"Org {secrets.token_hex(4)}"
    browser = await faulty.open_browser(person)
    faulty.gate.before = stop = Stop(faulty.gate, call)
    await leave_at(stop, browser, "/o/new", {"name": name})

    async def is_theirs() -> bool:
        made = [found for found in await make.management.list_organizations() if found.name == name]
        return [await make.management.find_member_roles(found.id, person.id) for found in made] == [{"admin"}]

    await eventually(is_theirs, "the organization has its admin")


async def test_a_change_of_roles_by_an_admin_who_disconnects_is_known_and_recorded(
    faulty: Faulty, make: Factory, runtime: Runtime
) -> None:
    acme = faulty.acme
    person = await make.member(acme.id, "Bob", Role.EDITOR)
    members = f"{acme.root}/members/{person.id}/roles"
    await acme.browser.follow(members)
    faulty.gate.before = stop = Stop(faulty.gate, f"PUT /api/organizations/{acme.id}/users/{person.id}/roles")

    async def version() -> int:
        async with runtime.jobs.reading() as db:
            found = await db.scalar(
                sa.select(MembershipChange.version).where(MembershipChange.subject == person.id)
            )
        return found or 0

    form = roles_form(["editor"], ["viewer"])
    sent = asyncio.create_task(leave_at(stop, acme.browser, members, form))
    await asyncio.wait_for(stop.reached.wait(), 20)
    before = await version()
    await sent

    async def is_closed() -> bool:
        return not await pending_in(runtime, acme.id)

    await eventually(is_closed, "the change is closed")
    assert await acme.roles_at_logto(person) == {"viewer"}
    assert await version() > before
    assert await actions_of(runtime, acme.id) == ["member.change-roles"]
