"""Every change is recorded with its actor, target, address, and the values before and after."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import pytest
from quart.wrappers import Response

from saas_app.audit.recorder import Action
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.identity.tenant import Tenant
from saas_app.projects.changes import create_project
from saas_app.projects.values import ProjectInput
from tests.clients import Person
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.audit.conftest import AuditedOffice, OpenAudited, json_of
from tests.integration.tenants import admin_of

ADDRESS = "<local>"  # what the test client gives as its address


@pytest.fixture
async def office(open_audited: OpenAudited) -> AuditedOffice:
    return await open_audited(admin="Ada", editor="Ed")


async def the_event(office: AuditedOffice, answer: Response) -> dict[str, str]:
    """Return the only event of the request with this answer."""
    request_id = answer.headers["X-Request-Id"]
    (line,) = [line for line in await office.entries() if line["Request id"] == request_id]
    return line


def assert_recorded(
    line: dict[str, str], action: Action, actor: Person, target: tuple[str, str, str], before: Any, after: Any
) -> None:
    assert line["Action"] == action
    assert (line["Actor type"], line["Actor id"]) == ("person", actor.id)
    assert line["Actor"] == actor.username.partition("_")[0].capitalize()
    assert (line["Target type"], line["Target id"], line["Target"]) == target
    assert (json_of(line, "Before"), json_of(line, "After")) == (before, after)
    assert line["Outcome"] == "allowed"
    assert line["Decision"] == ""
    assert line["Address"] == ADDRESS


async def new_project(office: AuditedOffice, name: str = "Apollo") -> tuple[str, Response]:
    answer = await office.post("editor", "/projects/new", {"name": name, "description": "To the moon"})
    return str(answer.headers["Location"]).rpartition("/")[2], answer


async def new_task(office: AuditedOffice, project_id: str, title: str = "Launch") -> tuple[str, Response]:
    answer = await office.post("editor", f"/projects/{project_id}/tasks", {"title": title})
    return str(answer.headers["Location"]).partition("added=")[2], answer


async def test_each_change_of_a_project_is_recorded(office: AuditedOffice) -> None:
    """One scenario: each step starts from what the step before left."""
    editor, admin = office.people["editor"], office.people["admin"]
    project_id, answer = await new_project(office)
    target = ("project", project_id, "Apollo")
    after: dict[str, Any] = {"name": "Apollo", "description": "To the moon"}
    assert_recorded(await the_event(office, answer), Action.PROJECT_CREATE, editor, target, None, after)

    edit = {"name": "Apollo 11", "description": "To the moon", "version": "1"}
    answer = await office.post("editor", f"/projects/{project_id}/edit", edit)
    target = ("project", project_id, "Apollo 11")
    assert_recorded(
        await the_event(office, answer), Action.PROJECT_UPDATE, editor, target,
        {"name": "Apollo"}, {"name": "Apollo 11"},
    )  # fmt: skip

    active, archived = {"status": "active"}, {"status": "archived"}
    answer = await office.post("editor", f"/projects/{project_id}/archive")
    assert_recorded(await the_event(office, answer), Action.PROJECT_ARCHIVE, editor, target, active, archived)
    answer = await office.post("admin", f"/projects/{project_id}/unarchive")
    assert_recorded(await the_event(office, answer), Action.PROJECT_RESTORE, admin, target, archived, active)

    await new_task(office, project_id)
    answer = await office.post("admin", f"/projects/{project_id}/delete")
    before = {"name": "Apollo 11", "description": "To the moon", "status": "active", "tasks": 1}
    assert_recorded(await the_event(office, answer), Action.PROJECT_DELETE, admin, target, before, None)


async def test_each_change_of_a_task_is_recorded(office: AuditedOffice) -> None:
    """One scenario: each step starts from what the step before left."""
    editor = office.people["editor"]
    project_id, _answer = await new_project(office)
    task_id, answer = await new_task(office, project_id)
    target = ("task", task_id, "Launch")
    fields = {"title": "Launch", "status": "todo", "due_on": None, "assignee_id": None}
    after = {"project": "Apollo", **fields}
    assert_recorded(await the_event(office, answer), Action.TASK_CREATE, editor, target, None, after)

    task = f"/projects/{project_id}/tasks/{task_id}"
    answer = await office.post("editor", f"{task}/status", {"status": "doing", "version": "1"})
    assert_recorded(
        await the_event(office, answer), Action.TASK_UPDATE, editor, target,
        {"status": "todo"}, {"status": "doing"},
    )  # fmt: skip

    edit = {"title": "Land", "status": "doing", "due_on": "2026-12-24", "version": "2"}
    answer = await office.post("editor", f"{task}/edit", edit)
    target = ("task", task_id, "Land")
    assert_recorded(
        await the_event(office, answer), Action.TASK_UPDATE, editor, target,
        {"title": "Launch", "due_on": None}, {"title": "Land", "due_on": "2026-12-24"},
    )  # fmt: skip

    answer = await office.post("editor", f"{task}/delete")
    before = {
        "project": "Apollo",
        "title": "Land",
        "status": "doing",
        "due_on": "2026-12-24",
        "assignee_id": None,
    }
    assert_recorded(await the_event(office, answer), Action.TASK_DELETE, editor, target, before, None)


async def test_an_export_is_recorded_before_the_file_begins(office: AuditedOffice) -> None:
    answer = await office.get("admin", "/projects/export.csv")
    line = await the_event(office, answer)
    assert (line["Action"], line["Actor id"]) == (Action.PROJECT_EXPORT, office.people["admin"].id)
    assert line["Target id"] == office.id
    newest = (await office.lines())[0]
    assert newest["Action"] == Action.AUDIT_EXPORT, "the export contains its own entry"


async def test_the_creation_of_an_organization_is_its_first_event(
    make: Factory, open_browser: OpenBrowser
) -> None:
    alice = await make.person("Alice")
    browser = await open_browser(alice)

    answer = await browser.post("/o/new", {"name": "Initech", "description": "Makes things"})

    assert (await browser.follow(answer.headers["Location"])).status_code == 200
    organization_id = unquote(answer.headers["Location"]).partition("next=/o/")[2].split("/")[0]
    office = AuditedOffice(organization_id, "Initech", {"admin": alice}, {"admin": browser}, make.management)
    line = (await office.entries())[-1]
    target = ("organization", organization_id, "Initech")
    after = {"name": "Initech", "description": "Makes things"}
    assert_recorded(line, Action.ORGANIZATION_CREATE, alice, target, None, after)
    assert line["Request id"] == answer.headers["X-Request-Id"]


async def test_a_request_that_changes_nothing_is_not_recorded(office: AuditedOffice) -> None:
    project_id, _answer = await new_project(office)
    await office.post("editor", f"/projects/{project_id}/archive")
    length = len(await office.entries())
    await office.post("editor", f"/projects/{project_id}/archive")
    same = {"name": "Apollo", "description": "To the moon", "version": "2"}
    await office.post("editor", f"/projects/{project_id}/edit", same)
    await office.post("editor", "/projects/new", {"name": ""}, expect=422)
    await office.post("editor", f"/projects/{project_id}/tasks", {"title": "Launch"}, expect=409)
    assert len(await office.entries()) == length


async def test_a_conflicting_change_is_not_recorded(office: AuditedOffice) -> None:
    project_id, _answer = await new_project(office)
    edit = {"name": "First", "description": "", "version": "1"}
    await office.post("editor", f"/projects/{project_id}/edit", edit)
    length = len(await office.entries())
    await office.post("admin", f"/projects/{project_id}/edit", {**edit, "name": "Second"}, expect=409)
    assert len(await office.entries()) == length


async def test_a_change_that_is_rolled_back_is_not_recorded(office: AuditedOffice, work: UnitOfWork) -> None:
    length = len(await office.entries())
    with pytest.raises(RuntimeError, match="the power fails"):
        await create_project_and_fail(work, admin_of(office.id))
    assert len(await office.entries()) == length
    assert "No projects yet" in await (await office.get("admin", "/projects")).get_data(as_text=True)


async def create_project_and_fail(work: UnitOfWork, tenant: Tenant) -> None:
    async with work.writing(tenant.organization_id) as db:
        await create_project(db, tenant, ProjectInput("Apollo"))
        await db.flush()
        raise RuntimeError("the power fails")
