"""Deleting an organization: access ends at the next request, and the data is removed in the background."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from quart import Quart
from sqlalchemy.ext.asyncio import AsyncEngine

from saas_app import signals
from saas_app.audit.recorder import Action, Actor, AuditEntry, Target
from saas_app.db.base import utc_now
from saas_app.db.session import DatabaseSession, WritingSession
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.logto import ManagementError
from saas_app.models import (
    AuditEvent,
    Organization,
    OrganizationOptions,
    OrganizationRemoval,
    PendingChange,
    Project,
    SessionToken,
    Task,
)
from saas_app.organizations.removal import Removals, RemovalWorker, remove_pending
from saas_app.rbac.permissions import Role
from saas_app.runtime import Runtime
from tests.clients import FRESH, Browser, Person, text_of
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.ending import FUTURE, ends_of, set_end
from tests.integration.faulty_logto import EVERY_CHANGE, Gate
from tests.integration.organizations.conftest import Acme
from tests.integration.projects.rows import add_project
from tests.offices import new_office
from tests.removals import order_removal

pytestmark = pytest.mark.usefixtures("no_pending_removals")


@dataclass(frozen=True, slots=True)
class Kept:
    """What is left of an organization in the database. ``events`` omits denied requests."""

    projects: int
    tasks: int
    tokens: int
    pending: int
    is_known: bool
    events: tuple[AuditEvent, ...]

    @property
    def actions(self) -> list[str]:
        """The actions of the audit events, oldest first."""
        return [event.action for event in self.events]


@pytest.fixture
async def acme(make: Factory, open_browser: OpenBrowser) -> Acme:
    """An organization whose members have just entered their passwords."""

    async def open_fresh(person: Person) -> Browser:
        browser = await open_browser()
        await browser.sign_in(person, FRESH)
        return browser

    return Acme(**vars(await new_office(make, open_fresh, admin="Ada", editor="Ed")))


@pytest.fixture
def kept(runtime: Runtime) -> Callable[[str], Any]:
    async def count(organization_id: str) -> Kept:
        async with runtime.work.writing(organization_id) as db:
            return Kept(
                projects=await _count(db, sa.select(sa.func.count(Project.id))),
                tasks=await _count(db, sa.select(sa.func.count(Task.id))),
                pending=await _count(db, sa.select(sa.func.count(PendingChange.id))),
                tokens=await _count(
                    db,
                    sa.select(sa.func.count(SessionToken.audience)).where(
                        SessionToken.organization_id == organization_id
                    ),
                ),
                is_known=await db.get(Organization, organization_id) is not None,
                events=tuple(
                    await db.scalars(
                        sa.select(AuditEvent)
                        .where(AuditEvent.action != Action.ACCESS_DENY.value)
                        .order_by(AuditEvent.id)
                    )
                ),
            )

    return count


async def _count(db: DatabaseSession, statement: sa.Select[Any]) -> int:
    return int(await db.scalar(statement) or 0)


async def _fill(work: UnitOfWork, organization_id: str, projects: int = 3, tasks: int = 4) -> None:
    """Add projects with tasks, without the pages."""
    async with work.writing(organization_id) as db:
        for _ in range(projects):
            await add_project(db, tasks)


async def test_a_wrong_name_deletes_nothing(acme: Acme, kept: Callable[[str], Any]) -> None:
    assert f"Type “{acme.name}” to confirm." in await acme.browser.text(f"{acme.settings}/delete")

    for wrong in ("", acme.name.lower(), f"{acme.name}x", acme.id):
        page = await acme.browser.submit(f"{acme.settings}/delete", {"name": wrong}, 422)
        assert "The name doesn’t match." in page

    assert (await acme.management.get_organization(acme.id)).name == acme.name
    assert (await kept(acme.id)).events == ()
    await acme.browser.get(f"{acme.root}/")


async def test_the_right_name_deletes_the_organization_for_every_member_at_once(
    acme: Acme, make: Factory
) -> None:
    globex = await make.organization("Globex", **acme.people)
    for browser in acme.browsers.values():
        for root in (acme.root, f"/o/{globex}"):
            await browser.get(f"{root}/projects")

    gone = await acme.browser.post(f"{acme.settings}/delete", {"name": f"  {acme.name} "})

    await acme.browsers["editor"].get(f"{acme.root}/projects", 404)
    assert gone.headers["Location"] == "/sign-in/renew?next=/o"
    listed = await text_of(await acme.browser.follow(gone.headers["Location"]))
    assert f"{acme.name} was deleted. Its data is being removed." in listed
    for browser in acme.browsers.values():
        for path in ("/projects", "/", "/audit"):
            await browser.get(f"{acme.root}{path}", 404)
        await browser.get(f"/o/{globex}/projects")
        assert acme.id not in await browser.text("/o")
    with pytest.raises(ManagementError, match="404"):
        await acme.management.get_organization(acme.id)


async def test_the_data_of_a_deleted_organization_is_removed_and_the_removal_recorded(
    acme: Acme, runtime: Runtime, kept: Callable[[str], Any]
) -> None:
    other = f"stays{secrets.token_hex(6)}"
    for organization_id in (acme.id, other):
        await _fill(runtime.work, organization_id)
    await acme.browser.post(f"{acme.settings}/delete", {"name": acme.name})

    await remove_pending(runtime.jobs, runtime.management)

    left = await kept(acme.id)
    assert (left.projects, left.tasks, left.pending, left.is_known) == (0, 0, 0, False)
    assert left.actions == ["organization.delete", "organization.remove-data"]
    deleted, removed = left.events
    assert (deleted.actor_id, deleted.target_name) == (acme.admin.id, acme.name)
    assert removed.actor_id == "system"
    assert removed.after is not None
    assert (removed.after["projects"], removed.after["tasks"]) == (3, 12)
    untouched = await kept(other)
    assert (untouched.projects, untouched.tasks) == (3, 12)


async def test_the_ends_of_roles_and_the_choices_of_a_deleted_organization_go_with_it(
    acme: Acme, runtime: Runtime
) -> None:
    await set_end(runtime, acme.id, acme.admin, Role.ADMIN, FUTURE)
    async with runtime.work.writing(acme.id) as db:
        db.add(OrganizationOptions(organization_id=acme.id, names_approvers=False))
    await acme.browser.post(f"{acme.settings}/delete", {"name": acme.name})

    await remove_pending(runtime.jobs, runtime.management)

    is_theirs = OrganizationOptions.organization_id == acme.id
    async with runtime.work.reading(acme.id) as db:
        options = await db.scalar(sa.select(OrganizationOptions.organization_id).where(is_theirs))
    assert (await ends_of(runtime, acme.id, acme.admin), options) == ({}, None)


async def test_an_organization_that_logto_no_longer_has_is_removed_here(
    acme: Acme, runtime: Runtime, kept: Callable[[str], Any]
) -> None:
    address = f"{acme.settings}/delete"
    await acme.browser.get(address)
    await _fill(runtime.work, acme.id)
    await acme.management.delete_organization(acme.id)
    await acme.browser.get(address, 404)

    await acme.browser.post(address, {"name": acme.name})
    await remove_pending(runtime.jobs, runtime.management)

    left = await kept(acme.id)
    assert (left.projects, left.tasks) == (0, 0)
    assert left.actions == ["organization.delete", "organization.remove-data"]


async def test_when_logto_fails_nothing_is_deleted_here(
    acme: Acme, gate: Gate, faulty_app: Quart, runtime: Runtime, kept: Callable[[str], Any]
) -> None:
    await acme.browser.get(acme.settings)
    await _fill(runtime.work, acme.id)
    gate.fail(EVERY_CHANGE)

    await acme.browser.at(faulty_app).post(f"{acme.settings}/delete", {"name": acme.name}, 503)
    await remove_pending(runtime.jobs, runtime.management)

    left = await kept(acme.id)
    assert (left.projects, left.tasks, left.actions) == (3, 12, [])
    assert left.pending == 1
    await acme.browser.get(f"{acme.root}/projects")


class Crash(BaseException):
    """What a test raises between two batches."""


class CrashingWork(UnitOfWork):
    """A unit of work that crashes like a process, after ``after`` transactions of an organization."""

    def __init__(self, engine: AsyncEngine, *, after: int) -> None:
        super().__init__(engine)
        self._left = after

    @asynccontextmanager
    async def writing(self, organization_id: str | None = None) -> AsyncIterator[WritingSession]:
        async with super().writing(organization_id) as db:
            yield db
            if organization_id is not None:
                self._left -= 1
                if self._left < 0:
                    raise Crash


@pytest.mark.parametrize("batches", [0, 1, 3, 4])
async def test_after_a_crash_between_two_batches_the_next_call_continues(
    runtime: Runtime, engine: AsyncEngine, kept: Callable[[str], Any], batches: int
) -> None:
    """One scenario: what the crash left is what the next call starts from."""
    gone, stays = f"gone{secrets.token_hex(6)}", f"stays{secrets.token_hex(6)}"
    for organization_id in (gone, stays):
        await _fill(runtime.work, organization_id, projects=2, tasks=3)
    await order_removal(runtime.jobs, gone, "Gone Ltd", "somebody")

    with pytest.raises(Crash):
        await remove_pending(CrashingWork(engine, after=batches), None, batch=2)

    halfway = await kept(gone)
    assert halfway.events == ()
    assert halfway.tasks == max(0, 6 - 2 * batches)
    await remove_pending(runtime.jobs, runtime.management, batch=2)
    left = await kept(gone)
    assert (left.projects, left.tasks) == (0, 0)
    assert [event.after for event in left.events] == [{"tasks": 6, "projects": 2}]
    untouched = await kept(stays)
    assert (untouched.projects, untouched.tasks, untouched.events) == (2, 6, ())
    assert await remove_pending(runtime.jobs, runtime.management) == Removals(0)


async def test_two_workers_remove_an_organization_once(
    runtime: Runtime, engine: AsyncEngine, kept: Callable[[str], Any]
) -> None:
    gone = f"gone{secrets.token_hex(6)}"
    await _fill(runtime.work, gone, projects=3, tasks=3)
    await order_removal(runtime.jobs, gone, "Gone Ltd", "somebody")
    await order_removal(runtime.jobs, gone, "Ordered twice", "logto")
    await asyncio.gather(
        remove_pending(runtime.jobs, runtime.management, batch=2),
        remove_pending(UnitOfWork(engine), None, batch=2),
    )
    left = await kept(gone)
    assert (left.projects, left.tasks) == (0, 0)
    assert [(event.target_name, event.after) for event in left.events] == [
        ("Gone Ltd", {"tasks": 9, "projects": 3})
    ]


@pytest.mark.parametrize(("minutes", "is_told"), [(0, False), (5, True)])
async def test_a_deletion_that_was_never_recorded_is_recorded_after_a_while(
    runtime: Runtime, kept: Callable[[str], Any], minutes: int, is_told: bool
) -> None:
    gone = f"gone{secrets.token_hex(6)}"
    target = Target("organization", gone, "Gone Ltd")
    async with runtime.work.writing(gone) as db:
        for action in (Action.ORGANIZATION_DELETE, Action.MEMBER_REMOVE):
            entry = AuditEntry(Actor("ada", "Ada"), action, target)
            started_at = utc_now() - timedelta(minutes=minutes)
            db.add(PendingChange(entry=entry.as_json(), subjects=[], started_at=started_at))
    await order_removal(runtime.jobs, gone, "Gone Ltd", "ada")
    await remove_pending(runtime.jobs, runtime.management)
    left = await kept(gone)
    assert left.actions == (["organization.delete", "organization.remove-data"] if is_told else [])
    assert left.pending == (0 if is_told else 2)
    async with runtime.work.writing(gone) as db:
        await db.execute(sa.delete(PendingChange))
    await remove_pending(runtime.jobs, runtime.management)


async def test_the_worker_acts_when_woken_and_ends_with_the_application(
    runtime: Runtime, engine: AsyncEngine, kept: Callable[[str], Any]
) -> None:
    finished = asyncio.Event()

    class Watched(UnitOfWork):
        @asynccontextmanager
        async def writing(self, organization_id: str | None = None) -> AsyncIterator[WritingSession]:
            async with super().writing(organization_id) as db:
                yield db
            async with super().writing() as db:
                order = await db.get(OrganizationRemoval, gone)
                if order is not None and order.finished_at is not None:
                    finished.set()

    gone = f"gone{secrets.token_hex(6)}"
    worker = RemovalWorker(Watched(engine), None, interval=3600)
    before = _workers()
    async with worker.running():
        [own] = _workers() - before
        await _fill(runtime.work, gone)
        await order_removal(runtime.jobs, gone, "Gone Ltd", "somebody")
        worker.wake()
        await asyncio.wait_for(finished.wait(), 20)
    assert own.done()
    assert (await kept(gone)).actions == ["organization.remove-data"]


async def test_a_run_that_fails_is_signaled(engine: AsyncEngine) -> None:
    failed = asyncio.Event()

    class Broken(UnitOfWork):
        def reading(self, organization_id: str | None = None) -> Any:
            raise RuntimeError("the disk is full")

    def note(_sender: object, *, result: str) -> None:
        if result == "failed":  # the application of this process runs it too
            failed.set()

    with signals.removal_ended.connected_to(note):
        async with RemovalWorker(Broken(engine), None).running():
            await asyncio.wait_for(failed.wait(), 20)


def _workers() -> set[asyncio.Task[Any]]:
    """Return the tasks of removal workers. The application runs one too."""
    return {task for task in asyncio.all_tasks() if "RemovalWorker.run" in repr(task.get_coro())}
