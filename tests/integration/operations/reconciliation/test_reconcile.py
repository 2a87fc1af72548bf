"""Reconciling finds and reports what was missed, and leaves everything else alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from saas_app.audit.recorder import Action, Actor, AuditEntry, Target
from saas_app.changes.organization_change import Systems
from saas_app.config import Settings
from saas_app.db.base import utc_now
from saas_app.db.engine import create_engine
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.errors import ConfigurationError, LogtoUnavailable, NotFound
from saas_app.identity.directory import Directory
from saas_app.identity.principal import Principal
from saas_app.identity.standing import Newcomer
from saas_app.models import Organization, OrganizationRemoval, PendingChange, User
from saas_app.operations.reconciliation.logto_state import require_own_application
from saas_app.operations.reconciliation.service import Reconciler
from saas_app.rbac.permissions import Role
from saas_app.runtime import Runtime
from saas_app.text.branding import Branding
from tests.conftest import OpenOffice
from tests.databases import migrated_database
from tests.factories import Factory
from tests.integration.killed import run_until_killed
from tests.integration.reconciling import reconciler_of, repairs_of
from tests.integration.records import changes_of
from tests.offices import Office


@pytest.fixture
async def office(open_office: OpenOffice) -> Office:
    """An organization with an editor."""
    return await open_office(editor="Sam")


async def interrupted(
    runtime: Runtime,
    office: Office,
    entry: AuditEntry,
    failure: BaseException,
    call: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Make a change of Ada's fail after its call to Logto, and let an hour pass."""

    async def call_and_fail() -> None:
        if call is not None:
            await call()
        raise failure

    systems = Systems(runtime.work, office.management, runtime.change_limits)
    ada = Newcomer(office.id, Principal("ada", name="Ada"))
    with pytest.raises(type(failure)):
        async with systems.by(ada).alone() as turn:
            await turn.carry_out(entry, call_and_fail, subjects=[entry.target.id])
    await age_open_changes(runtime, office.id)


async def age_open_changes(runtime: Runtime, organization_id: str) -> None:
    """Make the notes of open changes look an hour old."""
    async with runtime.work.writing(organization_id) as db:
        await db.execute(
            sa.update(PendingChange)
            .values(started_at=utc_now() - timedelta(hours=1))
            .execution_options(synchronize_session=False)
        )


def entry_of(action: Action, subject: str, name: str, *roles: str) -> AuditEntry:
    """Return the audit entry of a change by Ada, with the roles before and after the change."""
    kind = "api client" if action is Action.API_CLIENT_REVOKE else "member"
    before, after = ({"roles": [role]} for role in roles) if roles else (None, None)
    return AuditEntry(Actor("ada", "Ada"), action, Target(kind, subject, name), before=before, after=after)


async def test_a_role_changed_in_logto_console_is_noticed_once_and_takes_effect(
    open_office: OpenOffice, make: Factory, runtime: Runtime, reconciler: Reconciler
) -> None:
    office = await open_office(editor="Sam", viewer="Vera")
    page = f"{office.root}/projects/new"
    await office.browsers["editor"].get(page)
    await office.browsers["viewer"].get(f"{office.root}/projects")
    await repairs_of(reconciler, office.id)  # stores names that were not known yet
    assert await repairs_of(reconciler, office.id) == []
    await make.give_roles(office.id, office.person, Role.VIEWER)
    await office.browser.get(page)  # Logto sends no webhook: the cached token still answers

    assert await repairs_of(reconciler, office.id) == [f"refreshed at the next request: {office.person.id}"]

    await office.browser.get(page, 403)
    assert await repairs_of(reconciler, office.id) == []
    (event,) = [e for e in await changes_of(runtime, office.id) if e.action == Action.RECONCILE]
    assert (event.actor_id, event.after) == ("system", {"members": [office.person.id]})


async def test_a_removed_member_whose_webhook_was_lost_is_refused(
    office: Office, reconciler: Reconciler
) -> None:
    await office.browser.get(f"{office.root}/projects")
    await office.management.remove_member(office.id, office.person.id)

    assert f"refreshed at the next request: {office.person.id}" in await repairs_of(reconciler, office.id)

    await office.browser.get(f"{office.root}/projects", 404)
    assert await repairs_of(reconciler, office.id) == []


async def test_a_logo_and_a_color_that_changed_in_logto_are_updated(
    make: Factory, runtime: Runtime, reconciler: Reconciler
) -> None:
    organization_id = await make.organization("Branded")
    name = (await make.management.get_organization(organization_id)).name
    await repairs_of(reconciler, organization_id)
    await make.management.update_organization(organization_id, color={"primaryColor": "#3651c4"})

    assert await repairs_of(reconciler, organization_id) == [f"logo and color of '{name}'"]

    listed = await runtime.directory.list_organizations([organization_id])
    assert listed[organization_id].branding == Branding(color="#3651c4")
    assert await repairs_of(reconciler, organization_id) == []


