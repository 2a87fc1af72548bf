"""Deleting an organization: nobody gets in from the next request on, and its data go in the background."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from saas_app.app import create_app
from saas_app.audit.recorder import Action, Actor, AuditEntry, Target
from saas_app.config import Settings
from saas_app.db.base import new_uuid, utc_now
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.logto import ManagementClient, ManagementError
from saas_app.models import (
    AuditEvent,
    Organization,
    OrganizationRemoval,
    PendingChange,
    Project,
    ProjectStatus,
    SessionToken,
    Task,
    TaskStatus,
)
from saas_app.models.project import fold_name
from saas_app.organizations.removal import Removals, RemovalWorker, remove_pending
from saas_app.runtime import Runtime
from tests.clients import FRESH, SAME_ORIGIN, Browser
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.organizations.logto_that_fails import failing_management_api
from tests.removals import order_removal


@dataclass(frozen=True, slots=True)
class Kept:
    """What is left of an organization in the database; ``events`` without who knocked in vain."""

    projects: int
    tasks: int
    tokens: int
    pending: int
    is_known: bool
    events: tuple[AuditEvent, ...]

    @property
    def actions(self) -> list[str]:
        """What the audit trail tells, the oldest first."""
        return [event.action for event in self.events]


@pytest.fixture(autouse=True)
async def nothing_is_ordered(runtime: Runtime) -> None:
    """Other tests of this process may have left orders in the database that they share."""
    await remove_pending(runtime.work)


@pytest.fixture
def kept(runtime: Runtime) -> Callable[[str], Any]:
    async def count(organization_id: str) -> Kept:
        async with runtime.work.reading(organization_id) as db:
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


async def _count(db: AsyncSession, statement: sa.Select[Any]) -> int:
    return int(await db.scalar(statement) or 0)


async def _fill(work: UnitOfWork, organization_id: str, projects: int = 3, tasks: int = 4) -> None:
    """Projects with tasks, without going through the pages."""
    now = utc_now()
    made = {"created_by": "test", "created_at": now, "updated_at": now}
    async with work.writing(organization_id) as db:
        for number in range(projects):
            name, project_id = f"Project {number}", new_uuid()
            db.add(
                Project(
                    id=project_id,
                    name=name,
                    folded_name=fold_name(name),
                    description="",
                    status=ProjectStatus.ACTIVE,
                    **made,
                )
            )
            await db.flush()
            db.add_all(
                Task(project_id=project_id, title=f"Task {index}", status=TaskStatus.TODO, **made)
                for index in range(tasks)
            )


async def _text(browser: Browser, path: str, expect: int = 200) -> str:
    return unescape(str(await (await browser.get(path, expect)).get_data(as_text=True)))


async def test_a_wrong_name_deletes_nothing(
    make: Factory, open_browser: OpenBrowser, management: ManagementClient, kept: Callable[[str], Any]
) -> None:
    admin = await make.person("Ada")
    acme = await make.organization("Acme", admin=admin)
    name = (await management.get_organization(acme)).name
    browser, address = await open_browser(), f"/o/{acme}/settings/delete"
    await browser.sign_in(admin, FRESH)
    assert f"Type “{name}” to confirm." in await _text(browser, address)
    for wrong in ("", name.lower(), f"{name}x", acme):
        response = await browser.post(address, {"name": wrong}, 422)
        assert "The name doesn’t match." in await response.get_data(as_text=True)
    assert (await management.get_organization(acme)).name == name
    assert (await kept(acme)).events == ()
    await browser.get(f"/o/{acme}/")


async def test_the_right_name_ends_it_for_every_member_at_the_next_request(
    make: Factory,
    open_browser: OpenBrowser,
    management: ManagementClient,
    runtime: Runtime,
    kept: Callable[[str], Any],
) -> None:
    admin, editor = await make.person("Ada"), await make.person("Ed")
    acme = await make.organization("Acme", admin=admin, editor=editor)
    globex = await make.organization("Globex", admin=admin, editor=editor)
    name = (await management.get_organization(acme)).name
    browser, other = await open_browser(), await open_browser(editor)
    await browser.sign_in(admin, FRESH)
    for who in (browser, other):
        for organization_id in (acme, globex):
            await who.get(f"/o/{organization_id}/projects")
    for organization_id in (acme, globex):
        await _fill(runtime.work, organization_id)

    gone = await browser.post(f"/o/{acme}/settings/delete", {"name": f"  {name} "})

    await other.get(f"/o/{acme}/projects", 404)
    assert gone.headers["Location"] == "/sign-in/renew?next=/o"
    listed = await (await browser.follow(gone.headers["Location"])).get_data(as_text=True)
    assert f"{name} was deleted. Its data is being removed." in unescape(str(listed))
    for who in (browser, other):
        await who.get(f"/o/{acme}/projects", 404)
        await who.get(f"/o/{acme}/", 404)
        await who.get(f"/o/{globex}/projects")
        assert acme not in await _text(who, "/o")
    with pytest.raises(ManagementError, match="404"):
        await management.get_organization(acme)

    await remove_pending(runtime.work)

    left = await kept(acme)
    assert (left.projects, left.tasks, left.pending, left.is_known) == (0, 0, 0, False)
    assert left.actions == ["organization.delete", "organization.remove-data"]
    deleted, removed = left.events
    assert (deleted.actor_id, deleted.target_name) == (admin.id, name)
    assert removed.actor_id == "system"
    assert removed.after is not None
    assert (removed.after["projects"], removed.after["tasks"]) == (3, 12)
    untouched = await kept(globex)
    assert (untouched.projects, untouched.tasks, untouched.is_known) == (3, 12, True)
    await browser.get(f"/o/{acme}/audit", 404)


async def test_one_that_logto_does_not_have_any_more_is_removed_here_all_the_same(
    make: Factory,
    open_browser: OpenBrowser,
    management: ManagementClient,
    runtime: Runtime,
    kept: Callable[[str], Any],
) -> None:
    admin = await make.person("Ada")
    acme = await make.organization("Acme", admin=admin)
    name = (await management.get_organization(acme)).name
    browser, address = await open_browser(), f"/o/{acme}/settings/delete"
    await browser.sign_in(admin, FRESH)
    await browser.get(address)
    await _fill(runtime.work, acme)
    await management.delete_organization(acme)
    await browser.get(address, 404)
    await browser.post(address, {"name": name})
    await remove_pending(runtime.work)
    left = await kept(acme)
    assert (left.projects, left.tasks) == (0, 0)
    assert left.actions == ["organization.delete", "organization.remove-data"]


async def test_when_logto_fails_nothing_is_deleted_here(
    make: Factory,
    open_browser: OpenBrowser,
    management: ManagementClient,
    runtime: Runtime,
    settings: Settings,
    kept: Callable[[str], Any],
) -> None:
    admin = await make.person("Ada")
    acme = await make.organization("Acme", admin=admin)
    name = (await management.get_organization(acme)).name
    browser = await open_browser()
    await browser.sign_in(admin, FRESH)
    await browser.get(f"/o/{acme}/settings")
    await _fill(runtime.work, acme)
    assert settings.management is not None
    async with failing_management_api(settings.logto_endpoint) as endpoint:
        failing = settings.management.model_copy(update={"endpoint": endpoint})
        app = create_app(settings.model_copy(update={"management": failing}))
        async with app.test_app():
            client = app.test_client()
            client.cookie_jar = browser.app.cookie_jar
            address = f"/o/{acme}/settings/delete"
            response = await client.post(address, form={"name": name}, headers=SAME_ORIGIN)
    assert response.status_code == 503
    await remove_pending(runtime.work)
    left = await kept(acme)
    assert (left.projects, left.tasks, left.actions) == (3, 12, [])
    assert left.pending == 1
    await browser.get(f"/o/{acme}/projects")


class Crash(BaseException):
    """What a test lets happen between two batches."""


class CrashingWork(UnitOfWork):
    """A unit of work that ends, as the process would, within the n-th transaction of an organization."""

    def __init__(self, engine: AsyncEngine, *, after: int) -> None:
        super().__init__(engine)
        self._left = after

    @asynccontextmanager
    async def writing(self, organization_id: str | None = None) -> AsyncIterator[AsyncSession]:
        async with super().writing(organization_id) as db:
            yield db
            if organization_id is not None:
                self._left -= 1
                if self._left < 0:
                    raise Crash


@pytest.mark.parametrize("batches", [0, 1, 3, 4])
async def test_a_crash_between_two_batches_loses_nothing_and_the_next_call_goes_on(
    runtime: Runtime, engine: AsyncEngine, kept: Callable[[str], Any], batches: int
) -> None:
    gone, stays = f"gone{secrets.token_hex(6)}", f"stays{secrets.token_hex(6)}"
    for organization_id in (gone, stays):
        await _fill(runtime.work, organization_id, projects=2, tasks=3)
    await order_removal(runtime.work, gone, "Gone Ltd", "somebody")

    with pytest.raises(Crash):
        await remove_pending(CrashingWork(engine, after=batches), batch=2)

    halfway = await kept(gone)
    assert halfway.events == ()
    assert halfway.tasks == max(0, 6 - 2 * batches)
    await remove_pending(runtime.work, batch=2)
    left = await kept(gone)
    assert (left.projects, left.tasks) == (0, 0)
    assert [event.after for event in left.events] == [{"tasks": 6, "projects": 2}]
    untouched = await kept(stays)
    assert (untouched.projects, untouched.tasks, untouched.events) == (2, 6, ())
    assert await remove_pending(runtime.work) == Removals(0)


async def test_two_workers_at_once_remove_it_once(
    runtime: Runtime, engine: AsyncEngine, kept: Callable[[str], Any]
) -> None:
    gone = f"gone{secrets.token_hex(6)}"
    await _fill(runtime.work, gone, projects=3, tasks=3)
    await order_removal(runtime.work, gone, "Gone Ltd", "somebody")
    await order_removal(runtime.work, gone, "Ordered twice", "logto")
    await asyncio.gather(remove_pending(runtime.work, batch=2), remove_pending(UnitOfWork(engine), batch=2))
    left = await kept(gone)
    assert (left.projects, left.tasks) == (0, 0)
    assert [(event.target_name, event.after) for event in left.events] == [
        ("Gone Ltd", {"tasks": 9, "projects": 3})
    ]


@pytest.mark.parametrize(("minutes", "is_told"), [(0, False), (5, True)])
async def test_a_deletion_that_was_never_told_is_told_once_nobody_is_at_it(
    runtime: Runtime, kept: Callable[[str], Any], minutes: int, is_told: bool
) -> None:
    gone = f"gone{secrets.token_hex(6)}"
    target = Target("organization", gone, "Gone Ltd")
    async with runtime.work.writing(gone) as db:
        for action in (Action.ORGANIZATION_DELETE, Action.MEMBER_REMOVE):
            entry = AuditEntry(Actor("ada", "Ada"), action, target)
            started_at = utc_now() - timedelta(minutes=minutes)
            db.add(PendingChange(entry=entry.as_json(), subjects=[], started_at=started_at))
    await order_removal(runtime.work, gone, "Gone Ltd", "ada")
    await remove_pending(runtime.work)
    left = await kept(gone)
    assert left.actions == (["organization.delete", "organization.remove-data"] if is_told else [])
    assert left.pending == (0 if is_told else 2)
    async with runtime.work.writing(gone) as db:
        await db.execute(sa.delete(PendingChange))
    await remove_pending(runtime.work)


async def test_the_worker_acts_when_woken_and_ends_with_the_application(
    runtime: Runtime, engine: AsyncEngine, kept: Callable[[str], Any]
) -> None:
    finished = asyncio.Event()

    class Watched(UnitOfWork):
        @asynccontextmanager
        async def writing(self, organization_id: str | None = None) -> AsyncIterator[AsyncSession]:
            async with super().writing(organization_id) as db:
                yield db
            async with super().reading() as db:
                order = await db.get(OrganizationRemoval, gone)
                if order is not None and order.finished_at is not None:
                    finished.set()

    gone = f"gone{secrets.token_hex(6)}"
    worker = RemovalWorker(Watched(engine), interval=3600)
    before = _workers()
    async with worker.running():
        [own] = _workers() - before
        await _fill(runtime.work, gone)
        await order_removal(runtime.work, gone, "Gone Ltd", "somebody")
        worker.wake()
        await asyncio.wait_for(finished.wait(), 20)
    assert own.done()
    assert (await kept(gone)).actions == ["organization.remove-data"]


def _workers() -> set[asyncio.Task[Any]]:
    """What runs as a removal worker now; the application has one of its own."""
    return {task for task in asyncio.all_tasks() if "RemovalWorker.run" in repr(task.get_coro())}
