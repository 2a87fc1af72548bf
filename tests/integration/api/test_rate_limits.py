"""Limits of clients, people and organizations over HTTP, counted in the process and in Redis."""

from __future__ import annotations

import asyncio
import time
import uuid

import pytest
import time_machine
from structlog.testing import capture_logs

from saas_app.config import MEMORY, Settings
from saas_app.limits import redis_counters
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.api.limited import LONG, MakeApp, get, limit_that_ended, person, robot, statuses
from tests.integration.bearer import Mint
from tests.processes import free_port
from tests.redis_server import MISSING, find_redis


async def test_every_answer_states_limits_and_what_is_left(
    make_app: MakeApp, storage: str, make: Factory, mint: Mint
) -> None:
    app = await make_app(storage, client=300, user=600, organization=3000)
    organization_id = await make.organization()
    token = mint(organization_id, **person(), scope="")
    paths = {"/me": 200, f"/organizations/{organization_id}/projects": 403, "/permissions": 200}
    for asked, (path, status) in enumerate(paths.items(), start=1):
        answer = await get(app, token, path)
        assert answer.status_code == status
        policies = '"client";q=300;w=3600, "user";q=600;w=3600, "organization";q=3000;w=3600'
        assert answer.headers["RateLimit-Policy"] == policies
        standings = [item.split(";") for item in answer.headers["RateLimit"].split(", ")]
        assert [item[:2] for item in standings] == [
            ['"client"', f"r={300 - asked}"],
            ['"user"', f"r={600 - asked}"],
            ['"organization"', f"r={3000 - asked}"],
        ]
        assert all(1 <= int(item[2].removeprefix("t=")) <= LONG for item in standings)


async def test_an_api_client_counts_as_a_client_and_not_as_a_person(
    make_app: MakeApp, make: Factory, mint: Mint
) -> None:
    app = await make_app(MEMORY, client=2, user=1)
    answer = await get(app, mint(await make.organization(), **robot()))
    assert answer.headers["RateLimit"].startswith('"client";r=1;')
    assert '"user"' not in answer.headers["RateLimit"]


async def test_who_acts_for_somebody_uses_up_their_own_limit(
    make_app: MakeApp, make: Factory, mint: Mint, settings: Settings
) -> None:
    app = await make_app(MEMORY, user=1)
    carol, agent, organization_id = person(), person()["sub"], await make.organization()
    acting = {"sub": carol["sub"], "client_id": settings.support_app_id, "act": {"sub": agent}}
    await get(app, mint(organization_id, **acting))

    assert (await get(app, mint(organization_id, **carol))).status_code == 200
    assert await limit_that_ended(await get(app, mint(organization_id, **acting))) == "user"


async def test_a_request_over_the_limit_is_told_when_to_retry(
    make_app: MakeApp, storage: str, make: Factory, mint: Mint
) -> None:
    app = await make_app(storage, client=2)
    token = mint(await make.organization(), **robot())
    assert await statuses(*(get(app, token) for _ in range(2))) == {200: 2}

    refused = await get(app, token)

    assert refused.status_code == 429
    assert refused.content_type == "application/problem+json"
    problem = await refused.get_json()
    assert (problem["status"], problem["code"]) == (429, "too-many-requests")
    assert refused.headers["RateLimit-Policy"] == '"client";q=2;w=3600'
    retry_after = int(refused.headers["Retry-After"])
    assert refused.headers["RateLimit"] == f'"client";r=0;t={retry_after}'
    assert 1 <= retry_after <= LONG


@pytest.mark.parametrize("limit", ["client", "user", "organization"])
async def test_of_forty_requests_at_once_exactly_as_many_as_allowed_succeed(
    make_app: MakeApp, storage: str, make: Factory, mint: Mint, limit: str
) -> None:
    app = await make_app(storage, **{limit: 5})
    token = mint(await make.organization(), **person())
    assert await statuses(*(get(app, token) for _ in range(40))) == {200: 5, 429: 35}