async def test_names_that_changed_in_logto_are_updated(
    make: Factory, runtime: Runtime, reconciler: Reconciler
) -> None:
    person = await make.person("Mia")
    organization_id = await make.organization("Before", viewer=person)
    await repairs_of(reconciler, organization_id)
    await make.management.update_organization(organization_id, name="Afterwards")
    await make.management._transport.call("PATCH", f"/users/{person.id}", body={"name": "Mia Two"})

    repairs = await repairs_of(reconciler, organization_id)

    assert repairs == ["renamed to 'Afterwards'", "1 names or email addresses"]
    async with runtime.jobs.reading() as db:
        assert await db.scalar(sa.select(Organization.name).where(Organization.id == organization_id)) == (
            "Afterwards"
        )
        assert await db.scalar(sa.select(User.name).where(User.id == person.id)) == "Mia Two"


async def test_every_page_of_members_is_read(
    make: Factory, reconciler: Reconciler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("saas_app.logto.paging.PAGE_SIZE", 2)
    people = [await make.person(f"P{number}") for number in range(5)]
    organization_id = await make.organization("Acme")
    for person in people:
        await make.join(organization_id, person, Role.VIEWER)

    assert "5 names or email addresses" in await repairs_of(reconciler, organization_id)


async def test_a_deletion_whose_webhook_was_lost_is_carried_out(
    office: Office, runtime: Runtime, reconciler: Reconciler
) -> None:
    await office.browser.post(f"{office.root}/projects/new", {"name": "Left behind", "description": ""})
    await office.management.delete_organization(office.id)

    (repair,) = await repairs_of(reconciler, office.id)

    assert "was deleted in Logto" in repair
    await office.browser.get(f"{office.root}/projects", 404)
    async with runtime.jobs.writing() as db:
        removal = await db.get(OrganizationRemoval, office.id)
    assert removal is not None
    assert removal.finished_at is not None
    assert removal.removed["projects"] == 1


async def test_an_unknown_organization_is_not_found(reconciler: Reconciler) -> None:
    with pytest.raises(NotFound):
        await repairs_of(reconciler, "doesnotexist")


async def test_a_logto_without_our_application_is_rejected(make: Factory, settings: Settings) -> None:
    await require_own_application(make.management, settings.logto_app_id)
    for app_id in ("", "unknown"):
        with pytest.raises(ConfigurationError):
            await require_own_application(make.management, app_id)


class Killed(BaseException):
    """An end of the process, which no error handler catches."""


async def test_the_database_of_another_logto_is_not_changed(make: Factory, tmp_path: Path) -> None:
    await make.organization("Acme", admin=await make.person())
    with migrated_database(tmp_path) as database:
        engine = create_engine(database.jobs_url)
        work = UnitOfWork(engine)
        await Directory(work).remember_organizations([{"id": "elsewhere1"}, {"id": "elsewhere2"}])

        with pytest.raises(ConfigurationError, match="none of the 2 organizations"):
            _ = [repair async for repair in reconciler_of(work, make).run()]

        async with work.writing() as db:
            assert list(await db.scalars(sa.select(OrganizationRemoval))) == []
        await engine.dispose()


@pytest.fixture
async def half_demoted(office: Office, make: Factory, runtime: Runtime) -> Office:
    """An office in which a crash followed Logto's response to a demotion, before it was recorded."""

    async def demote() -> None:
        await make.give_roles(office.id, office.person, Role.VIEWER)

    await office.browser.get(f"{office.root}/projects/new")
    entry = entry_of(Action.MEMBER_CHANGE_ROLES, office.person.id, office.person.username, "editor", "viewer")
    await interrupted(runtime, office, entry, Killed(), demote)
    return office


async def test_a_change_that_a_crash_interrupted_takes_effect_and_is_not_recorded_yet(
    half_demoted: Office, runtime: Runtime
) -> None:
    # The note made before the call has marked the token as stale.
    await half_demoted.browser.get(f"{half_demoted.root}/projects/new", 403)
    assert await changes_of(runtime, half_demoted.id) == []


async def test_reconciling_records_a_change_that_a_crash_interrupted(
    half_demoted: Office, runtime: Runtime, reconciler: Reconciler
) -> None:
    person = half_demoted.person

    repairs = await repairs_of(reconciler, half_demoted.id)

    assert any(what.startswith(f"member.change-roles of {person.username}") for what in repairs)
    (event,) = await changes_of(runtime, half_demoted.id)
    assert (event.actor_name, event.action) == ("Ada", "member.change-roles")
    assert event.before == {"roles": ["editor"]}
    assert event.after == {
        "members": {person.id: ["viewer"]},
        "recovered": True,
        "wanted": {"roles": ["viewer"]},
    }
    await age_open_changes(runtime, half_demoted.id)
    assert await repairs_of(reconciler, half_demoted.id) == []


async def test_reconciling_leaves_a_change_alone_that_may_still_be_going_on(
    half_demoted: Office, runtime: Runtime, reconciler: Reconciler
) -> None:
    async with runtime.work.writing(half_demoted.id) as db:
        now = sa.update(PendingChange).values(started_at=utc_now())
        await db.execute(now.execution_options(synchronize_session=False))

    assert not any("interrupted" in what for what in await repairs_of(reconciler, half_demoted.id))


async def test_a_change_that_a_crash_prevented_is_recorded_with_the_old_roles(
    office: Office, runtime: Runtime, reconciler: Reconciler
) -> None:
    entry = entry_of(Action.MEMBER_CHANGE_ROLES, office.person.id, office.person.username, "editor", "viewer")
    await interrupted(runtime, office, entry, Killed())

    await repairs_of(reconciler, office.id)

    (event,) = await changes_of(runtime, office.id)
    assert event.after is not None
    assert event.after["members"] == {office.person.id: ["editor"]}


async def test_a_removal_whose_response_was_lost_is_recorded(
    office: Office, runtime: Runtime, reconciler: Reconciler
) -> None:
    async def remove() -> None:
        await office.management.remove_member(office.id, office.person.id)

    entry = entry_of(Action.MEMBER_REMOVE, office.person.id, office.person.username)
    await interrupted(runtime, office, entry, LogtoUnavailable("Logto did not answer."), remove)

    await repairs_of(reconciler, office.id)

    (event,) = await changes_of(runtime, office.id)
    assert event.after is not None
    assert event.after["members"] == {office.person.id: None}


@pytest.mark.parametrize("is_done", [True, False])
async def test_a_revocation_whose_response_was_lost_is_recorded_with_its_outcome(
    office: Office, make: Factory, runtime: Runtime, reconciler: Reconciler, is_done: bool
) -> None:
    machine = await make.machine(office.id)

    async def revoke() -> None:
        if is_done:
            await make.management.delete_application(machine.id)

    entry = entry_of(Action.API_CLIENT_REVOKE, machine.id, "Robot")
    await interrupted(runtime, office, entry, LogtoUnavailable("Logto did not answer."), revoke)

    await repairs_of(reconciler, office.id)

    (event,) = await changes_of(runtime, office.id)
    assert event.after is not None
    assert event.after["belongs_to_the_organization"] is not is_done


_CHANGE_AND_DIE = """
import asyncio, os, signal, sys
from saas_app.audit.recorder import Action, Actor, AuditEntry, Target
from saas_app.changes.organization_change import Systems
from saas_app.limits.changes import ChangeLimits
from saas_app.config import Settings, load_management_settings
from saas_app.identity.principal import Principal
from saas_app.identity.standing import Newcomer
from saas_app.db.engine import create_engine
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.logto import connect
from saas_app.limits.requests import ProcessCounters

async def main(database_url, organization_id, user_id):
    settings = Settings(encryption_keys=(), logto_app_id="app", logto_app_secret="secret")
    limits = ChangeLimits(settings, ProcessCounters())
    entry = AuditEntry(Actor("ada", "Ada"), Action.MEMBER_REMOVE, Target("member", user_id, "Sam"))
    async with connect(load_management_settings()) as client:
        async def remove_and_die():
            await client.remove_member(organization_id, user_id)
            os.kill(os.getpid(), signal.SIGKILL)
        work = UnitOfWork(create_engine(database_url))
        ada = Newcomer(organization_id, Principal("ada", name="Ada"))
        async with Systems(work, client, limits).by(ada).alone() as turn:
            await turn.carry_out(entry, remove_and_die, subjects=[user_id])

asyncio.run(main(*sys.argv[1:]))
"""


async def test_reconciling_records_a_removal_whose_process_was_killed(
    make: Factory, runtime: Runtime, settings: Settings, reconciler: Reconciler
) -> None:
    person = await make.person()
    organization_id = await make.organization("Acme", editor=person)
    await run_until_killed(settings, _CHANGE_AND_DIE, organization_id, person.id)
    assert await make.management.find_member_roles(organization_id, person.id) is None
    assert await changes_of(runtime, organization_id) == []
    await age_open_changes(runtime, organization_id)

    assert any("was interrupted" in what for what in await repairs_of(reconciler, organization_id))

    (event,) = await changes_of(runtime, organization_id)
    assert event.action == "member.remove"
    assert event.after is not None
    assert event.after["members"] == {person.id: None}
