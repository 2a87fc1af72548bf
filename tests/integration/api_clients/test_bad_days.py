"""API clients while Logto fails midway, or loses its responses."""

from __future__ import annotations

import asyncio

import pytest

from saas_app.models import PendingChange
from saas_app.runtime import Runtime
from tests.clients import text_of
from tests.integration.api_clients.conftest import Programs, new_form, shown
from tests.integration.faulty_logto import DOWN, LOST, Fault, Faulty
from tests.integration.records import actions_of, pending_in

APPLICATIONS = r"/api/applications$"
ADDITION = r"/organizations/[^/]+/applications$"
ROLES = r"/organizations/[^/]+/applications/[^/]+/roles$"
SECRETS = r"/applications/[^/]+/secrets$"
ONE_APPLICATION = r"/api/applications/[^/]+$"
ONE_SECRET = r"/applications/[^/]+/secrets/[^/]+$"
NAME = "Half way"


async def refused(faulty: Faulty, status: int, name: str = NAME) -> str:
    """Send the form and return the page, which must show what was typed."""
    answer = await faulty.acme.browser.post(f"{faulty.acme.clients}/new", new_form(name), expect=status)
    assert ("Retry-After" in answer.headers) is (status == 503)
    page = await text_of(answer)
    assert f'value="{name}"' in page
    assert 'role="alert"' in page
    return page


async def list_created_ids(faulty: Faulty) -> list[str]:
    """Return the ids of the applications created for the organization, whether they are members or not."""
    called = await faulty.acme.management.list_machines_by_name(NAME)
    return [found.id for found in called if found.custom_data["workroom"]["organizationId"] == faulty.acme.id]


async def nothing_is_left(faulty: Faulty, runtime: Runtime) -> None:
    assert await list_created_ids(faulty) == []
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
async def test_a_creation_that_fails_midway_leaves_nothing_behind(
    faulty: Faulty, runtime: Runtime, fault: Fault
) -> None:
    faulty.gate.fail(fault)
    assert "Logto stopped responding, and no API client was created." in await refused(faulty, 503)
    await nothing_is_left(faulty, runtime)
    faulty.gate.fail()
    await faulty.acme.create(NAME)


async def test_a_creation_whose_role_logto_rejects_leaves_nothing_behind(
    faulty: Faulty, runtime: Runtime
) -> None:
    refusal = {"code": "entity.db_constraint_violated", "message": "?"}
    faulty.gate.fail(Fault("POST", ROLES, 422, refusal))
    assert "cannot be assigned here" in await refused(faulty, 422)
    await nothing_is_left(faulty, runtime)


async def test_a_creation_that_fails_at_once_leaves_nothing_behind(faulty: Faulty, runtime: Runtime) -> None:
    faulty.gate.fail(Fault("POST", APPLICATIONS, **DOWN))
    assert "no API client was created" in await refused(faulty, 503)
    await nothing_is_left(faulty, runtime)


async def test_a_limit_of_logtos_plan_is_shown(faulty: Faulty, runtime: Runtime) -> None:
    refusal = {"code": "subscription.limit_exceeded", "message": "Quota exceeded."}
    faulty.gate.fail(Fault("POST", APPLICATIONS, 403, refusal))
    assert "The limit in Logto has been reached." in await refused(faulty, 409)
    await nothing_is_left(faulty, runtime)


async def test_a_client_whose_response_was_lost_is_found_and_completed(
    faulty: Faulty, programs: Programs
) -> None:
    faulty.gate.fail(Fault("POST", APPLICATIONS, **LOST))
    machine = await faulty.acme.create(NAME)
    await (await programs.connect(machine, faulty.acme.id)).call("GET", "/projects")
    created = [call for call in faulty.gate.calls if call == "POST /api/applications"]
    assert len(created) == 1


@pytest.fixture
async def left_over(faulty: Faulty, runtime: Runtime) -> PendingChange:
    """The note of a creation that failed, and could not be undone in Logto."""
    no = {"code": "entity.not_found", "message": "?"}
    faulty.gate.fail(Fault("POST", ROLES, 422, no), Fault("DELETE", ONE_APPLICATION, 422, no))
    assert "may remain" in await refused(faulty, 503)
    faulty.gate.fail()
    (noted,) = await pending_in(runtime, faulty.acme.id)
    return noted


async def test_a_creation_that_cannot_be_undone_stays_pending_and_the_client_is_listed(
    faulty: Faulty, left_over: PendingChange
) -> None:
    assert left_over.entry["action"] == "api-client.create"
    listed = await faulty.acme.browser.text(faulty.acme.clients)
    assert left_over.entry["target"]["id"] in listed
    assert "Added in Logto" in listed


