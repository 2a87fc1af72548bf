"""Reading page by page during changes: everything that was there all along appears."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest

from saas_app.projects import changes, service
from saas_app.projects.cursors import project_page, read_project_place, read_task_place, task_page
from saas_app.projects.queries import projects as queries
from saas_app.projects.service import page_projects, page_tasks
from saas_app.projects.values import (
    ProjectFilter,
    ProjectInput,
    ProjectSort,
    TaskFilter,
    TaskInput,
    TaskSort,
    TaskStatus,
    WantedTasks,
)
from tests.integration.projects.conftest import Organization

SORTS = list(ProjectSort)


async def walk(acme: Organization, sort: ProjectSort, size: int = 3) -> AsyncIterator[list[Any]]:
    """Yield the pages of the list, each read with the cursor of the previous page."""
    cursor: str | None = None
    while True:
        async with acme.work.reading(acme.tenant.organization_id) as db:
            place = read_project_place(cursor, sort)
            page = project_page(await page_projects(db, ProjectFilter(sort=sort), place, size), cursor)
        yield list(page.items)
        cursor = page.next_cursor
        if cursor is None:
            return


async def rename(acme: Organization, project_id: uuid.UUID, name: str) -> None:
    project = await acme.read(service.get_project, project_id)
    await acme.write(changes.edit_project, project_id, project.version, ProjectInput(name))


@pytest.mark.parametrize("sort", SORTS)
async def test_without_changes_every_project_appears_once_in_order(
    acme: Organization, sort: ProjectSort
) -> None:
    ids = await acme.add_projects(*(f"P{number}" for number in range(9)))
    seen = [row.id async for page in walk(acme, sort) for row in page]
    assert seen == (ids[::-1] if sort.is_down else ids)


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("touched", range(10))
async def test_a_project_changed_between_two_pages_appears(
    acme: Organization, sort: ProjectSort, touched: int
) -> None:
    ids = await acme.add_projects(*(f"P{number}" for number in range(10)))
    seen: list[uuid.UUID] = []
    async for page in walk(acme, sort):
        seen += [row.id for row in page]
        if len(seen) == 3:
            await acme.add_tasks(ids[touched], TaskInput("Now"))
    assert set(seen) == set(ids)


@pytest.mark.parametrize("sort", SORTS)
async def test_constant_changes_hide_no_project(acme: Organization, sort: ProjectSort) -> None:
    ids = await acme.add_projects(*(f"P{number:02}" for number in range(20)))
    seen: list[uuid.UUID] = []
    number = 0
    async for page in walk(acme, sort):
        seen += [row.id for row in page]
        if number < 30:  # endless changes would make the list endless
            for offset in (3, 11, 17):
                await rename(acme, ids[(number * 7 + offset) % 20], f"{'AZ'[number % 2]}{number}")
                number += 1
            await acme.add_projects(f"M{number}")
    assert set(ids) <= set(seen)


async def test_a_host_whose_clock_is_late_hides_no_project(
    acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = await acme.add_projects(*(f"P{number}" for number in range(10)))
    late = (await acme.read(service.get_project, ids[0])).created_at
    seen: list[uuid.UUID] = []
    async for page in walk(acme, ProjectSort.UPDATED):
        seen += [row.id for row in page]
        if len(seen) == 3:
            monkeypatch.setattr(queries, "utc_now", lambda: late)
            await acme.add_tasks(ids[0], TaskInput("Late"))
    assert set(seen) == set(ids)


@pytest.mark.parametrize("sort", list(TaskSort))
async def test_a_task_that_moves_between_two_pages_appears(acme: Organization, sort: TaskSort) -> None:
    (project_id,) = await acme.add_projects("Rover")
    ids = await acme.add_tasks(project_id, *(TaskInput(f"T{number}") for number in range(10)))
    seen: list[uuid.UUID] = []
    cursor: str | None = None
    while True:
        async with acme.work.reading(acme.tenant.organization_id) as db:
            project = await service.get_project(db, acme.tenant, project_id)
            place = read_task_place(cursor)
            wanted = WantedTasks(TaskFilter.ALL, sort)
            page = task_page(await page_tasks(db, project, wanted, place, 3), cursor)
        seen += [row.id for row in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
        if len(seen) == 3:
            for task_id, status in ((ids[9], TaskStatus.DOING), (ids[0], TaskStatus.DONE)):
                task = await acme.read(service.get_task, project_id, task_id)
                await acme.write(changes.set_task_status, task, task.version, status)
    assert set(seen) == set(ids)


async def test_an_export_contains_every_task_once_while_tasks_move(
    acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "_EXPORT_BATCH", 2)
    (project_id,) = await acme.add_projects("Rover")
    ids = await acme.add_tasks(project_id, *(TaskInput(f"T{number}") for number in range(6)))
    seen: list[uuid.UUID | None] = []
    async with acme.work.reading(acme.tenant.organization_id) as db:
        async for rows in service.export_rows(db):
            seen += [row.task_id for row in rows]
            for task_id in (ids[0], ids[5]):
                task = await acme.read(service.get_task, project_id, task_id)
                done = TaskStatus.DONE if task.status is TaskStatus.TODO else TaskStatus.DOING
                await acme.write(changes.set_task_status, task, task.version, done)
    assert seen == ids