async def test_two_workers_with_one_redis_share_a_limit(make_app: MakeApp, make: Factory, mint: Mint) -> None:
    url = find_redis()
    if url is None:
        pytest.skip(MISSING)
    workers = [await make_app(url, client=5) for _ in range(2)]
    token = mint(await make.organization(), **robot())
    assert await statuses(*(get(app, token) for app in workers * 20)) == {200: 5, 429: 35}


async def test_after_the_reset_requests_succeed_again(
    make_app: MakeApp, storage: str, make: Factory, mint: Mint
) -> None:
    app = await make_app(storage, client=1)
    token = mint(await make.organization(), **robot(), exp=int(time.time()) + 3 * LONG)
    await get(app, token)
    reset = int((await get(app, token)).headers["Retry-After"])
    with time_machine.travel(time.time() + reset - 2, tick=False):
        assert (await get(app, token)).status_code == 429
    with time_machine.travel(time.time() + reset, tick=False):
        answer = await get(app, token)
        assert answer.status_code == 200
        assert answer.headers["RateLimit"].startswith('"client";r=0;')


async def test_all_clients_of_a_person_share_the_persons_limit(
    make_app: MakeApp, storage: str, make: Factory, mint: Mint
) -> None:
    app = await make_app(storage, client=2, user=3)
    organization_id, somebody = await make.organization(), person()
    first, second = (mint(organization_id, **{**somebody, "client_id": name}) for name in ("one", "two"))
    assert [(await get(app, token)).status_code for token in (first, first, second)] == [200, 200, 200]
    assert await limit_that_ended(await get(app, first)) == "client"
    assert await limit_that_ended(await get(app, second)) == "user"


async def test_people_who_use_the_same_client_do_not_share_a_limit(
    make_app: MakeApp, make: Factory, mint: Mint
) -> None:
    app = await make_app(MEMORY, client=1)
    organization_id = await make.organization()
    tokens = [mint(organization_id, **person("command-line")) for _ in range(3)]
    assert await statuses(*(get(app, token) for token in tokens)) == {200: 3}


async def test_an_organization_over_its_limit_does_not_affect_others(
    make_app: MakeApp, storage: str, make: Factory, mint: Mint
) -> None:
    app = await make_app(storage, organization=3)
    busy, calm = await make.organization("Busy"), await make.organization("Calm")
    assert await statuses(*(get(app, mint(busy, **robot())) for _ in range(10))) == {200: 3, 429: 7}
    path = f"/organizations/{busy}/projects"
    assert await limit_that_ended(await get(app, mint(busy, **robot()), path)) == "organization"
    assert await statuses(*(get(app, mint(calm, **robot())) for _ in range(3))) == {200: 3}


async def test_a_client_over_its_limit_does_not_use_up_its_organizations_limit(
    make_app: MakeApp, storage: str, make: Factory, mint: Mint
) -> None:
    app = await make_app(storage, client=2, organization=4)
    organization_id = await make.organization()
    wild, calm = mint(organization_id, **robot()), mint(organization_id, **robot())
    assert await statuses(*(get(app, wild) for _ in range(20))) == {200: 2, 429: 18}
    assert await statuses(*(get(app, calm) for _ in range(2))) == {200: 2}


async def test_a_token_for_another_organization_counts_for_its_client_alone(
    make_app: MakeApp, make: Factory, mint: Mint
) -> None:
    app = await make_app(MEMORY, client=2, organization=1)
    acme, globex = await make.organization("Acme"), await make.organization("Globex")
    token, path = mint(acme, **robot()), f"/organizations/{globex}/projects"
    assert [(await get(app, token, path)).status_code for _ in range(3)] == [404, 404, 429]
    assert (await get(app, mint(globex, **robot()), path)).status_code == 200


