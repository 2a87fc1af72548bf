"""A Logto that fails half way, and one whose answers are lost: a real server stands in between."""

from __future__ import annotations

import asyncio

import pytest

from saas_app.runtime import Runtime
from tests.integration.api_clients.conftest import Fault, Faulty, Programs, create, root_of, send, shown
from tests.integration.invitations.conftest import actions_of
from tests.integration.members.conftest import pending_in, text_of

APPLICATIONS = r"/api/applications$"
ADDITION = r"/organizations/[^/]+/applications$"
ROLES = r"/organizations/[^/]+/applications/[^/]+/roles$"
SECRETS = r"/applications/[^/]+/secrets$"
ONE_APPLICATION = r"/api/applications/[^/]+$"
ONE_SECRET = r"/applications/[^/]+/secrets/[^/]+$"
DOWN = {"status": 500, "body": {"message": "Internal server error."}}
LOST = {**DOWN, "after": True}
NAME = "Half way"


async def refused(faulty: Faulty, status: int, name: str = NAME) -> str:
    """Send the form, which stays as it was typed."""
    path = f"{root_of(faulty.acme.id)}/new"
    answer = await faulty.acme.browser.post(path, {"name": name}, expect=status)
    assert ("Retry-After" in answer.headers) is (status == 503)
    page = await text_of(answer)
    assert f'value="{name}"' in page
    assert 'role="alert"' in page
    return page


async def made_here(faulty: Faulty) -> list[str]:
    """The ids of the applications that were made for the organization, whether they belong to it or not."""
    called = await faulty.acme.management.list_machines_called(NAME)
    return [found.id for found in called if found.custom_data["workroom"]["organizationId"] == faulty.acme.id]


async def nothing_is_left(faulty: Faulty, runtime: Runtime) -> None:
    assert await made_here(faulty) == []
    assert await actions_of(runtime, faulty.acme.id) == []
    assert await pending_in(runtime, faulty.acme.id) == []


@pytest.mark.parametrize(
    "fault",
    [
        Fault("POST", ADDITION, **DOWN),
        Fault("POST", ADDITION, **LOST),
        Fault("POST", ROLES, **DOWN),
        Fault("POST", ROLES, **LOST),
        Fault("GET", SECRETS, **DOWN),
    ],
)
async def test_a_creation_that_fails_half_way_leaves_nothing(
    faulty: Faulty, runtime: Runtime, fault: Fault
) -> None:
    faulty.gate.fail(fault)
    assert "Logto stopped responding, and no API client was created." in await refused(faulty, 503)
    await nothing_is_left(faulty, runtime)
    faulty.gate.fail()
    await create(faulty.acme.browser, faulty.acme.id, NAME)


async def test_a_role_that_logto_refuses_leaves_nothing(faulty: Faulty, runtime: Runtime) -> None:
    refusal = {"code": "entity.db_constraint_violated", "message": "?"}
    faulty.gate.fail(Fault("POST", ROLES, 422, refusal))
    assert "cannot be assigned here" in await refused(faulty, 422)
    await nothing_is_left(faulty, runtime)


async def test_an_application_that_is_not_made_is_told(faulty: Faulty, runtime: Runtime) -> None:
    faulty.gate.fail(Fault("POST", APPLICATIONS, **DOWN))
    assert "no API client was created" in await refused(faulty, 503)
    await nothing_is_left(faulty, runtime)


async def test_a_plan_that_allows_no_more_is_told(faulty: Faulty, runtime: Runtime) -> None:
    refusal = {"code": "subscription.limit_exceeded", "message": "Quota exceeded."}
    faulty.gate.fail(Fault("POST", APPLICATIONS, 403, refusal))
    assert "The limit in Logto has been reached." in await refused(faulty, 409)
    await nothing_is_left(faulty, runtime)


async def test_an_application_whose_answer_is_lost_is_found_and_made_ready(
    faulty: Faulty, programs: Programs
) -> None:
    faulty.gate.fail(Fault("POST", APPLICATIONS, **LOST))
    machine = await create(faulty.acme.browser, faulty.acme.id, NAME)
    await (await programs.connect(machine, faulty.acme.id)).call("GET", "/projects")
    created = [call for call in faulty.gate.calls if call == "POST /api/applications"]
    assert len(created) == 1


async def test_what_cannot_be_taken_back_is_told_and_noted_and_can_be_removed(
    faulty: Faulty, runtime: Runtime
) -> None:
    no = {"code": "entity.not_found", "message": "?"}
    faulty.gate.fail(Fault("POST", ROLES, 422, no), Fault("DELETE", ONE_APPLICATION, 422, no))
    assert "may remain" in await refused(faulty, 503)
    (noted,) = await pending_in(runtime, faulty.acme.id)
    assert noted.entry["action"] == "api-client.create"
    faulty.gate.fail()
    client_id = noted.entry["target"]["id"]
    browser, root = faulty.acme.browser, root_of(faulty.acme.id)
    listed = await text_of(await browser.get(root))
    assert client_id in listed
    assert "Added in Logto" in listed
    await browser.post(f"{root}/{client_id}/revoke")
    assert client_id not in await text_of(await browser.get(root))


