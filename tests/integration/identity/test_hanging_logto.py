"""A Logto that hangs: all waiting requests share one attempt and its failure, and none queues."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable
from typing import Any

import pytest
from quart import Quart

from saas_app.config import Settings
from saas_app.coordination import heartbeat, shared_attempts
from saas_app.db.base import new_uuid, utc_now
from saas_app.identity import refresh_turns, token_verifier
from saas_app.models import LeaseRow
from tests.conftest import OpenApp, OpenBrowser, OpenOffice, runtime_of
from tests.factories import Factory
from tests.integration.bearer import Mint
from tests.integration.identity.logto_that_hangs import Gate, hanging_logto

TOKEN, KEYS, ME = "/oidc/token", "/oidc/jwks", "/oidc/me"


@pytest.fixture
async def gate(settings: Settings) -> AsyncIterator[Gate]:
    async with hanging_logto(settings.logto_endpoint) as opened:
        yield opened


@pytest.fixture
def open_behind(open_app: OpenApp, gate: Gate) -> OpenApp:
    """``await open_behind(seconds)``: a worker that waits so long for Logto, which is behind the gate."""

    async def open_one(seconds: float = 1.0) -> Quart:
        return await open_app(logto_endpoint=gate.url, logto_timeout=seconds)

    return open_one


async def statuses(*requests: Awaitable[Any]) -> Counter[int]:
    return Counter(response.status_code for response in await asyncio.gather(*requests))


async def test_eight_pages_of_a_session_share_one_attempt_that_hangs(
    make: Factory,
    gate: Gate,
    open_behind: OpenApp,
    open_office: OpenOffice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shared_attempts, "pause_after", lambda took, rest: 60.0)
    office = await open_office(at=await open_behind(), admin="Ada")
    roots = (office.root, f"/o/{await make.organization('Globex', **office.people)}")
    pages = [f"{root}/{page}" for root in roots for page in ("projects", "members")]
    await gate.hang(TOKEN)

    assert await statuses(*(office.browser.app.get(page) for page in pages * 2)) == {503: 8}
    assert gate.asked[TOKEN] == 1

    refused = await office.browser.get(pages[0], 503)  # at once, during the pause before the next attempt
    assert int(refused.headers["Retry-After"]) > 0
    assert gate.asked[TOKEN] == 1


async def test_another_worker_does_not_retry_at_once(
    gate: Gate, open_behind: OpenApp, open_office: OpenOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refresh_turns, "pause_after", lambda took: 60.0)
    first, second = await open_behind(), await open_behind(30)
    office = await open_office(at=first, viewer="Vera")
    page = f"{office.root}/projects"
    await gate.hang(TOKEN)
    here = asyncio.create_task(office.browser.app.get(page))
    await gate.wait_until_asked(TOKEN)

    assert await statuses(office.browser.at(second).app.get(page), here) == {503: 2}

    assert gate.asked[TOKEN] == 1


async def test_once_logto_responds_again_the_next_page_works(
    gate: Gate, open_behind: OpenApp, open_office: OpenOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_attempts, "_LONG", 60.0)
    office = await open_office(at=await open_behind(), viewer="Vera")
    await gate.hang(TOKEN)
    await office.browser.get(f"{office.root}/projects", 503)

    await gate.hang()

    await office.browser.get(f"{office.root}/projects")


async def test_a_client_that_disconnects_does_not_stop_the_refresh(
    gate: Gate, open_behind: OpenApp, open_office: OpenOffice
) -> None:
    office = await open_office(at=await open_behind(30), viewer="Vera")
    page, ask = f"{office.root}/projects", office.browser.app.get
    await gate.hang(TOKEN)
    gone = asyncio.create_task(ask(page))
    await gate.wait_until_asked(TOKEN)

    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)

    waiting = asyncio.create_task(ask(page))
    await gate.hang()
    assert (await waiting).status_code == 200
    assert gate.asked[TOKEN] == 0  # the earlier call was enough


async def test_a_name_that_cannot_be_fetched_does_not_fail_the_page(
    make: Factory, gate: Gate, open_behind: OpenApp, open_browser: OpenBrowser
) -> None:
    app, person = await open_behind(2.0), await make.person()
    browser = await open_browser(person, at=app)
    page = f"/o/{await make.organization('Joined since', viewer=person)}/projects"
    await gate.hang(ME)
    response = await browser.follow(page)
    assert response.status_code == 200


@pytest.mark.parametrize("are_known", [False, True], ids=["no key is known", "other keys are known"])
async def test_twelve_tokens_with_unknown_keys_share_one_attempt_that_hangs(
    make: Factory,
    mint: Mint,
    gate: Gate,
    open_behind: OpenApp,
    monkeypatch: pytest.MonkeyPatch,
    are_known: bool,
) -> None:
    monkeypatch.setattr(token_verifier, "_UNKNOWN_KEY_INTERVAL", 0.0)
    app, organization_id = await open_behind(), await make.organization()
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


async def test_the_refresh_of_a_dead_worker_is_taken_over_soon(
    open_behind: OpenApp, open_office: OpenOffice
) -> None:
    app = await open_behind(30)
    office = await open_office(at=app, viewer="Vera")
    (session_id,) = await runtime_of(app).sessions.list_session_ids(office.person.id)
    async with runtime_of(app).work.writing() as db:
        db.add(LeaseRow(name=f"refresh:{session_id}", owner=new_uuid(), until=utc_now()))
    began = time.monotonic()

    await office.browser.get(f"{office.root}/projects")

    assert heartbeat.LOST_AFTER - 1 < time.monotonic() - began < 15


async def test_a_slow_refresh_keeps_its_claim(
    gate: Gate, open_behind: OpenApp, open_office: OpenOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat, "LOST_AFTER", 1.0)
    monkeypatch.setattr(heartbeat, "_INTERVAL", 0.1)
    first, second = await open_behind(30), await open_behind(30)
    office = await open_office(at=first, viewer="Vera")
    page = f"{office.root}/projects"
    await gate.hang(TOKEN)
    here = asyncio.create_task(office.browser.app.get(page))
    await gate.wait_until_asked(TOKEN)
    elsewhere = asyncio.create_task(office.browser.at(second).app.get(page))
    await asyncio.sleep(2)  # twice as long as a claim lasts without a heartbeat
    assert gate.asked[TOKEN] == 1

    await gate.hang()

    assert (await here).status_code == (await elsewhere).status_code == 200
    assert gate.asked[TOKEN] == 0
