"""Creating an organization: completely or not at all. Reconciling finishes what a crash interrupted."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

import pytest
import sqlalchemy as sa

from saas_app.changes.organization_change import Systems
from saas_app.config import Settings
from saas_app.errors import LogtoUnavailable, SignInRequired
from saas_app.identity.principal import Principal, SessionPrincipal
from saas_app.logto import ManagementClient, ManagementError, OrganizationInfo
from saas_app.logto.provider_clock import ProviderClock
from saas_app.models import EVERYONE, MembershipChange, Organization, OrganizationRemoval, SessionRow
from saas_app.operations.reconciliation.service import Reconciler
from saas_app.organizations.changes.creation import create_organization
from saas_app.organizations.values import Details
from saas_app.runtime import Runtime
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.killed import run_until_killed
from tests.integration.reconciling import repairs_of
from tests.integration.records import events_of, pending_in

ALICE = Principal("alice", name="Alice")


@dataclass(slots=True)
class Recorder:
    """A fake of the Management API that records the calls, and fails at one of them."""

    fails_at: str = ""
    failure: BaseException | None = None
    id: str = field(default_factory=lambda: f"org{secrets.token_hex(6)}")
    calls: list[tuple[str, ...]] = field(default_factory=list)
    clock: ProviderClock = field(default_factory=ProviderClock)
    before_assigning: Any = None

    def _note(self, *call: str) -> None:
        self.calls.append(call)
        if call[0] == self.fails_at and self.failure is not None:
            raise self.failure

    async def create_organization(
        self, name: str, description: str | None, *, custom_data: dict[str, Any]
    ) -> OrganizationInfo:
        self._note("create", name, description or "-")
        return OrganizationInfo(id=self.id, name=name, description=description, custom_data=custom_data)

    async def add_members(self, organization_id: str, user_ids: list[str]) -> None:
        self._note("add", organization_id, *user_ids)
        if self.before_assigning is not None:
            await self.before_assigning()

    async def assign_roles(self, organization_id: str, user_id: str, role_names: list[str]) -> None:
        self._note("assign", organization_id, user_id, *role_names)

    async def delete_organization(self, organization_id: str) -> None:
        self._note("delete", organization_id)


async def create(runtime: Runtime, recorder: Recorder, principal: Principal = ALICE) -> str:
    systems = Systems(runtime.work, cast("ManagementClient", recorder), runtime.change_limits)
    return (await create_organization(systems, principal, Details("Acme", ""))).id


async def test_the_creator_of_an_organization_becomes_its_admin(runtime: Runtime) -> None:
    recorder = Recorder()
    assert await create(runtime, recorder) == recorder.id
    (event,) = await events_of(runtime, recorder.id)
    assert (event.action, event.actor_id, event.target_name) == ("organization.create", "alice", "Acme")
    assert event.after == {"name": "Acme", "description": ""}
    assert recorder.calls == [
        ("create", "Acme", "-"),
        ("add", recorder.id, "alice"),
        ("assign", recorder.id, "alice", "admin"),
    ]


async def test_a_new_organization_is_known_here_before_the_page_is_sent(
    runtime: Runtime,
) -> None:
    recorder = Recorder()
    await create(runtime, recorder)
    listed = await runtime.directory.list_organizations([recorder.id])
    assert {key: found.name for key, found in listed.items()} == {recorder.id: "Acme"}
    assert await pending_in(runtime, recorder.id) == []
    async with runtime.jobs.writing() as db:
        changed = await db.get(MembershipChange, (recorder.id, "alice"))
    assert changed is not None


async def test_a_creation_is_noted_before_its_creator_becomes_an_admin(runtime: Runtime) -> None:
    noted = []

    async def look() -> None:
        noted.extend(await pending_in(runtime, recorder.id))

    recorder = Recorder(before_assigning=look)
    await create(runtime, recorder)
    assert [(note.entry["action"], note.subjects) for note in noted] == [("organization.create", ["alice"])]


@pytest.mark.parametrize("step", ["add", "assign"])
@pytest.mark.parametrize("failure", [ManagementError(422, "entity.x", "no"), LogtoUnavailable("away")])
async def test_an_organization_whose_creation_fails_midway_is_deleted(
    runtime: Runtime, step: str, failure: Exception
) -> None:
    recorder = Recorder(step, failure)
    with pytest.raises(LogtoUnavailable):
        await create(runtime, recorder)
    assert recorder.calls[-1] == ("delete", recorder.id)
    async with runtime.jobs.writing() as db:
        assert await db.get(OrganizationRemoval, recorder.id) is not None


async def test_an_organization_is_deleted_if_the_request_is_canceled_midway(runtime: Runtime) -> None:
    recorder = Recorder("assign", asyncio.CancelledError())
    with pytest.raises(asyncio.CancelledError):
        await create(runtime, recorder)
    assert recorder.calls[-1] == ("delete", recorder.id)


async def test_an_organization_whose_creation_cannot_be_recorded_is_deleted(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("disk full")

    recorder = Recorder()
    monkeypatch.setattr("saas_app.changes.organization_change.record", fail)
    with pytest.raises(OSError, match="full"):
        await create(runtime, recorder)
    assert recorder.calls[-1] == ("delete", recorder.id)


async def test_nothing_is_deleted_if_nothing_was_created(runtime: Runtime) -> None:
    recorder = Recorder("create", LogtoUnavailable("away"))
    with pytest.raises(LogtoUnavailable):
        await create(runtime, recorder)
    assert recorder.calls == [("create", "Acme", "-")]


async def session_of(runtime: Runtime, make: Factory, open_browser: OpenBrowser) -> SessionPrincipal:
    person = await make.person()
    await open_browser(person)
    async with runtime.jobs.reading() as db:
        session_id = await db.scalar(sa.select(SessionRow.id).where(SessionRow.subject == person.id))
    assert session_id is not None
    return SessionPrincipal(person.id, session_id=session_id, name="Sid")


async def test_nobody_creates_an_organization_after_their_session_ended(
    runtime: Runtime, make: Factory, open_browser: OpenBrowser
) -> None:
    principal, recorder = await session_of(runtime, make, open_browser), Recorder()
    await runtime.sessions.end_all(principal.subject)
    with pytest.raises(SignInRequired):
        await create(runtime, recorder, principal)
    assert recorder.calls == []


async def test_nobody_becomes_an_admin_after_their_session_ended(
    runtime: Runtime, make: Factory, open_browser: OpenBrowser
) -> None:
    principal = await session_of(runtime, make, open_browser)

    async def sign_out_everywhere() -> None:
        await runtime.sessions.end_all(principal.subject)

    recorder = Recorder(before_assigning=sign_out_everywhere)
    with pytest.raises(SignInRequired):
        await create(runtime, recorder, principal)
    assert [call[0] for call in recorder.calls] == ["create", "add", "delete"]


_CREATE_AND_DIE = """
import asyncio, os, signal, sys
from saas_app.changes.organization_change import Systems
from saas_app.config import Settings, load_management_settings
from saas_app.db.engine import create_engine
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.identity.principal import Principal
from saas_app.limits.changes import ChangeLimits
from saas_app.limits.requests import ProcessCounters
from saas_app.logto import ManagementClient, connect
from saas_app.organizations.changes.creation import create_organization
from saas_app.organizations.values import Details