async def test_a_replayed_or_a_bulk_request_counts_once(make_app: MakeApp, make: Factory, mint: Mint) -> None:
    app = await make_app(MEMORY, client=10)
    organization_id = await make.organization()
    token, projects = mint(organization_id, **robot()), f"/api/v1/organizations/{organization_id}/projects"
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "once"}
    client = app.test_client()
    for remaining in (9, 8):
        made = await client.post(projects, json={"name": "One"}, headers=headers)
        assert made.status_code == 201
        assert made.headers["RateLimit"].startswith(f'"client";r={remaining};')
    assert made.headers["Idempotency-Replayed"] == "true"
    tasks = {"items": [{"title": f"Task {number}"} for number in range(100)]}
    path = f"{projects}/{(await made.get_json())['id']}/tasks/bulk"
    bulk = await client.post(path, json=tasks, headers={"Authorization": f"Bearer {token}"})
    assert bulk.status_code == 201
    assert bulk.headers["RateLimit"].startswith('"client";r=7;')


async def test_each_session_counts_as_a_client_of_its_person(
    make_app: MakeApp, storage: str, make: Factory, open_browser: OpenBrowser
) -> None:
    app, person = await make_app(storage, client=2, user=3), await make.person()
    path = f"/api/v1/organizations/{await make.organization('Acme', viewer=person)}/projects"
    desk, phone = [await open_browser(person, at=app) for _ in range(2)]

    policies = (await desk.get(path)).headers["RateLimit-Policy"].split(", ")
    assert [policy.split(";")[0] for policy in policies] == ['"client"', '"user"', '"organization"']
    await desk.get(path)
    assert await limit_that_ended(await desk.get(path, 429)) == "client"
    await phone.get("/api/v1/me")
    assert await limit_that_ended(await phone.get("/api/v1/me", 429)) == "user"


async def test_pages_are_not_counted(make_app: MakeApp, make: Factory, open_browser: OpenBrowser) -> None:
    app, person = await make_app(MEMORY, client=2, user=3), await make.person()
    projects = f"/o/{await make.organization('Acme', viewer=person)}/projects"
    browser = await open_browser(person, at=app)
    for _ in range(4):
        assert "RateLimit" not in (await browser.get(projects)).headers
    await browser.get("/api/v1/me")


async def test_a_session_that_tries_many_organizations_reaches_its_limit(
    make_app: MakeApp, make: Factory, open_browser: OpenBrowser
) -> None:
    browser = await open_browser(await make.person(), at=await make_app(MEMORY, client=3))
    for status in (404, 404, 404, 429):
        await browser.get(f"/api/v1/organizations/{uuid.uuid4().hex[:12]}/projects", status)


async def test_without_redis_each_worker_counts_by_itself(
    make_app: MakeApp, make: Factory, mint: Mint
) -> None:
    app = await make_app(f"redis://127.0.0.1:{free_port()}/0", client=3)
    token = mint(await make.organization(), **robot())
    with capture_logs() as logs:
        assert await statuses(*(get(app, token) for _ in range(10))) == {200: 3, 429: 7}
    assert len([line for line in logs if "counted by this worker" in line["event"]]) == 1


async def test_a_redis_that_hangs_delays_only_the_first_request(
    make_app: MakeApp, make: Factory, mint: Mint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_counters, "_PATIENCE", patience := 1.5)
    connections: list[asyncio.StreamWriter] = []

    async def never_answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)

    server = await asyncio.start_server(never_answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    token = mint(await make.organization(), **robot())
    try:
        app = await make_app(f"redis://127.0.0.1:{port}/0", client=10)
        times = []
        for _ in range(3):
            began = time.perf_counter()
            assert (await get(app, token)).status_code == 200
            times.append(time.perf_counter() - began)
        assert connections
        assert patience <= times[0] < 5
        assert max(times[1:]) < patience
    finally:
        for writer in connections:
            writer.close()
        server.close()
        await server.wait_closed()
