"""The list of projects: search, filter, sort, paging, progress, and what it costs."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from saas_app.projects.changes import archive_project, edit_project, unarchive_project
from saas_app.projects.queries.project_list import list_projects
from saas_app.projects.values import (
    ProjectFilter,
    ProjectInput,
    ProjectKey,
    ProjectSort,
    StatusFilter,
    TaskInput,
    TaskStatus,
)
from tests.integration.projects.conftest import Organization

USUAL = ProjectFilter()


async def names(organization: Organization, wanted: ProjectFilter = USUAL) -> list[str]:
    rows = await organization.query(list_projects, wanted, after=None, limit=100)
    return [row.name for row in rows]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("apollo", ["Apollo", "Apollo Ümlaut"]),
        ("APOLLO", ["Apollo", "Apollo Ümlaut"]),
        ("ümLAUT", ["Apollo Ümlaut"]),
        ("100%", ["100% done"]),
        ("%", ["100% done"]),
        ("_", ["snake_case"]),
        ("/", ["a/b"]),
        ("\\", ["back\\slash"]),
        ("'", ["it's"]),
        ("straße", ["STRASSE"]),
        ("nothing like it", []),
    ],
)
async def test_search_finds_a_part_of_the_name_in_any_case_without_wildcards(
    acme: Organization, search: str, found: list[str]
) -> None:
    await acme.add_projects(
        "Apollo", "Apollo Ümlaut", "100% done", "snake_case", "a/b", "back\\slash", "it's", "STRASSE"
    )
    assert await names(acme, ProjectFilter(search=search, sort=ProjectSort.NAME)) == found


async def test_a_renamed_project_is_found_by_its_new_name_only(acme: Organization) -> None:
    (project_id,) = await acme.add_projects("Apollo")
    await acme.write(edit_project, project_id, 1, ProjectInput("Gemini"))
    assert await names(acme, ProjectFilter(search="gem")) == ["Gemini"]
    assert await names(acme, ProjectFilter(search="apo")) == []


async def test_the_filter_separates_active_from_archived(acme: Organization) -> None:
    old, _ = await acme.add_projects("Old", "New")
    await acme.write(archive_project, old)
    by_status = {
        status: await names(acme, ProjectFilter(status=status, sort=ProjectSort.NAME))
        for status in StatusFilter
    }
    assert by_status == {
        StatusFilter.ACTIVE: ["New"],
        StatusFilter.ARCHIVED: ["Old"],
        StatusFilter.ALL: ["New", "Old"],
    }


async def test_restoring_a_project_brings_it_to_the_top(acme: Organization) -> None:
    old, _ = await acme.add_projects("Old", "New")
    await acme.write(archive_project, old)
    await acme.write(unarchive_project, old)
    assert await names(acme) == ["Old", "New"]


async def test_names_are_sorted_regardless_of_case(acme: Organization) -> None:
    await acme.add_projects("beta", "Alpha", "alpine")
    assert await names(acme, ProjectFilter(sort=ProjectSort.NAME)) == ["Alpha", "alpine", "beta"]
    assert await names(acme, ProjectFilter(sort=ProjectSort.NAME_OPPOSITE)) == ["beta", "alpine", "Alpha"]


async def test_changing_a_task_brings_its_project_to_the_top(acme: Organization) -> None:
    first, _ = await acme.add_projects("First", "Second")
    assert await names(acme) == ["Second", "First"]
    await acme.add_tasks(first, TaskInput("Launch"))
    assert await names(acme) == ["First", "Second"]


async def test_a_row_shows_how_many_tasks_are_open_and_done(acme: Organization) -> None:
    project_id, _ = await acme.add_projects("Apollo", "Empty")
    await acme.add_tasks(project_id, *(TaskInput("t", status) for status in [*TaskStatus, TaskStatus.DONE]))
    rows = await acme.query(list_projects, ProjectFilter(), after=None, limit=20)
    assert [(row.name, row.open_tasks, row.done_tasks, row.all_tasks) for row in rows] == [
        ("Apollo", 2, 2, 4),
        ("Empty", 0, 0, 0),
    ]


@pytest.mark.parametrize("sort", list(ProjectSort))
@pytest.mark.parametrize("status", [StatusFilter.ACTIVE, StatusFilter.ALL])
async def test_paging_over_many_rows_neither_skips_nor_repeats(
    acme: Organization, sort: ProjectSort, status: StatusFilter
) -> None:
    made = await acme.add_projects(*(f"Project {number % 7}" for number in range(53)))  # names repeat
    wanted = ProjectFilter(search="project", status=status, sort=sort)
    whole = await acme.query(list_projects, wanted, after=None, limit=100)
    seen: list[uuid.UUID] = []
    after: ProjectKey | None = None
    while rows := await acme.query(list_projects, wanted, after=after, limit=20):
        seen += [row.id for row in rows]
        after = rows[-1].key(sort)
    assert seen == [row.id for row in whole]
    assert set(seen) == set(made)


@pytest.mark.parametrize("column", ["updated", "name", "created"])
async def test_the_opposite_order_is_the_same_list_backwards(acme: Organization, column: str) -> None:
    await acme.add_projects(*(f"Project {number % 3}" for number in range(9)))  # names repeat
    one, opposite = [
        await acme.query(list_projects, ProjectFilter(sort=sort), after=None, limit=100)
        for sort in (ProjectSort(column), ProjectSort(f"-{column}"))
    ]
    assert [row.id for row in opposite] == [row.id for row in reversed(one)]


async def test_a_project_added_meanwhile_does_not_shift_the_next_page(acme: Organization) -> None:
    await acme.add_projects(*(f"Project {number}" for number in range(6)))
    wanted = ProjectFilter()
    first = await acme.query(list_projects, wanted, after=None, limit=3)
    await acme.add_projects("Newcomer")
    second = await acme.query(list_projects, wanted, after=first[-1].key(wanted.sort), limit=3)
    assert [row.name for row in second] == ["Project 2", "Project 1", "Project 0"]


async def test_another_organization_does_not_see_a_project(acme: Organization, globex: Organization) -> None:
    (project_id,) = await acme.add_projects("Apollo")
    await acme.add_tasks(project_id, TaskInput("Launch"))
    assert await names(globex, ProjectFilter(status=StatusFilter.ALL)) == []


@pytest.mark.parametrize(("search", "expected"), [("", 1), ("a", 2)])
async def test_a_page_costs_one_statement_and_a_search_another(
    acme: Organization, count_statements: Callable[[], Any], search: str, expected: int
) -> None:
    await acme.add_projects("Apollo")
    wanted = ProjectFilter(search=search, sort=ProjectSort.NAME)
    with count_statements() as statements:
        await acme.query(list_projects, wanted, after=("A", uuid.UUID(int=0)), limit=21)
    assert len(statements) == expected
