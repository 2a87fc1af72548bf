"""Creating, editing, archiving and deleting projects: what is saved, and who wins a race."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest

from saas_app.db.base import new_uuid
from saas_app.errors import NotFound, VersionConflict
from saas_app.identity.directory import Directory
from saas_app.projects.changes import (
    add_task,
    archive_project,
    create_project,
    delete_project,
    edit_project,
    unarchive_project,
)
from saas_app.projects.queries.tasks import list_tasks
from saas_app.projects.service import get_project, get_task
from saas_app.projects.values import (
    ProjectArchived,
    ProjectConflict,
    ProjectDetail,
    ProjectInput,
    ProjectStatus,
    TaskFilter,
    TaskInput,
    TaskRow,
    TaskStatus,
    WantedTasks,
)
from tests.integration.projects.conftest import Organization


async def detail(organization: Organization, project_id: uuid.UUID) -> ProjectDetail:
    found: ProjectDetail = await organization.read(get_project, project_id)
    return found


async def test_a_new_project_is_active_and_belongs_to_its_creator(acme: Organization) -> None:
    project_id = await acme.write(create_project, ProjectInput("Apollo", "The moon"))
    project = await detail(acme, project_id)
    assert (project.name, project.description) == ("Apollo", "The moon")
    assert (project.status, project.version) == (ProjectStatus.ACTIVE, 1)
    assert project.created_by == acme.tenant.principal.subject  # no name is known for it
    assert project.created_at == project.updated_at


async def test_an_edit_increments_the_version(acme: Organization) -> None:
    (project_id,) = await acme.add_projects("Apollo")
    await acme.write(edit_project, project_id, 1, ProjectInput("Gemini", "Two seats"))
    project = await detail(acme, project_id)
    assert (project.name, project.description, project.version) == ("Gemini", "Two seats", 2)
    assert project.updated_at > project.created_at


async def test_the_second_of_two_edits_is_a_conflict_that_holds_both_sides(acme: Organization) -> None:
    (project_id,) = await acme.add_projects("Apollo")
    await acme.write(edit_project, project_id, 1, ProjectInput("Theirs"))

    with pytest.raises(ProjectConflict) as caught:
        await acme.write(edit_project, project_id, 1, ProjectInput("Yours"))

    assert caught.value.status == 409
    assert (caught.value.theirs.name, caught.value.yours.name) == ("Theirs", "Yours")
    assert (await detail(acme, project_id)).name == "Theirs"
    await acme.write(edit_project, project_id, caught.value.theirs.version, caught.value.yours)
    assert (await detail(acme, project_id)).name == "Yours"


async def test_the_same_edit_sent_twice_is_no_conflict(acme: Organization) -> None:
    (project_id,) = await acme.add_projects("Apollo")
    for _ in range(2):
        await acme.write(edit_project, project_id, 1, ProjectInput("Gemini"))
    assert (await detail(acme, project_id)).version == 2


async def test_archiving_twice_is_the_same_as_once(acme: Organization) -> None:
    (project_id,) = await acme.add_projects("Apollo")
    for _ in range(2):
        await acme.write(archive_project, project_id)
    project = await detail(acme, project_id)
    assert (project.is_archived, project.version) == (True, 2)


async def test_a_restored_project_is_active(acme: Organization) -> None:
    (project_id,) = await acme.add_projects("Apollo")
    await acme.write(archive_project, project_id)
    await acme.write(unarchive_project, project_id)
    assert not (await detail(acme, project_id)).is_archived


async def test_an_archived_project_accepts_tasks_only_after_it_is_restored(acme: Organization) -> None:
    (project_id,) = await acme.add_projects("Apollo")
    await acme.write(archive_project, project_id)
    with pytest.raises(ProjectArchived, match="Apollo"):
        await acme.write(add_task, project_id, TaskInput("Launch"))

    await acme.write(unarchive_project, project_id)

    await acme.write(add_task, project_id, TaskInput("Launch"))
    assert (await detail(acme, project_id)).open_tasks == 1


async def test_deleting_a_project_deletes_its_tasks_and_no_others(acme: Organization) -> None:
    doomed, kept = await acme.add_projects("Doomed", "Kept")
    (gone,) = await acme.add_tasks(doomed, TaskInput("Gone"))
    (stays,) = await acme.add_tasks(kept, TaskInput("Stays"))
    await acme.write(delete_project, doomed)
    with pytest.raises(NotFound):
        await detail(acme, doomed)
    with pytest.raises(NotFound):
        await acme.read(get_task, doomed, gone)
    assert (await acme.read(get_task, kept, stays)).title == "Stays"


@pytest.mark.parametrize("action", [archive_project, unarchive_project, delete_project])
async def test_an_outdated_version_is_a_conflict(acme: Organization, action: Any) -> None:
    (project_id,) = await acme.add_projects("Apollo")
    await acme.write(edit_project, project_id, 1, ProjectInput("Theirs"))
    before = await detail(acme, project_id)
    with pytest.raises(VersionConflict):
        await acme.write(action, project_id, 1)
    assert await detail(acme, project_id) == before


ON_A_PROJECT: list[tuple[Any, tuple[Any, ...]]] = [
    (edit_project, (1, ProjectInput("Mine now"))),
    (archive_project, ()),
    (unarchive_project, ()),
    (delete_project, ()),
    (add_task, (TaskInput("Mine now"),)),
]


@pytest.mark.parametrize(
    ("action", "arguments"), ON_A_PROJECT, ids=lambda value: getattr(value, "__name__", "")
)
async def test_a_project_of_another_organization_does_not_exist(
    acme: Organization, globex: Organization, action: Any, arguments: tuple[Any, ...]
) -> None:
    (project_id,) = await acme.add_projects("Apollo")
    with pytest.raises(NotFound):
        await globex.write(action, project_id, *arguments)
    with pytest.raises(NotFound):
        await globex.read(get_project, project_id)
    project = await detail(acme, project_id)
    assert (project.name, project.version, project.all_tasks) == ("Apollo", 1, 0)


async def test_an_unknown_project_is_not_found(acme: Organization) -> None:
    with pytest.raises(NotFound):
        await acme.read(get_project, new_uuid())
    rows: list[TaskRow] = await acme.query(
        list_tasks, new_uuid(), WantedTasks(TaskFilter.ALL), after=None, limit=5
    )
    assert rows == []


async def test_a_creator_whose_name_is_known_is_shown_by_name(acme: Organization) -> None:
    await remember_name(acme, "Alice")
    (project_id,) = await acme.add_projects("Apollo")
    assert (await detail(acme, project_id)).created_by == "Alice"


async def remember_name(organization: Organization, name: str) -> None:
    claims = {"sub": organization.tenant.principal.subject, "name": name}
    await Directory(organization.work).remember_user(claims)


async def test_open_and_done_tasks_are_counted_separately(acme: Organization) -> None:
    (project_id,) = await acme.add_projects("Apollo")
    await acme.add_tasks(project_id, *(TaskInput("t", status) for status in TaskStatus))
    project = await detail(acme, project_id)
    assert (project.open_tasks, project.done_tasks, project.all_tasks) == (2, 1, 3)


async def test_of_eight_edits_at_once_exactly_one_succeeds(acme: Organization) -> None:
    (project_id,) = await acme.add_projects("Apollo")
    edits = [acme.write(edit_project, project_id, 1, ProjectInput(f"Edit {number}")) for number in range(8)]
    outcomes = await asyncio.gather(*edits, return_exceptions=True)
    assert [outcome for outcome in outcomes if not isinstance(outcome, ProjectConflict)] == [None]
    winner = outcomes.index(None)
    project = await detail(acme, project_id)
    assert (project.name, project.version) == (f"Edit {winner}", 2)