@pytest.mark.parametrize(("to_finish", "left_open"), [(0.1, 1), (10.0, 0)])
async def test_a_request_that_takes_too_long_leaves_nothing(
    faulty: Faulty, runtime: Runtime, monkeypatch: pytest.MonkeyPatch, to_finish: float, left_open: int
) -> None:
    monkeypatch.setattr("saas_app.changes.organization_change._SECONDS_FOR_A_TURN", 2.0)
    monkeypatch.setattr("saas_app.changes.organization_change._SECONDS_TO_FINISH", to_finish)
    gone = asyncio.Event()

    async def hang(path: str) -> None:
        if path.endswith("/roles") and "/applications/" in path:
            await gone.wait()

    faulty.gate.before = hang
    page = await refused(faulty, 503)
    gone.set()
    assert "took too long to respond" in page
    assert await made_here(faulty) == []
    assert len(await pending_in(runtime, faulty.acme.id)) == left_open  # where nobody waited to close it


async def test_when_our_own_database_fails_nothing_is_left_in_logto(
    faulty: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("disk full")

    monkeypatch.setattr("saas_app.api_clients.queries.add_client", fail)
    path = f"{root_of(faulty.acme.id)}/new"
    await faulty.acme.browser.post(path, {"name": NAME}, expect=500)
    assert await made_here(faulty) == []


async def test_a_new_secret_whose_answer_is_lost_is_shown(faulty: Faulty, programs: Programs) -> None:
    machine = await create(faulty.acme.browser, faulty.acme.id)
    faulty.gate.fail(Fault("POST", SECRETS, **LOST))
    path = f"{root_of(faulty.acme.id)}/{machine.id}/rotate"
    rotated = await shown(await send(faulty.acme.browser, path))
    assert (await programs.ask(rotated, faulty.acme.id))[0] == 200
    assert len(await faulty.acme.management.list_secrets(machine.id)) == 1


async def test_a_rotation_that_does_not_begin_changes_nothing(
    faulty: Faulty, programs: Programs, runtime: Runtime
) -> None:
    machine = await create(faulty.acme.browser, faulty.acme.id)
    faulty.gate.fail(Fault("POST", SECRETS, **DOWN))
    path = f"{root_of(faulty.acme.id)}/{machine.id}/rotate"
    answer = await faulty.acme.browser.post(path, expect=503)
    assert "so the secret was not changed. Try again." in await text_of(answer)
    assert (await programs.ask(machine, faulty.acme.id))[0] == 200
    assert await actions_of(runtime, faulty.acme.id) == ["api-client.create"]
    assert await pending_in(runtime, faulty.acme.id) == []


async def test_an_old_secret_that_stays_is_told_beside_the_new_one(
    faulty: Faulty, programs: Programs
) -> None:
    machine = await create(faulty.acme.browser, faulty.acme.id)
    path = f"{root_of(faulty.acme.id)}/{machine.id}/rotate"
    faulty.gate.fail(Fault("DELETE", ONE_SECRET, **DOWN))
    answer = await send(faulty.acme.browser, path)
    assert "An old secret still works." in await text_of(answer)
    for credentials in (machine, await shown(answer)):
        assert (await programs.ask(credentials, faulty.acme.id))[0] == 200
    faulty.gate.fail()
    await send(faulty.acme.browser, path)
    assert (await programs.ask(machine, faulty.acme.id))[0] == 401


async def test_while_logto_does_not_answer_a_revoked_client_is_refused_already(
    faulty: Faulty, programs: Programs, runtime: Runtime
) -> None:
    machine = await create(faulty.acme.browser, faulty.acme.id)
    robot = await programs.connect(machine, faulty.acme.id)
    faulty.gate.fail(Fault("DELETE", ONE_APPLICATION, **DOWN))
    path = f"{root_of(faulty.acme.id)}/{machine.id}/revoke"
    answer = await faulty.acme.browser.post(path, expect=503)
    assert answer.headers["Retry-After"]
    await robot.call("GET", "/projects", 401)
    (noted,) = await pending_in(runtime, faulty.acme.id)
    assert (noted.entry["action"], noted.subjects) == ("api-client.revoke", [machine.id])
    faulty.gate.fail()
    await faulty.acme.browser.post(path)
    assert await faulty.acme.management.find_application(machine.id) is None


async def test_the_list_says_that_logto_does_not_answer(faulty: Faulty) -> None:
    faulty.gate.fail(Fault("GET", ADDITION, **DOWN))
    answer = await faulty.acme.browser.get(root_of(faulty.acme.id), 503)
    assert answer.headers["Retry-After"]


async def test_a_client_deleted_while_the_list_is_read_is_no_failure(faulty: Faulty) -> None:
    machine = await create(faulty.acme.browser, faulty.acme.id)
    refusal = {"code": "entity.not_exists_with_id", "message": "?"}
    faulty.gate.fail(Fault("GET", SECRETS, 404, refusal))
    assert machine.id in await text_of(await faulty.acme.browser.get(root_of(faulty.acme.id)))
