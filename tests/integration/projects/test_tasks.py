"""Tasks: order, status, and who wins a race."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from saas_app.db.base import new_uuid
from saas_app.errors import NotFound
from saas_app.projects.changes import archive_project, delete_task, edit_task, set_task_status
from saas_app.projects.queries.tasks import list_tasks
from saas_app.projects.service import get_project, get_task
from saas_app.projects.values import (
    ProjectArchived,
    TaskConflict,
    TaskFilter,
    TaskInput,
    TaskKey,
    TaskSort,
    TaskStatus,
    WantedTasks,
)
from tests.integration.projects.conftest import Organization

TODAY = date(2026, 11, 21)


async def titles(
    organization: Organization, project_id: uuid.UUID, shown: TaskFilter, sort: TaskSort = TaskSort.STATUS
) -> list[str]:
    rows = await organization.query(list_tasks, project_id, WantedTasks(shown, sort), after=None, limit=50)
    return [row.title for row in rows]


async def launch(acme: Organization, **values: Any) -> tuple[uuid.UUID, uuid.UUID]:
    (project_id,) = await acme.add_projects("Apollo")
    (task_id,) = await acme.add_tasks(project_id, TaskInput("Launch", **values))
    return project_id, task_id


async def click(
    organization: Organization, project_id: uuid.UUID, task_id: uuid.UUID, version: int, status: TaskStatus
) -> None:
    """Set the status of a task, as its button does."""
    async with organization.work.writing(organization.tenant.organization_id) as db:
        task = await get_task(db, organization.tenant, project_id, task_id)
        await set_task_status(db, organization.tenant, task, version, status)


async def test_tasks_in_progress_come_first_and_then_the_soonest_due(acme: Organization) -> None:
    (project_id,) = await acme.add_projects("Apollo")
    await acme.add_tasks(
        project_id,
        TaskInput("done", TaskStatus.DONE, TODAY),
        TaskInput("some day"),
        TaskInput("next week", due_on=TODAY + timedelta(days=7)),
        TaskInput("tomorrow", due_on=TODAY + timedelta(days=1)),
        TaskInput("doing", TaskStatus.DOING),
    )
    assert await titles(acme, project_id, TaskFilter.OPEN) == ["doing", "tomorrow", "next week", "some day"]
    assert await titles(acme, project_id, TaskFilter.DONE) == ["done"]
    assert (await titles(acme, project_id, TaskFilter.ALL))[-1] == "done"


@pytest.mark.parametrize(
    ("sort", "in_order"),
    [
        (TaskSort.STATUS, ["doing", "tomorrow", "next week", "some day", "done"]),
        (TaskSort.STATUS_OPPOSITE, ["done", "tomorrow", "next week", "some day", "doing"]),
        (TaskSort.DUE, ["done", "tomorrow", "next week", "some day", "doing"]),
        (TaskSort.DUE_OPPOSITE, ["next week", "tomorrow", "done", "doing", "some day"]),
    ],
)
async def test_tasks_are_in_the_chosen_order_and_those_without_a_date_at_the_end(
    acme: Organization, sort: TaskSort, in_order: list[str]
) -> None:
    (project_id,) = await acme.add_projects("Apollo")
    await acme.add_tasks(
        project_id,
        TaskInput("done", TaskStatus.DONE, TODAY),
        TaskInput("some day"),
        TaskInput("next week", due_on=TODAY + timedelta(days=7)),
        TaskInput("tomorrow", due_on=TODAY + timedelta(days=1)),
        TaskInput("doing", TaskStatus.DOING),
    )
    assert await titles(acme, project_id, TaskFilter.ALL, sort) == in_order


@pytest.mark.parametrize("sort", list(TaskSort))
async def test_paging_over_many_tasks_neither_skips_nor_repeats(acme: Organization, sort: TaskSort) -> None:
    wanted = WantedTasks(TaskFilter.ALL, sort)
    (project_id,) = await acme.add_projects("Apollo")
    statuses = list(TaskStatus)
    tasks = [
        TaskInput(f"t{n}", statuses[n % 3], TODAY + timedelta(days=n % 4) if n % 5 else None)
        for n in range(47)
    ]
    made = await acme.add_tasks(project_id, *tasks)
    seen: list[uuid.UUID] = []
    after: TaskKey | None = None
    while rows := await acme.query(list_tasks, project_id, wanted, after=after, limit=10):
        seen += [row.id for row in rows]
        after = rows[-1].key
    whole = await acme.query(list_tasks, project_id, wanted, after=None, limit=100)
    assert seen == [row.id for row in whole]
    assert set(seen) == set(made)


async def test_the_time_of_completion_stays_while_a_task_is_done(acme: Organization) -> None:
    project_id, task_id = await launch(acme)
    await click(acme, project_id, task_id, 1, TaskStatus.DONE)
    done = await acme.read(get_task, project_id, task_id)
    assert done.completed_at is not None

    await acme.write(edit_task, project_id, task_id, 2, TaskInput("Launch!", TaskStatus.DONE))

    assert (await acme.read(get_task, project_id, task_id)).completed_at == done.completed_at


async def test_reopening_a_task_clears_the_time_of_completion(acme: Organization) -> None:
    project_id, task_id = await launch(acme)
    await click(acme, project_id, task_id, 1, TaskStatus.DONE)

    await click(acme, project_id, task_id, 2, TaskStatus.TODO)

    assert (await acme.read(get_task, project_id, task_id)).completed_at is None


async def test_the_second_of_two_edits_is_a_conflict_that_holds_both_sides(acme: Organization) -> None:
    project_id, task_id = await launch(acme)
    await acme.write(edit_task, project_id, task_id, 1, TaskInput("Theirs"))
    before = await acme.read(get_project, project_id)
    with pytest.raises(TaskConflict) as caught:
        await acme.write(edit_task, project_id, task_id, 1, TaskInput("Yours", due_on=TODAY))
    assert (caught.value.theirs.title, caught.value.yours.title) == ("Theirs", "Yours")
    assert (await acme.read(get_task, project_id, task_id)).title == "Theirs"
    assert (await acme.read(get_project, project_id)).updated_at == before.updated_at


async def test_the_same_status_set_twice_is_no_conflict_and_another_one_is(acme: Organization) -> None:
    project_id, task_id = await launch(acme)
    for _ in range(2):
        await click(acme, project_id, task_id, 1, TaskStatus.DONE)
    with pytest.raises(TaskConflict) as caught:
        await click(acme, project_id, task_id, 1, TaskStatus.DOING)
    assert caught.value.theirs.status is TaskStatus.DONE


async def test_a_deleted_task_cannot_be_deleted_again(acme: Organization) -> None:
    project_id, task_id = await launch(acme)
    await acme.write(delete_task, project_id, task_id)
    with pytest.raises(NotFound):
        await acme.write(delete_task, project_id, task_id)


async def test_tasks_of_an_archived_project_cannot_be_changed(acme: Organization) -> None:
    project_id, task_id = await launch(acme)
    await acme.write(archive_project, project_id)
    for action, arguments in (
        (edit_task, (1, TaskInput("Changed"))),
        (delete_task, ()),
    ):
        with pytest.raises(ProjectArchived):
            await acme.write(action, project_id, task_id, *arguments)
    with pytest.raises(ProjectArchived):
        await click(acme, project_id, task_id, 1, TaskStatus.DONE)
    task = await acme.read(get_task, project_id, task_id)
    assert (task.title, task.status, task.version) == ("Launch", TaskStatus.TODO, 1)


async def test_a_task_is_found_only_below_its_own_project(acme: Organization, globex: Organization) -> None:
    project_id, task_id = await launch(acme)
    (other,) = await acme.add_projects("Gemini")
    (foreign,) = await globex.add_projects("Globex's")
    for organization, below in ((acme, other), (globex, project_id), (globex, foreign)):
        with pytest.raises(NotFound):
            await organization.write(edit_task, below, task_id, 1, TaskInput("Changed"))
        with pytest.raises(NotFound):
            await organization.write(delete_task, below, task_id)
        with pytest.raises(NotFound):
            await click(organization, below, task_id, 1, TaskStatus.DONE)
    assert (await acme.read(get_task, project_id, task_id)).version == 1
    assert await titles(globex, project_id, TaskFilter.ALL) == []


async def test_an_unknown_task_is_not_found(acme: Organization) -> None:
    project_id, _ = await launch(acme)
    with pytest.raises(NotFound):
        await acme.read(get_task, project_id, new_uuid())


async def test_an_open_task_is_overdue_from_the_day_after_its_due_date(acme: Organization) -> None:
    project_id, task_id = await launch(acme, due_on=TODAY)
    task = await acme.read(get_task, project_id, task_id)
    assert not task.is_overdue(TODAY)
    assert task.is_overdue(TODAY + timedelta(days=1))


async def test_a_task_that_is_done_is_never_overdue(acme: Organization) -> None:
    project_id, task_id = await launch(acme, due_on=TODAY)
    await click(acme, project_id, task_id, 1, TaskStatus.DONE)
    assert not (await acme.read(get_task, project_id, task_id)).is_overdue(TODAY + timedelta(days=1))


async def test_a_project_with_its_tasks_costs_two_statements(
    acme: Organization, count_statements: Callable[[], Any]
) -> None:
    project_id, _ = await launch(acme)
    with count_statements() as statements:
        await acme.read(get_project, project_id)
        await acme.query(list_tasks, project_id, WantedTasks(), after=None, limit=51)
    assert len(statements) == 2


async def test_of_two_changes_of_a_status_at_once_exactly_one_succeeds(acme: Organization) -> None:
    project_id, task_id = await launch(acme)
    clicks = [click(acme, project_id, task_id, 1, status) for status in (TaskStatus.DOING, TaskStatus.DONE)]
    outcomes = await asyncio.gather(*clicks, return_exceptions=True)
    assert sum(isinstance(outcome, TaskConflict) for outcome in outcomes) == 1, outcomes
    task = await acme.read(get_task, project_id, task_id)
    assert (task.version, task.status is TaskStatus.TODO) == (2, False)