async def main(database_url, user_id, name, last):
    settings = Settings(encryption_keys=(), logto_app_id="app", logto_app_secret="secret")
    limits = ChangeLimits(settings, ProcessCounters())
    call = getattr(ManagementClient, last)

    async def call_and_die(*arguments, **named):
        await call(*arguments, **named)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(ManagementClient, last, call_and_die)
    async with connect(load_management_settings()) as client:
        systems = Systems(UnitOfWork(create_engine(database_url)), client, limits)
        await create_organization(systems, Principal(user_id, name="Ada"), Details(name))

asyncio.run(main(*sys.argv[1:]))
"""


async def called(make: Factory, name: str) -> list[OrganizationInfo]:
    return [found for found in await make.management.list_organizations() if found.name == name]


@pytest.fixture
def without_minimum_age(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let reconciling treat what a crash left as old."""
    monkeypatch.setattr("saas_app.operations.reconciliation.service.LEFT_OVER_AFTER", timedelta(0))


async def test_reconciling_leaves_an_interrupted_creation_alone_while_it_is_new(
    make: Factory, settings: Settings, reconciler: Reconciler
) -> None:
    person, name = await make.person("Ada"), f"Cut off {secrets.token_hex(4)}"
    await run_until_killed(settings, _CREATE_AND_DIE, person.id, name, "add_members")
    (left,) = await called(make, name)

    assert not any("interrupted" in what for what in await repairs_of(reconciler, left.id))

    assert await called(make, name) == [left]


