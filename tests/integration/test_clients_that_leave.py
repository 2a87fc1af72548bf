"""Clients that leave while a change is made in Logto: it is finished, counted and known."""

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
from tests.clients import SAME_ORIGIN, Browser
from tests.factories import Factory
from tests.integration.invitations.conftest import Faulty, Gate, actions_of, faulty, gate
from tests.integration.members.conftest import pending_in, roles_at_logto, roles_form
from tests.remote import eventually

__all__ = ["faulty", "gate"]


@dataclass(slots=True)
class Stop:
    """Holds up a call of Logto until it is let go."""

    gate: Gate
    call: str
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, _path: str) -> None:
        if re.fullmatch(self.call, self.gate.calls[-1]):
            self.reached.set()
            await self.gone.wait()


async def leave_at(stop: Stop, browser: Browser, path: str, form: dict[str, str | list[str]]) -> None:
    """Send a form, and close the connection while Logto is asked; Logto answers a moment later."""
    headers = {
        **SAME_ORIGIN,
        "Content-Type": "application/x-www-form-urlencoded",
        "Cookie": "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.app.cookie_jar or ()),
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
async def test_an_organization_whose_creator_leaves_is_theirs_and_counts(
    faulty: Faulty, make: Factory, call: str
) -> None:
    person, name = await make.person("Pat"), f"Org {secrets.token_hex(4)}"
    browser = await faulty.open_browser(person)
    faulty.gate.before = stop = Stop(faulty.gate, call)
    await leave_at(stop, browser, "/o/new", {"name": name})

    async def is_theirs() -> bool:
        made = [found for found in await make.management.list_organizations() if found.name == name]
        return [await roles_at_logto(make.management, found.id, person) for found in made] == [{"admin"}]

    await eventually(is_theirs, "the organization has its admin")


async def test_a_role_taken_away_by_somebody_who_leaves_is_known_and_recorded(
    faulty: Faulty, make: Factory, runtime: Runtime
) -> None:
    person, acme = await make.person("Bob"), faulty.acme
    await make.join(acme.id, person, Role.EDITOR)
    members = f"/o/{acme.id}/members/{person.id}/roles"
    await acme.browser.follow(members)
    faulty.gate.before = stop = Stop(faulty.gate, f"PUT /api/organizations/{acme.id}/users/{person.id}/roles")

    async def version() -> int:
        async with runtime.work.reading() as db:
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
    assert await roles_at_logto(make.management, acme.id, person) == {"viewer"}
    assert await version() > before
    assert await actions_of(runtime, acme.id) == ["member.change-roles"]
