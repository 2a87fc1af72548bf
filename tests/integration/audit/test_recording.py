"""Every change leaves an event that says who, what, to whom, what was and what is, and from where."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from quart.wrappers import Response

from saas_app.audit.recorder import Action
from saas_app.db.base import new_uuid, utc_now
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.identity.principal import SessionPrincipal
from saas_app.identity.tenant import Tenant
from saas_app.projects.changes import create_project
from saas_app.projects.values import ProjectInput
from saas_app.rbac.permissions import Carrier, Permission
from tests.clients import Person
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.audit.conftest import Office, told

ADDRESS = "<local>"  # what the test client gives as its address


@pytest.fixture
async def office(open_office: Callable[..., Any]) -> Office:
    office: Office = await open_office("admin", "editor")
    return office


async def the_event(office: Office, answer: Response) -> dict[str, str]:
    """The only event of the request that was answered."""
    request_id = answer.headers["X-Request-Id"]
    (line,) = [line for line in await office.trail() if line["Request id"] == request_id]
    return line


def assert_said(
    line: dict[str, str], action: Action, actor: Person, target: tuple[str, str, str], before: Any, after: Any
) -> None:
    assert line["Action"] == action
    assert (line["Actor type"], line["Actor id"]) == ("person", actor.id)
    assert line["Actor"] == actor.username.partition("_")[0].capitalize()
    assert (line["Target type"], line["Target id"], line["Target"]) == target
    assert (told(line, "Before"), told(line, "After")) == (before, after)
    assert line["Outcome"] == "allowed"
    assert line["Decision"] == ""
    assert line["Address"] == ADDRESS


async def new_project(office: Office, name: str = "Apollo") -> tuple[str, Response]:
    answer = await office.post("editor", "/projects/new", {"name": name, "description": "To the moon"})
    return str(answer.headers["Location"]).rpartition("/")[2], answer


async def new_task(office: Office, project_id: str, title: str = "Launch") -> tuple[str, Response]:
    answer = await office.post("editor", f"/projects/{project_id}/tasks", {"title": title})
    return str(answer.headers["Location"]).partition("#task-")[2], answer


async def test_a_project_from_its_creation_to_its_end(office: Office) -> None:
    editor, admin = office.people["editor"], office.people["admin"]
    project_id, answer = await new_project(office)
    target = ("project", project_id, "Apollo")
    after: dict[str, Any] = {"name": "Apollo", "description": "To the moon"}
    assert_said(await the_event(office, answer), Action.PROJECT_CREATE, editor, target, None, after)

    edit = {"name": "Apollo 11", "description": "To the moon", "version": "1"}
    answer = await office.post("editor", f"/projects/{project_id}/edit", edit)
    target = ("project", project_id, "Apollo 11")
    assert_said(
        await the_event(office, answer), Action.PROJECT_UPDATE, editor, target,
        {"name": "Apollo"}, {"name": "Apollo 11"},
    )  # fmt: skip

    active, archived = {"status": "active"}, {"status": "archived"}
    answer = await office.post("editor", f"/projects/{project_id}/archive")
    assert_said(await the_event(office, answer), Action.PROJECT_ARCHIVE, editor, target, active, archived)
    answer = await office.post("admin", f"/projects/{project_id}/unarchive")
    assert_said(await the_event(office, answer), Action.PROJECT_RESTORE, admin, target, archived, active)

    await new_task(office, project_id)
    answer = await office.post("admin", f"/projects/{project_id}/delete")
    before = {"name": "Apollo 11", "description": "To the moon", "status": "active", "tasks": 1}
    assert_said(await the_event(office, answer), Action.PROJECT_DELETE, admin, target, before, None)


async def test_a_task_from_its_creation_to_its_end(office: Office) -> None:
    editor = office.people["editor"]
    project_id, _answer = await new_project(office)
    task_id, answer = await new_task(office, project_id)
    target = ("task", task_id, "Launch")
    fields = {"title": "Launch", "status": "todo", "due_on": None}
    after = {"project": "Apollo", **fields}
    assert_said(await the_event(office, answer), Action.TASK_CREATE, editor, target, None, after)

    task = f"/projects/{project_id}/tasks/{task_id}"
    answer = await office.post("editor", f"{task}/status", {"status": "doing", "version": "1"})
    assert_said(
        await the_event(office, answer), Action.TASK_UPDATE, editor, target,
        {"status": "todo"}, {"status": "doing"},
    )  # fmt: skip

    edit = {"title": "Land", "status": "doing", "due_on": "2026-12-24", "version": "2"}
    answer = await office.post("editor", f"{task}/edit", edit)
    target = ("task", task_id, "Land")
    assert_said(
        await the_event(office, answer), Action.TASK_UPDATE, editor, target,
        {"title": "Launch", "due_on": None}, {"title": "Land", "due_on": "2026-12-24"},
    )  # fmt: skip

    answer = await office.post("editor", f"{task}/delete")
    before = {"project": "Apollo", "title": "Land", "status": "doing", "due_on": "2026-12-24"}
    assert_said(await the_event(office, answer), Action.TASK_DELETE, editor, target, before, None)


async def test_the_exports_are_told_before_the_file_begins(office: Office) -> None:
    answer = await office.get("admin", "/projects/export.csv")
    line = await the_event(office, answer)
    assert (line["Action"], line["Actor id"]) == (Action.PROJECT_EXPORT, office.people["admin"].id)
    assert line["Target id"] == office.organization_id
    newest = (await office.lines())[0]
    assert newest["Action"] == Action.AUDIT_EXPORT, "an export of the trail holds its own event"


async def test_who_creates_an_organization_finds_it_at_the_beginning_of_its_trail(
    make: Factory, open_browser: OpenBrowser
) -> None:
    alice = await make.person("Alice")
    browser = await open_browser(alice)
    answer = await browser.post("/o/new", {"name": "Initech", "description": "Makes things"})
    landed = await browser.follow(answer.headers["Location"])
    assert landed.status_code == 200
    path = answer.headers["Location"].partition("next=")[2]
    organization_id = path.replace("%2F", "/").split("/")[2]
    office = Office(organization_id, {"admin": alice}, {"admin": browser})
    line = (await office.trail())[-1]
    target = ("organization", organization_id, "Initech")
    after = {"name": "Initech", "description": "Makes things"}
    assert_said(line, Action.ORGANIZATION_CREATE, alice, target, None, after)
    assert line["Request id"] == answer.headers["X-Request-Id"]


async def test_what_changes_nothing_leaves_nothing(office: Office) -> None:
    project_id, _answer = await new_project(office)
    await office.post("editor", f"/projects/{project_id}/archive")
    length = len(await office.trail())
    await office.post("editor", f"/projects/{project_id}/archive")
    same = {"name": "Apollo", "description": "To the moon", "version": "2"}
    await office.post("editor", f"/projects/{project_id}/edit", same)
    await office.post("editor", "/projects/new", {"name": ""}, expect=422)
    await office.post("editor", f"/projects/{project_id}/tasks", {"title": "Launch"}, expect=409)
    assert len(await office.trail()) == length


async def test_an_edit_that_lost_leaves_nothing(office: Office) -> None:
    project_id, _answer = await new_project(office)
    edit = {"name": "First", "description": "", "version": "1"}
    await office.post("editor", f"/projects/{project_id}/edit", edit)
    length = len(await office.trail())
    await office.post("admin", f"/projects/{project_id}/edit", {**edit, "name": "Second"}, expect=409)
    assert len(await office.trail()) == length


async def test_what_is_rolled_back_leaves_no_event(office: Office, work: UnitOfWork) -> None:
    length = len(await office.trail())
    with pytest.raises(RuntimeError, match="the power fails"):
        await create_project_and_fail(work, tenant_of(office.organization_id))
    assert len(await office.trail()) == length
    assert "No projects yet" in await (await office.get("admin", "/projects")).get_data(as_text=True)


async def create_project_and_fail(work: UnitOfWork, tenant: Tenant) -> None:
    async with work.writing(tenant.organization_id) as db:
        await create_project(db, tenant, ProjectInput("Apollo"))
        await db.flush()
        raise RuntimeError("the power fails")


def tenant_of(organization_id: str) -> Tenant:
    return Tenant(
        organization_id=organization_id,
        organization_name="Acme",
        principal=SessionPrincipal("sam", session_id=new_uuid(), name="Sam"),
        role_names=frozenset({"admin"}),
        granted=frozenset(Permission),
        carriers=frozenset(Carrier),
        read_at=utc_now(),
    )
