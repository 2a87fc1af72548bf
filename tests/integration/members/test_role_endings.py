"""The job that takes roles away at Logto when they end: completely, once, and also after what goes wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from unittest.mock import AsyncMock, patch

import pytest
from quart import Quart
from structlog.testing import capture_logs

from saas_app import signals
from saas_app.audit.recorder import Action
from saas_app.changes.organization_change import Systems
from saas_app.members import role_endings
from saas_app.members.role_endings import RoleEndWorker
from saas_app.rbac.permissions import Carrier, Permission, Role
from saas_app.runtime import Runtime
from tests.clients import Person
from tests.conftest import OpenApp, OpenBrowser, runtime_of
from tests.factories import Factory
from tests.integration.bearer import PersonClient
from tests.integration.ending import FUTURE, PAST, ends_of, set_end
from tests.integration.faulty_logto import DOWN, LOST, Fault, Gate
from tests.integration.members.conftest import Acme
from tests.integration.records import changes_of, pending_in
from tests.remote import eventually

RUNNING = RoleEndWorker.running  # the fixture `stopped_job` replaces it
ENDING = Role.EDITOR
REMOVAL = Fault("DELETE", "/roles/", **DOWN)
LOST_REMOVAL = Fault("DELETE", "/roles/", **LOST)


def worker_of(runtime: Runtime) -> RoleEndWorker:
    """Return a worker that takes roles away when a test says so."""
    assert runtime.management
    return RoleEndWorker(Systems(runtime.work, runtime.management, None), runtime.jobs, interval=0.05)


@pytest.fixture
def worker(runtime: Runtime) -> RoleEndWorker:
    """A worker at a Logto that works."""
    return worker_of(runtime)


@pytest.fixture
def faulty_worker(faulty_app: Quart) -> RoleEndWorker:
    """A worker whose Logto fails as ``gate`` says."""
    return worker_of(runtime_of(faulty_app))


@pytest.fixture
def at_once() -> Iterator[None]:
    """Retry at once what failed."""
    with patch.object(role_endings._Pause, "after", lambda last: role_endings._Pause(0, 0)):
        yield


@pytest.fixture
def results() -> Iterator[list[str]]:
    """What the job reported to operators."""
    found: list[str] = []

    def receive(_sender: object, result: str, late: float) -> None:
        assert late >= 0
        found.append(result)

    with signals.role_ended.connected_to(receive):
        yield found


@pytest.fixture(autouse=True)
async def nothing_left(worker: RoleEndWorker) -> None:
    """Take away what other tests let end in the database that they share."""
    await worker.end_due()


@pytest.fixture
async def tess(acme: Acme, make: Factory, runtime: Runtime, nothing_left: None) -> Person:
    """A viewer whose second role has just ended."""
    person = await make.member(acme.id, "Tess", ENDING, Role.VIEWER)
    await set_end(runtime, acme.id, person, ENDING, PAST)
    return person


async def test_only_the_role_that_ended_is_taken_away(
    acme: Acme, tess: Person, worker: RoleEndWorker, runtime: Runtime, results: list[str]
) -> None:
    await worker.end_due()

    assert await acme.roles_at_logto(tess) == {Role.VIEWER}
    assert await ends_of(runtime, acme.id, tess) == {}
    assert results == ["taken away"]


async def test_the_audit_log_says_which_role_ended_and_when(
    acme: Acme, tess: Person, worker: RoleEndWorker, runtime: Runtime
) -> None:
    ends_at = (await ends_of(runtime, acme.id, tess))[ENDING]

    await worker.end_due()

    (event,) = await changes_of(runtime, acme.id)
    assert (event.action, event.actor_id, event.target_id) == (Action.MEMBER_END_ROLE, "system", tess.id)
    assert event.before == {"roles": [ENDING, Role.VIEWER]}
    assert event.after == {
        "roles": [Role.VIEWER],
        "role": ENDING,
        "ends_at": ends_at.isoformat(timespec="seconds"),
    }
    page = await acme.browser.text(f"{acme.root}/audit")
    assert f"ended the <em>{ENDING}" in page.replace("\u2068", "")


async def test_the_person_is_told_once(
    acme: Acme, tess: Person, worker: RoleEndWorker, open_browser: OpenBrowser
) -> None:
    await worker.end_due()
    await worker.end_due()

    page = await (await open_browser(tess)).text("/notifications")

    assert page.count("has ended.") == 1


async def test_a_role_that_has_not_ended_stays(
    acme: Acme, tess: Person, worker: RoleEndWorker, runtime: Runtime
) -> None:
    await set_end(runtime, acme.id, tess, ENDING, FUTURE)

    await worker.end_due()

    assert await acme.roles_at_logto(tess) == {ENDING, Role.VIEWER}
    assert ENDING in await ends_of(runtime, acme.id, tess)


async def test_a_role_that_was_extended_after_the_search_stays(
    acme: Acme, tess: Person, worker: RoleEndWorker, runtime: Runtime, results: list[str]
) -> None:
    due = await worker._list_due()
    await set_end(runtime, acme.id, tess, ENDING, FUTURE)

    with patch.object(worker, "_list_due", AsyncMock(return_value=due)):
        await worker.end_due()

    assert await acme.roles_at_logto(tess) == {ENDING, Role.VIEWER}
    assert results == ["moved"]


async def test_an_application_takes_away_when_it_starts_what_ended_before(
    acme: Acme, tess: Person, open_app: OpenApp, runtime: Runtime
) -> None:
    """As after a restart, or when the job had stopped."""
    with patch.object(RoleEndWorker, "running", RUNNING):
        await open_app()

        async def is_gone() -> bool:
            return await ends_of(runtime, acme.id, tess) == {}

        await eventually(is_gone, "the role is taken away")

    assert await acme.roles_at_logto(tess) == {Role.VIEWER}


async def test_of_several_workers_one_takes_a_role_away(
    acme: Acme, tess: Person, runtime: Runtime, open_app: OpenApp, results: list[str]
) -> None:
    others = [worker_of(runtime_of(await open_app())) for _ in range(2)]

    await asyncio.gather(worker_of(runtime).end_due(), *(other.end_due() for other in others))

    assert results == ["taken away"]
    assert [event.action for event in await changes_of(runtime, acme.id)] == [Action.MEMBER_END_ROLE]


async def test_while_logto_is_down_the_end_stays_and_nobody_gets_more(
    acme: Acme, tess: Person, faulty_worker: RoleEndWorker, gate: Gate, runtime: Runtime, results: list[str]
) -> None:
    gate.fail(REMOVAL)

    with capture_logs() as logs:
        await faulty_worker.end_due()

    assert ENDING in await ends_of(runtime, acme.id, tess)
    assert results == ["failed"]
    assert [line["event"] for line in logs if line["log_level"] == "warning"]


@pytest.mark.usefixtures("at_once")
async def test_when_logto_is_back_the_role_is_taken_away(
    acme: Acme, tess: Person, faulty_worker: RoleEndWorker, gate: Gate, runtime: Runtime
) -> None:
    gate.fail(REMOVAL)
    await faulty_worker.end_due()
    gate.fail()

    await faulty_worker.end_due()

    assert await acme.roles_at_logto(tess) == {Role.VIEWER}
    assert await ends_of(runtime, acme.id, tess) == {}
    assert await pending_in(runtime, acme.id) == []
    assert [event.action for event in await changes_of(runtime, acme.id)] == [Action.MEMBER_END_ROLE]


async def test_a_role_that_cannot_be_taken_away_waits_for_longer_each_time(
    tess: Person, faulty_worker: RoleEndWorker, gate: Gate, results: list[str]
) -> None:
    gate.fail(REMOVAL)
    await faulty_worker.end_due()

    await faulty_worker.end_due()

    first = role_endings._Pause.after(None)
    pauses = [first, role_endings._Pause.after(first)]
    assert results == ["failed"]
    assert [pause.seconds for pause in pauses] == [5, 10]


async def test_a_role_that_cannot_be_taken_away_keeps_no_other(
    acme: Acme,
    tess: Person,
    faulty_worker: RoleEndWorker,
    gate: Gate,
    make: Factory,
    runtime: Runtime,
) -> None:
    later = await make.member(acme.id, "Later", ENDING)
    await set_end(runtime, acme.id, later, ENDING, timedelta())
    gate.fail(Fault("DELETE", f"/users/{tess.id}/roles/", **DOWN))

    await faulty_worker.end_due()

    assert await acme.roles_at_logto(tess) == {ENDING, Role.VIEWER}
    assert await acme.roles_at_logto(later) == set()


@pytest.mark.usefixtures("at_once")
async def test_a_removal_whose_result_was_lost_is_recorded_later(
    acme: Acme, tess: Person, faulty_worker: RoleEndWorker, gate: Gate, runtime: Runtime, results: list[str]
) -> None:
    """As after a crash between the call to Logto and the transaction that records it."""
    gate.fail(LOST_REMOVAL)
    await faulty_worker.end_due()
    assert await acme.roles_at_logto(tess) == {Role.VIEWER}
    assert await changes_of(runtime, acme.id) == []

    await faulty_worker.end_due()

    assert results == ["failed", "taken away"]
    assert [event.action for event in await changes_of(runtime, acme.id)] == [Action.MEMBER_END_ROLE]
    assert await pending_in(runtime, acme.id) == []
    assert await ends_of(runtime, acme.id, tess) == {}


async def test_a_role_that_was_taken_away_elsewhere_only_loses_its_end(
    acme: Acme, tess: Person, worker: RoleEndWorker, make: Factory, runtime: Runtime, results: list[str]
) -> None:
    await make.give_roles(acme.id, tess, Role.VIEWER)

    await worker.end_due()

    assert results == ["gone"]
    assert await ends_of(runtime, acme.id, tess) == {}
    assert await changes_of(runtime, acme.id) == []


async def test_a_token_from_before_it_was_taken_away_elsewhere_is_worth_no_more_without_the_end(
    acme: Acme, tess: Person, worker: RoleEndWorker, make: Factory, as_person: PersonClient
) -> None:
    program = await as_person(tess, acme.id)
    await make.give_roles(acme.id, tess, Role.VIEWER)

    await worker.end_due()

    await program.call("POST", "/projects", 401, json={"name": "Rover"})


@pytest.mark.usefixtures("at_once")
async def test_a_role_that_has_ended_is_not_revived_by_another_name(
    acme: Acme,
    worker: RoleEndWorker,
    make: Factory,
    runtime: Runtime,
    as_person: PersonClient,
    results: list[str],
) -> None:
    """Otherwise its end would be deleted, and a role that nobody knows would keep its permissions."""
    role = await make.role(f"helper {acme.id}", Permission.MEMBERS_READ)
    hugo = await make.member(acme.id, "Hugo", role)
    await set_end(runtime, acme.id, hugo, role, PAST)
    await make.rename_role(role, f"{role} renamed")

    await worker.end_due()

    assert results == ["failed"]
    program = await as_person(hugo, acme.id, Carrier.ORGANIZATION_TOKEN)
    await program.call("GET", "/members", 403)
    await make.give_roles(acme.id, hugo)
    await worker.end_due()  # leaves nothing for other tests


async def test_the_end_of_a_role_of_a_former_member_is_deleted(
    acme: Acme, tess: Person, worker: RoleEndWorker, runtime: Runtime, results: list[str]
) -> None:
    await acme.management.remove_member(acme.id, tess.id)

    await worker.end_due()

    assert results == ["gone"]
    assert await ends_of(runtime, acme.id, tess) == {}


async def test_the_ends_of_a_deleted_organization_are_deleted(
    acme: Acme, tess: Person, worker: RoleEndWorker, runtime: Runtime, results: list[str]
) -> None:
    await acme.management.delete_organization(acme.id)

    await worker.end_due()

    assert results == ["gone"]
    assert await ends_of(runtime, acme.id, tess) == {}


async def test_a_role_given_again_in_logto_still_ends(
    acme: Acme, tess: Person, worker: RoleEndWorker, make: Factory
) -> None:
    await make.give_roles(acme.id, tess, Role.VIEWER)
    await make.give_roles(acme.id, tess, ENDING, Role.VIEWER)

    await worker.end_due()

    assert await acme.roles_at_logto(tess) == {Role.VIEWER}


async def test_tokens_from_before_are_fetched_again_when_the_role_was_taken_away(
    acme: Acme, tess: Person, worker: RoleEndWorker, open_browser: OpenBrowser
) -> None:
    browser = await open_browser(tess)
    await browser.follow(f"{acme.root}/projects")

    await worker.end_due()

    await browser.follow(f"{acme.root}/projects")
    refused = await browser.follow(f"{acme.root}/projects/new")
    assert refused.status_code == 403