@pytest.mark.usefixtures("without_minimum_age")
@pytest.mark.parametrize("last_call", ["create_organization", "add_members"])
async def test_reconciling_deletes_an_organization_whose_creation_a_crash_interrupted(
    make: Factory, runtime: Runtime, settings: Settings, reconciler: Reconciler, last_call: str
) -> None:
    person, name = await make.person("Ada"), f"Cut off {secrets.token_hex(4)}"
    await run_until_killed(settings, _CREATE_AND_DIE, person.id, name, last_call)
    (left,) = await called(make, name)

    repairs = await repairs_of(reconciler, left.id)

    assert any("was interrupted, so it was deleted" in what for what in repairs)
    assert await called(make, name) == []
    assert await pending_in(runtime, left.id) == []
    async with runtime.jobs.writing() as db:
        assert await db.get(Organization, left.id) is None
        changed = await db.get(MembershipChange, (left.id, EVERYONE))
    assert changed is not None


@pytest.mark.usefixtures("without_minimum_age")
async def test_reconciling_finishes_a_creation_that_a_crash_interrupted_after_its_last_call(
    make: Factory, runtime: Runtime, settings: Settings, reconciler: Reconciler
) -> None:
    person, name = await make.person("Ada"), f"Cut off {secrets.token_hex(4)}"
    await run_until_killed(settings, _CREATE_AND_DIE, person.id, name, "assign_roles")
    (made,) = await called(make, name)

    await repairs_of(reconciler, made.id)

    assert await make.management.find_member_roles(made.id, person.id) == {"admin"}
    assert await pending_in(runtime, made.id) == []
    events = await events_of(runtime, made.id)
    (event,) = [event for event in events if event.action != "organization.reconcile"]
    assert (event.action, event.actor_id) == ("organization.create", person.id)
    assert event.after is not None
    assert event.after["recovered"] is True


@pytest.mark.usefixtures("without_minimum_age")
async def test_reconciling_keeps_an_organization_that_its_creator_has_left(
    make: Factory, runtime: Runtime, reconciler: Reconciler
) -> None:
    """It has no members, like an interrupted creation, but its audit log records the creation."""
    person = await make.person("Ada")
    systems = Systems(runtime.work, make.management, runtime.change_limits)
    made = await create_organization(systems, Principal(person.id, name="Ada"), Details("Empty"))
    await make.management.remove_member(made.id, person.id)

    await repairs_of(reconciler, made.id)

    assert (await make.management.get_organization(made.id)).name == "Empty"


@pytest.mark.usefixtures("without_minimum_age")
async def test_reconciling_keeps_an_empty_organization_that_was_created_elsewhere(
    make: Factory, reconciler: Reconciler
) -> None:
    made = await make.management.create_organization("Elsewhere", custom_data={"workroom": "something"})

    await repairs_of(reconciler, made.id)

    assert (await make.management.get_organization(made.id)).name == "Elsewhere"