async def test_a_client_that_could_not_be_undone_can_be_removed(
    faulty: Faulty, left_over: PendingChange
) -> None:
    client_id = left_over.entry["target"]["id"]
    await faulty.acme.browser.get(faulty.acme.clients)

    await faulty.acme.browser.post(f"{faulty.acme.clients}/{client_id}/revoke")

    assert client_id not in await faulty.acme.browser.text(faulty.acme.clients)


@pytest.mark.parametrize(("to_finish", "left_open"), [(0.1, 1), (10.0, 0)])
async def test_a_request_that_takes_too_long_leaves_nothing_behind(
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
    assert await list_created_ids(faulty) == []
    assert len(await pending_in(runtime, faulty.acme.id)) == left_open  # no time was left to close it


async def test_when_our_own_database_fails_nothing_is_left_in_logto(
    faulty: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("disk full")

    monkeypatch.setattr("saas_app.api_clients.queries.add_client", fail)
    path = f"{faulty.acme.clients}/new"
    await faulty.acme.browser.post(path, new_form(NAME), expect=500)
    assert await list_created_ids(faulty) == []


async def test_a_new_secret_whose_response_was_lost_is_shown(faulty: Faulty, programs: Programs) -> None:
    machine = await faulty.acme.create()
    faulty.gate.fail(Fault("POST", SECRETS, **LOST))
    rotated = await shown(await faulty.acme.send(f"/{machine.id}/rotate"))
    assert (await programs.ask(rotated, faulty.acme.id))[0] == 200
    assert len(await faulty.acme.management.list_secrets(machine.id)) == 1


async def test_a_rotation_that_does_not_begin_changes_nothing(
    faulty: Faulty, programs: Programs, runtime: Runtime
) -> None:
    machine = await faulty.acme.create()
    faulty.gate.fail(Fault("POST", SECRETS, **DOWN))
    path = f"{faulty.acme.clients}/{machine.id}/rotate"
    answer = await faulty.acme.browser.post(path, expect=503)
    assert "so the secret was not changed. Try again." in await text_of(answer)
    assert (await programs.ask(machine, faulty.acme.id))[0] == 200
    assert await actions_of(runtime, faulty.acme.id) == ["api-client.create"]
    assert await pending_in(runtime, faulty.acme.id) == []


async def test_an_old_secret_that_cannot_be_deleted_is_reported_beside_the_new_one(
    faulty: Faulty, programs: Programs
) -> None:
    machine = await faulty.acme.create()
    path = f"/{machine.id}/rotate"
    faulty.gate.fail(Fault("DELETE", ONE_SECRET, **DOWN))
    answer = await faulty.acme.send(path)
    assert "An old secret still works." in await text_of(answer)
    for credentials in (machine, await shown(answer)):
        assert (await programs.ask(credentials, faulty.acme.id))[0] == 200
    faulty.gate.fail()
    await faulty.acme.send(path)
    assert (await programs.ask(machine, faulty.acme.id))[0] == 401


async def test_a_client_is_refused_while_its_revocation_is_still_open_in_logto(
    faulty: Faulty, programs: Programs, runtime: Runtime
) -> None:
    machine = await faulty.acme.create()
    robot = await programs.connect(machine, faulty.acme.id)
    faulty.gate.fail(Fault("DELETE", ONE_APPLICATION, **DOWN))
    path = f"{faulty.acme.clients}/{machine.id}/revoke"
    answer = await faulty.acme.browser.post(path, expect=503)
    assert answer.headers["Retry-After"]
    await robot.call("GET", "/projects", 401)
    (noted,) = await pending_in(runtime, faulty.acme.id)
    assert (noted.entry["action"], noted.subjects) == ("api-client.revoke", [machine.id])
    faulty.gate.fail()
    await faulty.acme.browser.post(path)
    assert await faulty.acme.management.find_application(machine.id) is None


async def test_while_logto_fails_the_list_answers_503(faulty: Faulty) -> None:
    faulty.gate.fail(Fault("GET", ADDITION, **DOWN))
    answer = await faulty.acme.browser.get(faulty.acme.clients, 503)
    assert answer.headers["Retry-After"]


async def test_a_client_deleted_while_the_list_is_read_is_listed(faulty: Faulty) -> None:
    machine = await faulty.acme.create()
    refusal = {"code": "entity.not_exists_with_id", "message": "?"}
    faulty.gate.fail(Fault("GET", SECRETS, 404, refusal))
    assert machine.id in await faulty.acme.browser.text(faulty.acme.clients)
