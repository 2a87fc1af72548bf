"""A Logto that hangs: one attempt for all who wait, its failure for all of them, and nobody queues."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from quart import Quart

from saas_app.app import create_app
from saas_app.config import Settings
from saas_app.coordination import heartbeat, shared_attempts
from saas_app.db.base import new_uuid, utc_now
from saas_app.identity import refresh_turns, token_verifier
from saas_app.models import LeaseRow
from saas_app.runtime import Runtime
from tests.clients import Browser, Person
from tests.factories import Factory
from tests.integration.api.conftest import Mint, mint, signing_key
from tests.integration.identity.logto_that_hangs import Gate, hanging_logto

__all__ = ["mint", "signing_key"]

TOKEN, KEYS, ME = "/oidc/token", "/oidc/jwks", "/oidc/me"
OpenApp = Callable[..., Awaitable[Quart]]


@pytest.fixture
async def gate(settings: Settings) -> AsyncIterator[Gate]:
    async with hanging_logto(settings.logto_endpoint) as opened:
        yield opened


@pytest.fixture
async def open_app(settings: Settings, gate: Gate) -> AsyncIterator[OpenApp]:
    """``await open_app(seconds)``: a worker whose Logto is behind the gate, and may take so long."""
    async with contextlib.AsyncExitStack() as stack:

        async def open_one(seconds: float = 1.0) -> Quart:
            app = create_app(
                settings.model_copy(update={"logto_endpoint": gate.url, "logto_timeout": seconds})
            )
            await stack.enter_async_context(app.test_app())
            return app

        yield open_one


def services(app: Quart) -> Runtime:
    found: Runtime = app.extensions["workroom"]
    return found


async def statuses(*requests: Awaitable[Any]) -> Counter[int]:
    return Counter(response.status_code for response in await asyncio.gather(*requests))


@contextlib.asynccontextmanager
async def signed_in(app: Quart, settings: Settings, person: Person) -> AsyncIterator[Browser]:
    async with Browser(app, settings.redirect_uri) as browser:
        await browser.sign_in(person)
        yield browser


async def test_eight_pages_of_a_session_share_an_attempt_that_hangs(
    make: Factory, settings: Settings, gate: Gate, open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_attempts, "pause_after", lambda took, rest: 60.0)
    app, person = await open_app(), await make.person()
    organizations = [await make.organization(name, admin=person) for name in ("Acme", "Globex")]
    pages = [f"/o/{item}/{page}" for item in organizations for page in ("projects", "members")]
    async with signed_in(app, settings, person) as browser:
        await gate.hang(TOKEN)

        assert await statuses(*(browser.app.get(page) for page in pages * 2)) == {503: 8}
        assert gate.asked[TOKEN] == 1

        refused = await browser.get(pages[0], 503)  # nobody is kept waiting while Logto is left alone
        assert int(refused.headers["Retry-After"]) > 0
        assert gate.asked[TOKEN] == 1


async def test_another_worker_does_not_try_again_at_once(
    make: Factory, settings: Settings, gate: Gate, open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refresh_turns, "pause_after", lambda took: 60.0)
    first, second, person = await open_app(), await open_app(30), await make.person()
    page = f"/o/{await make.organization('Acme', viewer=person)}/projects"
    async with signed_in(first, settings, person) as browser:
        there = second.test_client()
        there.cookie_jar = browser.app.cookie_jar
        await gate.hang(TOKEN)
        here = asyncio.create_task(browser.app.get(page))
        await gate.wait_until_asked(TOKEN)

        assert await statuses(there.get(page), here) == {503: 2}

        assert gate.asked[TOKEN] == 1


async def test_when_logto_answers_again_the_next_page_works(
    make: Factory, settings: Settings, gate: Gate, open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_attempts, "_LONG", 60.0)
    app, person = await open_app(), await make.person()
    page = f"/o/{await make.organization('Acme', viewer=person)}/projects"
    async with signed_in(app, settings, person) as browser:
        await gate.hang(TOKEN)
        await browser.get(page, 503)
        await gate.hang()
        await browser.get(page)


async def test_whoever_goes_away_takes_no_refresh_along(
    make: Factory, settings: Settings, gate: Gate, open_app: OpenApp
) -> None:
    app, person = await open_app(30), await make.person()
    page = f"/o/{await make.organization('Acme', viewer=person)}/projects"
    async with signed_in(app, settings, person) as browser:
        await gate.hang(TOKEN)
        gone = asyncio.create_task(browser.app.get(page))
        await gate.wait_until_asked(TOKEN)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        waiting = asyncio.create_task(browser.app.get(page))
        await gate.hang()

        assert (await waiting).status_code == 200
        assert gate.asked[TOKEN] == 0  # what had been asked before was enough


async def test_a_name_that_does_not_come_keeps_nobody_waiting_beyond_the_limit(
    make: Factory, settings: Settings, gate: Gate, open_app: OpenApp
) -> None:
    app, person = await open_app(2.0), await make.person()
    async with signed_in(app, settings, person) as browser:
        page = f"/o/{await make.organization('Joined since', viewer=person)}/projects"
        await gate.hang(ME)
        response = await browser.follow(page)
        assert response.status_code == 200


@pytest.mark.parametrize("are_known", [False, True], ids=["no key is known", "other keys are known"])
async def test_twelve_tokens_with_unknown_keys_share_an_attempt_that_hangs(
    make: Factory,
    mint: Mint,
    gate: Gate,
    open_app: OpenApp,
    monkeypatch: pytest.MonkeyPatch,
    are_known: bool,
) -> None:
    monkeypatch.setattr(token_verifier, "_UNKNOWN_KEY_INTERVAL", 0.0)
    app, organization_id = await open_app(), await make.organization()
    projects = f"/api/v1/organizations/{organization_id}/projects"

    def ask(token: str) -> Awaitable[Any]:
        return app.test_client().get(projects, headers={"Authorization": f"Bearer {token}"})

    if are_known:
        assert (await ask(mint(organization_id))).status_code == 200
    await gate.hang(KEYS)
    tokens = [mint(organization_id, header={"kid": uuid.uuid4().hex}) for _ in range(12)]

    assert await statuses(*map(ask, tokens)) == {503: 12}
    assert gate.asked[KEYS] == 1
    if are_known:
        assert (await ask(mint(organization_id, sub="another"))).status_code == 200


async def test_a_worker_that_died_while_it_refreshed_holds_nobody_up_for_long(
    make: Factory, settings: Settings, open_app: OpenApp
) -> None:
    app, person = await open_app(30), await make.person()
    page = f"/o/{await make.organization('Acme', viewer=person)}/projects"
    async with signed_in(app, settings, person) as browser:
        (session_id,) = await services(app).sessions.list_session_ids(person.id)
        async with services(app).work.writing() as db:
            db.add(LeaseRow(name=f"refresh:{session_id}", owner=new_uuid(), until=utc_now()))
        began = time.monotonic()
        await browser.get(page)
    assert heartbeat.LOST_AFTER - 1 < time.monotonic() - began < 15


async def test_a_slow_refresh_keeps_its_claim(
    make: Factory, settings: Settings, gate: Gate, open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat, "LOST_AFTER", 1.0)
    monkeypatch.setattr(heartbeat, "_INTERVAL", 0.1)
    first, second, person = await open_app(30), await open_app(30), await make.person()
    page = f"/o/{await make.organization('Acme', viewer=person)}/projects"
    async with signed_in(first, settings, person) as browser:
        there = second.test_client()
        there.cookie_jar = browser.app.cookie_jar
        await gate.hang(TOKEN)
        here = asyncio.create_task(browser.app.get(page))
        await gate.wait_until_asked(TOKEN)
        elsewhere = asyncio.create_task(there.get(page))
        await asyncio.sleep(2)  # twice as long as a claim lasts by itself
        assert gate.asked[TOKEN] == 1
        await gate.hang()
        assert (await here).status_code == (await elsewhere).status_code == 200
        assert gate.asked[TOKEN] == 0
