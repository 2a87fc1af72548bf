"""A Logto that carries out a change late. Until then, each request asks Logto what a member may do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest
from quart import Quart

from saas_app.config import Settings
from saas_app.rbac.permissions import Role
from tests.clients import Browser, Person
from tests.conftest import OpenApp, OpenBrowser
from tests.factories import Factory
from tests.integration.bearer import Mint
from tests.integration.identity.logto_that_hangs import Gate, hanging_logto

OUR_LIMIT = 3.0
"""Seconds to wait for Logto: enough for the steps before, also on a busy machine."""


@dataclass
class Removal:
    """A member whom an admin is removing while Logto does not respond."""

    organization_id: str
    member: Person
    admin: Browser
    gate: Gate
    running: asyncio.Task[int] | None = field(default=None)

    @property
    def at_logto(self) -> str:
        return f"/api/organizations/{self.organization_id}/users/{self.member.id}"

    async def begin(self) -> None:
        """Send the removal, and return when the call has reached Logto."""
        await self.gate.hang(self.at_logto)

        async def remove() -> int:
            path = f"/o/{self.organization_id}/members/{self.member.id}/remove"
            return (await self.admin.post(path, expect=None)).status_code

        self.running = asyncio.create_task(remove())
        asked = asyncio.create_task(self.gate.wait_until_asked(self.at_logto))
        await asyncio.wait({self.running, asked}, return_when=asyncio.FIRST_COMPLETED)
        if not asked.done():
            asked.cancel()
            pytest.fail(f"The admin got {await self.running} before Logto was called.")

    async def answer(self) -> int:
        """Wait for the admin's answer and return its status."""
        assert self.running is not None
        return await self.running


Begin = Callable[[float], Awaitable[Removal]]
Ask = Callable[[], Awaitable[int]]


@pytest.fixture
async def begin(
    settings: Settings, make: Factory, open_app: OpenApp, open_browser: OpenBrowser
) -> AsyncIterator[Begin]:
    """``await begin(seconds)``: a removal in progress, on a worker that waits so long for Logto."""
    admin, member = await make.person("Ada"), await make.person("Eve")
    organization_id = await make.organization("Acme", admin=admin, editor=member)
    removals: list[Removal] = []
    async with hanging_logto(settings.logto_endpoint) as gate:

        async def begin_one(seconds: float) -> Removal:
            assert settings.management is not None
            management = settings.management.model_copy(update={"endpoint": gate.url})
            app = await open_app(management=management, logto_timeout=seconds)
            browser = await open_browser(admin, at=app)
            removals.append(Removal(organization_id, member, browser, gate))
            await removals[-1].begin()
            return removals[-1]

        yield begin_one
        await gate.hang()
        for removal in removals:
            await gate.answer(removal.at_logto)
            await removal.answer()


@pytest.fixture(params=["session", "bearer token"])
async def ask(
    request: pytest.FixtureRequest, app: Quart, open_browser: OpenBrowser, mint: Mint
) -> Callable[[Removal], Awaitable[Ask]]:
    """``await (await ask(removal))()``: the status of the member's request to a worker that reaches Logto."""

    async def by_session(removal: Removal) -> Ask:
        browser = await open_browser(removal.member)

        async def get() -> int:
            return (await browser.app.get(f"/o/{removal.organization_id}/projects")).status_code

        return get

    async def by_token(removal: Removal) -> Ask:
        claims = {"sub": removal.member.id, "scope": "projects:read", "iat": int(time.time()) + 5}
        headers = {"Authorization": f"Bearer {mint(removal.organization_id, **claims)}"}

        async def get() -> int:
            path = f"/api/v1/organizations/{removal.organization_id}/projects"
            return (await app.test_client().get(path, headers=headers)).status_code

        return get

    return by_session if request.param == "session" else by_token


async def test_a_removed_member_is_refused_before_logtos_response_arrives(
    begin: Begin, ask: Callable[[Removal], Awaitable[Ask]]
) -> None:
    removal = await begin(30.0)
    request = await ask(removal)
    assert await request() == 200

    await removal.gate.carry_out_without_answering(removal.at_logto)

    assert await request() in (401, 404)


async def test_a_member_removed_after_our_timeout_is_refused_at_the_next_request(
    begin: Begin, ask: Callable[[Removal], Awaitable[Ask]]
) -> None:
    removal = await begin(OUR_LIMIT)
    assert await removal.answer() == 503
    request = await ask(removal)
    assert await request() == 200

    await removal.gate.carry_out_without_answering(removal.at_logto)

    assert await request() in (401, 404)


async def test_a_refusal_during_an_open_change_is_not_cached(
    begin: Begin, ask: Callable[[Removal], Awaitable[Ask]], make: Factory
) -> None:
    """One scenario: the member is refused, and joins again before the first change is closed."""
    removal = await begin(OUR_LIMIT)
    assert await removal.answer() == 503
    request = await ask(removal)
    await removal.gate.carry_out_without_answering(removal.at_logto)
    assert await request() in (401, 404)

    await make.join(removal.organization_id, removal.member, Role.EDITOR)

    assert await request() == 200
