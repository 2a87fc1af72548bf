"""The summary for the overview, the export, and the demo data."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from saas_app.db.base import utc_now
from saas_app.projects import service
from saas_app.projects.changes import archive_project
from saas_app.projects.seed import SeedProject, SeedTask, seed_projects
from saas_app.projects.service import export_rows, summarize
from saas_app.projects.values import Count, ExportRow, ProjectStatus, TaskInput, TaskStatus
from tests.integration.projects.conftest import Organization

SEED = (
    SeedProject(
        "Apollo",
        "The moon",
        updated_days_ago=2,
        tasks=(
            SeedTask("Launch", TaskStatus.DONE, completed_days_ago=0),
            SeedTask("Land", TaskStatus.DONE, completed_days_ago=13),
            SeedTask("Return", TaskStatus.DONE, completed_days_ago=14),
            SeedTask("Splash down", TaskStatus.DOING, due_in_days=3),
        ),
    ),
    SeedProject("Mercury", archived=True, tasks=(SeedTask("Orbit"),)),
    *(SeedProject(f"Probe {number}", updated_days_ago=10 + number) for number in range(6)),
)


async def seed(organization: Organization, *projects: SeedProject) -> tuple[str, ...]:
    async with organization.work.writing(organization.tenant.organization_id) as db:
        return await seed_projects(db, "user_demo", projects)


async def test_the_summary_of_a_new_organization_is_empty(acme: Organization) -> None:
    summary = await acme.query(summarize)
    assert [summary.active, summary.archived, summary.open_tasks, summary.done_tasks] == [Count(0)] * 4
    assert summary.recent == ()
    assert [day.count for day in summary.completed_by_day] == [Count(0)] * 14


async def test_the_summary_counts_active_projects_and_tasks(acme: Organization, globex: Organization) -> None:
    await seed(acme, *SEED)
    await seed(globex, SeedProject("Theirs", tasks=(SeedTask("t"),)))
    summary = await acme.query(summarize)
    assert (summary.active, summary.archived) == (Count(7), Count(1))
    assert (summary.open_tasks, summary.done_tasks) == (Count(1), Count(3))
    assert [project.name for project in summary.recent] == ["Apollo", *(f"Probe {n}" for n in range(4))]


async def test_the_summary_shows_what_was_completed_on_each_of_fourteen_days(acme: Organization) -> None:
    await seed(acme, *SEED)
    days = (await acme.query(summarize)).completed_by_day
    today = utc_now().date()
    assert [day.day for day in days] == [today - timedelta(days=ago) for ago in reversed(range(14))]
    assert [day.count.number for day in days] == [1, *[0] * 12, 1]  # without the task completed 14 days ago


async def test_the_summary_costs_one_statement(
    acme: Organization, count_statements: Callable[[], Any]
) -> None:
    with count_statements() as statements:
        await acme.query(summarize)
    assert len(statements) == 1


async def test_seeding_again_adds_only_new_projects(acme: Organization) -> None:
    assert await seed(acme, *SEED) == tuple(project.name for project in SEED)
    before = await exported(acme)
    assert await seed(acme, *SEED) == ()
    assert await exported(acme) == before
    assert await seed(acme, *SEED, SeedProject("Gemini")) == ("Gemini",)


async def test_a_name_that_appears_twice_is_seeded_once(acme: Organization) -> None:
    assert await seed(acme, SeedProject("Apollo"), SeedProject("Apollo")) == ("Apollo",)


async def test_two_organizations_are_seeded_independently(acme: Organization, globex: Organization) -> None:
    await seed(acme, SeedProject("Apollo"))
    assert await seed(globex, SeedProject("Apollo")) == ("Apollo",)


async def exported(organization: Organization) -> list[ExportRow]:
    async with organization.work.reading(organization.tenant.organization_id) as db:
        return [row async for batch in export_rows(db) for row in batch]


@pytest.mark.parametrize("batch", [1, 2, 3, 500])
async def test_the_export_contains_every_task_and_every_empty_project_once(
    acme: Organization, globex: Organization, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(service, "_EXPORT_BATCH", batch)
    full, empty, archived = await acme.add_projects("Full", "Empty", "Archived")
    tasks = [TaskInput(f"t{number}", list(TaskStatus)[number % 3]) for number in range(7)]
    await acme.add_tasks(full, *tasks)
    await acme.add_tasks(archived, TaskInput("old", TaskStatus.DONE))
    await acme.write(archive_project, archived)
    (theirs,) = await globex.add_projects("Theirs")
    await globex.add_tasks(theirs, TaskInput("secret"))
    rows = await exported(acme)
    assert sorted((row.project, row.task or "") for row in rows) == [
        ("Archived", "old"),
        ("Empty", ""),
        *(("Full", f"t{number}") for number in range(7)),
    ]
    assert {row.project: row.project_status for row in rows}["Archived"] is ProjectStatus.ARCHIVED
    assert next(row for row in rows if row.project_id == empty).task_id is None
