"""Reconciling: what was missed is found and told, and what is right is left alone."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from saas_app.audit.recorder import Action, Actor, AuditEntry, Target
from saas_app.changes.organization_change import OrganizationChange, Systems
from saas_app.config import Settings
from saas_app.db.base import utc_now
from saas_app.db.engine import create_engine
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.errors import ConfigurationError, LogtoUnavailable, NotFound
from saas_app.identity.directory import Directory
from saas_app.identity.principal import Principal
from saas_app.identity.standing import Newcomer
from saas_app.models import AuditEvent, Organization, OrganizationRemoval, PendingChange, User
from saas_app.operations.reconciliation.service import Reconciler, require_own_application
from saas_app.rbac.permissions import Role
from saas_app.runtime import Runtime
from tests.clients import Person
from tests.conftest import OpenBrowser
from tests.databases import migrated_database
from tests.factories import Factory
from tests.integration.operations.reconciliation.conftest import reconciler_of, repairs_of


@asynccontextmanager
async def turn_in(
    runtime: Runtime, make: Factory, organization_id: str
) -> AsyncIterator[OrganizationChange[Newcomer]]:
    """A turn of somebody whom nobody has let in."""
    systems = Systems(runtime.work, make.management, runtime.change_limits)
    async with systems.by(Newcomer(organization_id, Principal("ada", name="Ada"))).alone() as turn:
        yield turn


async def events_of(runtime: Runtime, organization_id: str) -> list[AuditEvent]:
    """What the trail tells of changes; that somebody was refused is told there too."""
    changes = sa.select(AuditEvent).where(AuditEvent.action != Action.ACCESS_DENY).order_by(AuditEvent.id)
    async with runtime.work.reading(organization_id) as db:
        return list(await db.scalars(changes))


async def let_time_pass(runtime: Runtime, organization_id: str) -> None:
    """Make the notes of changes look as old as what a crash left an hour ago."""
    async with runtime.work.writing(organization_id) as db:
        await db.execute(
            sa.update(PendingChange)
            .values(started_at=utc_now() - timedelta(hours=1))
            .execution_options(synchronize_session=False)
        )


def demotion(person: Person) -> AuditEntry:
    return AuditEntry(
        Actor("ada", "Ada"),
        Action.MEMBER_CHANGE_ROLES,
        Target("member", person.id, person.username),
        before={"roles": ["editor"]},
        after={"roles": ["viewer"]},
    )


async def test_a_role_changed_in_logtos_console_is_noticed_once_and_counts_at_the_next_request(
    make: Factory, open_browser: OpenBrowser, runtime: Runtime, reconciler: Reconciler
) -> None:
    person, colleague = await make.person(), await make.person()
    organization_id = await make.organization("Acme", editor=person, viewer=colleague)
    browser, other = await open_browser(person), await open_browser(colleague)
    page = f"/o/{organization_id}/projects/new"
    await browser.get(page)
    await other.get(f"/o/{organization_id}/projects")
    await repairs_of(reconciler, organization_id)  # names nobody had told us
    assert await repairs_of(reconciler, organization_id) == []

    await make.give_roles(organization_id, person, Role.VIEWER)
    await browser.get(page)  # Logto tells nobody: the cached token still answers

    assert await repairs_of(reconciler, organization_id) == [f"refreshed at the next request: {person.id}"]
    await browser.get(page, 403)
    assert await repairs_of(reconciler, organization_id) == []
    (event,) = [
        event for event in await events_of(runtime, organization_id) if event.action == Action.RECONCILE
    ]
    assert (event.actor_id, event.after) == ("system", {"members": [person.id]})


async def test_a_removed_member_whose_webhook_was_lost_is_refused(
    make: Factory, open_browser: OpenBrowser, reconciler: Reconciler
) -> None:
    person = await make.person()
    organization_id = await make.organization("Acme", editor=person)
    browser = await open_browser(person)
    await browser.get(f"/o/{organization_id}/projects")
    await make.management.remove_member(organization_id, person.id)

    assert f"refreshed at the next request: {person.id}" in await repairs_of(reconciler, organization_id)
    await browser.get(f"/o/{organization_id}/projects", 404)
    assert await repairs_of(reconciler, organization_id) == []


async def test_names_are_corrected(make: Factory, runtime: Runtime, reconciler: Reconciler) -> None:
    person = await make.person("Mia")
    organization_id = await make.organization("Before", viewer=person)
    await repairs_of(reconciler, organization_id)
    await make.management.update_organization(organization_id, name="Afterwards")
    await make.management._transport.call("PATCH", f"/users/{person.id}", body={"name": "Mia Two"})

    repairs = await repairs_of(reconciler, organization_id)

    assert repairs == ["renamed to 'Afterwards'", "1 names or email addresses"]
    async with runtime.work.reading() as db:
        assert await db.scalar(sa.select(Organization.name).where(Organization.id == organization_id)) == (
            "Afterwards"
        )
        assert await db.scalar(sa.select(User.name).where(User.id == person.id)) == "Mia Two"


async def test_every_page_of_members_is_read(
    make: Factory, runtime: Runtime, reconciler: Reconciler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("saas_app.logto.paging.PAGE_SIZE", 2)
    people = [await make.person(f"P{number}") for number in range(5)]
    organization_id = await make.organization("Acme")
    for person in people:
        await make.join(organization_id, person, Role.VIEWER)

    assert "5 names or email addresses" in await repairs_of(reconciler, organization_id)


async def test_a_deletion_whose_webhook_was_lost_is_carried_out(
    make: Factory, open_browser: OpenBrowser, runtime: Runtime, reconciler: Reconciler
) -> None:
    admin = await make.person()
    organization_id = await make.organization("Gone", admin=admin)
    browser = await open_browser(admin)
    await browser.post(f"/o/{organization_id}/projects/new", {"name": "Left behind", "description": ""})
    await make.management.delete_organization(organization_id)

    (repair,) = await repairs_of(reconciler, organization_id)

    assert "was deleted in Logto" in repair
    await browser.get(f"/o/{organization_id}/projects", 404)
    async with runtime.work.reading() as db:
        removal = await db.get(OrganizationRemoval, organization_id)
    assert removal is not None
    assert removal.finished_at is not None
    assert removal.removed["projects"] == 1


async def test_an_organization_nobody_knows_is_not_found(reconciler: Reconciler) -> None:
    with pytest.raises(NotFound):
        await repairs_of(reconciler, "doesnotexist")


async def test_another_logto_is_refused_before_everything_looks_deleted(
    make: Factory, settings: Settings
) -> None:
    await require_own_application(make.management, settings.logto_app_id)
    for app_id in ("", "unknown"):
        with pytest.raises(ConfigurationError):
            await require_own_application(make.management, app_id)


class Killed(BaseException):
    """As if the process ended here: nothing that handles errors sees it."""


async def test_the_database_of_another_logto_is_left_alone(make: Factory, tmp_path: Path) -> None:
    await make.organization("Acme", admin=await make.person())
    with migrated_database(tmp_path) as url:
        engine = create_engine(url)
        work = UnitOfWork(engine)
        await Directory(work).remember_organizations([{"id": "elsewhere1"}, {"id": "elsewhere2"}])

        with pytest.raises(ConfigurationError, match="none of the 2 organizations"):
            _ = [repair async for repair in reconciler_of(work, make).run()]

        async with work.reading() as db:
            assert list(await db.scalars(sa.select(OrganizationRemoval))) == []
        await engine.dispose()


async def test_a_crash_after_logtos_answer_is_repaired_and_told(
    make: Factory, open_browser: OpenBrowser, runtime: Runtime, reconciler: Reconciler
) -> None:
    person = await make.person()
    organization_id = await make.organization("Acme", editor=person)
    browser = await open_browser(person)
    page = f"/o/{organization_id}/projects/new"
    await browser.get(page)

    async def demote_and_die() -> None:
        await make.give_roles(organization_id, person, Role.VIEWER)
        raise Killed

    with pytest.raises(Killed):
        async with turn_in(runtime, make, organization_id) as turn:
            await turn.carry_out(demotion(person), demote_and_die, subjects=[person.id])

    await browser.get(page, 403)  # what was noted before the call made the token stale already
    assert await events_of(runtime, organization_id) == []  # but nothing tells it yet
    assert not any("cut off" in what for what in await repairs_of(reconciler, organization_id))
    await let_time_pass(runtime, organization_id)

    repairs = await repairs_of(reconciler, organization_id)

    assert any(what.startswith(f"member.change-roles of {person.username}") for what in repairs)
    (event,) = await events_of(runtime, organization_id)
    assert (event.actor_name, event.action) == ("Ada", "member.change-roles")
    assert event.before == {"roles": ["editor"]}
    assert event.after == {
        "members": {person.id: ["viewer"]},
        "recovered": True,
        "wanted": {"roles": ["viewer"]},
    }
    await let_time_pass(runtime, organization_id)
    assert await repairs_of(reconciler, organization_id) == []


async def test_a_crash_before_logto_was_asked_tells_that_nothing_happened(
    make: Factory, runtime: Runtime, reconciler: Reconciler
) -> None:
    person = await make.person()
    organization_id = await make.organization("Acme", editor=person)

    async def die() -> None:
        raise Killed

    with pytest.raises(Killed):
        async with turn_in(runtime, make, organization_id) as turn:
            await turn.carry_out(demotion(person), die, subjects=[person.id])
    await let_time_pass(runtime, organization_id)

    await repairs_of(reconciler, organization_id)

    (event,) = await events_of(runtime, organization_id)
    assert event.after is not None
    assert event.after["members"] == {person.id: ["editor"]}


async def test_an_answer_that_never_came_is_closed_with_what_is_true(
    make: Factory, runtime: Runtime, reconciler: Reconciler
) -> None:
    person = await make.person()
    organization_id = await make.organization("Acme", editor=person)
    entry = AuditEntry(
        Actor("ada", "Ada"), Action.MEMBER_REMOVE, Target("member", person.id, person.username)
    )

    async def remove_without_an_answer() -> None:
        await make.management.remove_member(organization_id, person.id)
        raise LogtoUnavailable("Logto did not answer.")

    with pytest.raises(LogtoUnavailable):
        async with turn_in(runtime, make, organization_id) as turn:
            await turn.carry_out(entry, remove_without_an_answer, subjects=[person.id])
    await let_time_pass(runtime, organization_id)

    await repairs_of(reconciler, organization_id)

    (event,) = await events_of(runtime, organization_id)
    assert event.after is not None
    assert event.after["members"] == {person.id: None}


@pytest.mark.parametrize("is_done", [True, False])
async def test_a_machine_clients_revocation_that_was_cut_off_is_closed_with_what_is_true(
    make: Factory, runtime: Runtime, reconciler: Reconciler, is_done: bool
) -> None:
    organization_id = await make.organization("Acme", admin=await make.person())
    machine = await make.machine(organization_id)
    entry = AuditEntry(
        Actor("ada", "Ada"), Action.API_CLIENT_REVOKE, Target("api client", machine.id, "Robot")
    )

    async def revoke_without_an_answer() -> None:
        if is_done:
            await make.management.delete_application(machine.id)
        raise LogtoUnavailable("Logto did not answer.")

    with pytest.raises(LogtoUnavailable):
        async with turn_in(runtime, make, organization_id) as turn:
            await turn.carry_out(entry, revoke_without_an_answer, subjects=[machine.id])
    await let_time_pass(runtime, organization_id)

    await repairs_of(reconciler, organization_id)

    (event,) = await events_of(runtime, organization_id)
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


async def test_a_process_killed_between_the_two_systems_leaves_nothing_that_reconcile_does_not_mend(
    make: Factory, runtime: Runtime, settings: Settings, reconciler: Reconciler
) -> None:
    person = await make.person()
    organization_id = await make.organization("Acme", editor=person)
    assert settings.management is not None
    environment = {
        **os.environ,
        "LOGTO_ENDPOINT": settings.management.endpoint,
        "LOGTO_MANAGEMENT_APP_ID": settings.management.app_id,
        "LOGTO_MANAGEMENT_APP_SECRET": settings.management.app_secret.get_secret_value(),
    }

    arguments = ["-c", _CHANGE_AND_DIE, settings.database_url, organization_id, person.id]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, env=environment, stderr=subprocess.PIPE
    )
    _, errors = await process.communicate()

    assert process.returncode == -signal.SIGKILL, errors.decode()
    assert await make.management.find_member_roles(organization_id, person.id) is None
    assert await events_of(runtime, organization_id) == []
    await let_time_pass(runtime, organization_id)
    assert any("was interrupted" in what for what in await repairs_of(reconciler, organization_id))
    (event,) = await events_of(runtime, organization_id)
    assert event.action == "member.remove"
    assert event.after is not None
    assert event.after["members"] == {person.id: None}
