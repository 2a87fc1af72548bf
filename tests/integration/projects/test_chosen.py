"""Several projects or tasks with one action: what is done, what is skipped and why, and what is recorded."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Sequence
from html import unescape

import pytest

from saas_app.audit.recorder import Action
from saas_app.changes.rows import MAX_ROWS
from saas_app.db.base import new_uuid
from saas_app.projects import chosen_changes
from saas_app.projects.service import get_project, get_task
from saas_app.projects.values import ProjectStatus, TaskInput, TaskStatus
from saas_app.runtime import Runtime
from tests.conftest import OpenOffice
from tests.integration.projects.conftest import Organization
from tests.integration.records import actions_of
from tests.offices import Office

GONE = "It no longer exists."
CHANGED = "It has changed since you opened the list."
SAVED = "You saved the latest version just now, on another page."


@pytest.fixture
async def office(open_office: OpenOffice) -> Office:
    return await open_office(admin="Ada", editor="Eve")


async def projects_of(office: Office, *names: str) -> dict[str, str]:
    """Create projects, and return what the checkboxes of the list send for them, by name."""
    for name in names:
        await office.browser.post(f"{office.root}/projects/new", {"name": name})
    return await boxes_of(office, f"{office.root}/projects?sort=name")


async def tasks_of(office: Office, *titles: str) -> tuple[str, dict[str, str]]:
    """Create a project with tasks. Return its path, and what the checkboxes of its page send, by title."""
    answer = await office.browser.post(f"{office.root}/projects/new", {"name": "Apollo"})
    path = answer.headers["Location"]
    for title in titles:
        await office.browser.post(f"{path}/tasks", {"title": title})
    return path, await boxes_of(office, path)


async def boxes_of(office: Office, path: str) -> dict[str, str]:
    page = await office.browser.text(path)
    found = re.findall(r'name="row" value="([^"]+)" aria-label="Select ([^"]+)"', page)
    return {unescape(name): value for value, name in found}


async def act(office: Office, path: str, rows: Sequence[str], expect: int = 200, **fields: str) -> str:
    answer = await office.browser.post(path, {"row": rows, **fields}, expect)
    return unescape(str(await answer.get_data(as_text=True)))


def results_in(page: str) -> dict[str, str]:
    """Return the result of each row on the page about them, as its text."""
    rows = re.findall(r'<th scope="row">(.*?)</th><td>(.*?)</td>', page)
    return {name: re.sub(r"<[^>]+>", "", result) for name, result in rows}


async def test_all_chosen_projects_are_archived_with_an_entry_each(office: Office, runtime: Runtime) -> None:
    boxes = await projects_of(office, "Apollo", "Gemini", "Mercury")

    await act(office, f"{office.root}/projects/bulk/archive", [boxes["Apollo"], boxes["Gemini"]], 303)

    page = await office.browser.text(f"{office.root}/projects?status=archived")
    assert "2 projects archived." in page
    assert list(await boxes_of(office, f"{office.root}/projects?status=archived&sort=name")) == [
        "Apollo",
        "Gemini",
    ]
    assert (await actions_of(runtime, office.id)).count(Action.PROJECT_ARCHIVE) == 2


async def test_archived_projects_are_unarchived_together(office: Office) -> None:
    boxes = await projects_of(office, "Apollo", "Gemini")
    await act(office, f"{office.root}/projects/bulk/archive", list(boxes.values()), 303)
    archived = await boxes_of(office, f"{office.root}/projects?status=archived")

    await act(office, f"{office.root}/projects/bulk/unarchive", list(archived.values()), 303)

    assert set(await boxes_of(office, f"{office.root}/projects")) == {"Apollo", "Gemini"}


async def test_a_row_that_changed_is_reported_and_left_while_the_others_are_changed(office: Office) -> None:
    boxes = await projects_of(office, "Apollo", "Gemini", "Mercury")
    await act(office, f"{office.root}/projects/bulk/archive", [boxes["Mercury"]], 303)
    gemini = boxes["Gemini"].partition(":")[0]
    await office.browser.post(f"{office.root}/projects/{gemini}/edit", {"name": "Gemini 2", "version": "1"})

    page = await act(office, f"{office.root}/projects/bulk/archive", list(boxes.values()))

    assert results_in(page) == {
        "Apollo": "Done",
        "Gemini 2": f"Skipped {CHANGED} {SAVED}",
        "Mercury": "Skipped It is already archived.",
    }
    assert "Done: 1 of 3." in page
    assert list(await boxes_of(office, f"{office.root}/projects")) == ["Gemini 2"]


@pytest.mark.parametrize("action", ["archive", "unarchive", "delete"])
async def test_projects_of_another_organization_are_unknown(
    office: Office, open_office: OpenOffice, action: str
) -> None:
    globex = await open_office(admin="Gus")
    theirs = await projects_of(globex, "Secret")

    page = await act(office, f"{office.root}/projects/bulk/{action}", list(theirs.values()), confirmed="yes")

    assert GONE in page
    assert "Secret" not in page
    assert await boxes_of(globex, f"{globex.root}/projects") == theirs


async def test_deleting_asks_once_and_names_the_projects(office: Office) -> None:
    boxes = await projects_of(office, "Apollo", "Gemini")

    page = await act(office, f"{office.root}/projects/bulk/delete", list(boxes.values()))

    assert "Delete 2 projects?" in page
    assert "Apollo" in page
    assert "Gemini" in page
    assert await boxes_of(office, f"{office.root}/projects?sort=name") == boxes


async def test_confirmed_projects_are_deleted_with_an_entry_each(office: Office, runtime: Runtime) -> None:
    boxes = await projects_of(office, "Apollo", "Gemini")

    await act(
        office, f"{office.root}/projects/bulk/delete", list(boxes.values()), expect=303, confirmed="yes"
    )

    assert "2 projects deleted." in await office.browser.text(f"{office.root}/projects")
    assert (await actions_of(runtime, office.id)).count(Action.PROJECT_DELETE) == 2


async def test_a_project_deleted_meanwhile_is_reported(office: Office) -> None:
    boxes = await projects_of(office, "Apollo", "Gemini")
    apollo = boxes["Apollo"].partition(":")[0]
    await office.browser.post(f"{office.root}/projects/{apollo}/delete")

    page = await act(office, f"{office.root}/projects/bulk/archive", list(boxes.values()))

    assert results_in(page) == {apollo: f"Skipped {GONE}", "Gemini": "Done"}


async def test_an_editor_may_archive_but_not_delete(office: Office) -> None:
    boxes = await projects_of(office, "Apollo")
    editor = office.browsers["editor"]

    denied = await editor.post(
        f"{office.root}/projects/bulk/delete", {"row": list(boxes.values()), "confirmed": "yes"}, 403
    )

    assert "projects:delete" in await denied.get_data(as_text=True)
    assert "/bulk/delete" not in await editor.text(f"{office.root}/projects")
    await editor.post(f"{office.root}/projects/bulk/archive", {"row": list(boxes.values())}, 303)


@pytest.mark.parametrize(
    ("rows", "status", "says"),
    [
        ([], 422, "Nothing is selected."),
        ([f"{new_uuid()}:1" for _ in range(MAX_ROWS + 1)], 422, f"Select at most {MAX_ROWS} rows"),
        (["7"], 400, "The selection could not be read."),
        (["nothing:1"], 400, "The selection could not be read."),
        ([f"{new_uuid()}:-1"], 400, "The selection could not be read."),
        ([f"{new_uuid()}:{'9' * 20}"], 400, "The selection could not be read."),
        ([f"{new_uuid()}:"], 400, "The selection could not be read."),
    ],
)
async def test_a_selection_that_no_list_sends_is_rejected(
    office: Office, rows: list[str], status: int, says: str
) -> None:
    assert says in await act(office, f"{office.root}/projects/bulk/archive", rows, status)


async def test_the_answer_leads_back_to_the_list_as_it_was_filtered(office: Office) -> None:
    boxes = await projects_of(office, "Apollo")
    back = f"{office.root}/projects?q=apo&sort=name"

    answer = await office.browser.post(
        f"{office.root}/projects/bulk/archive", {"row": list(boxes.values()), "back": back}
    )

    assert answer.headers["Location"] == back


async def test_an_answer_never_leads_to_another_site(office: Office) -> None:
    boxes = await projects_of(office, "Apollo")

    answer = await office.browser.post(
        f"{office.root}/projects/bulk/archive", {"row": list(boxes.values()), "back": "//evil.example"}
    )

    assert answer.headers["Location"] == f"{office.root}/projects"


async def test_without_a_script_a_link_selects_all_rows_of_the_page(office: Office) -> None:
    await projects_of(office, "Apollo", "Gemini")

    page = await office.browser.text(f"{office.root}/projects?select=all")

    assert len(re.findall(r'<input[^>]*name="row"[^>]* checked>', page)) == 2


async def test_chosen_tasks_are_marked_as_done_with_an_entry_each(office: Office, runtime: Runtime) -> None:
    project, boxes = await tasks_of(office, "Build", "Fly", "Land")

    await act(office, f"{project}/tasks/bulk/done", [boxes["Build"], boxes["Fly"]], 303)

    page = await office.browser.text(project)
    assert "2 tasks marked as done." in page
    assert "2 of 3 done" in page
    assert (await actions_of(runtime, office.id)).count(Action.TASK_UPDATE) == 2


async def test_tasks_that_are_done_or_changed_are_reported_and_left(office: Office) -> None:
    project, boxes = await tasks_of(office, "Build", "Fly", "Land")
    build, fly = (boxes[title].partition(":")[0] for title in ("Build", "Fly"))
    await office.browser.post(f"{project}/tasks/{build}/status", {"status": "done", "version": "1"})
    await office.browser.post(f"{project}/tasks/{fly}/status", {"status": "doing", "version": "1"})

    page = await act(office, f"{project}/tasks/bulk/done", list(boxes.values()))

    assert results_in(page) == {
        "Build": "Skipped It is already done.",
        "Fly": f"Skipped {CHANGED} {SAVED}",
        "Land": "Done",
    }


async def test_tasks_of_another_project_are_unknown(office: Office) -> None:
    project, _ = await tasks_of(office, "Build")
    _, others = await tasks_of(office, "Paint")

    page = await act(office, f"{project}/tasks/bulk/delete", list(others.values()), confirmed="yes")

    assert GONE in page
    assert "Paint" not in page


async def test_chosen_tasks_are_deleted_after_one_confirmation(office: Office, runtime: Runtime) -> None:
    project, boxes = await tasks_of(office, "Build", "Fly")
    assert "Delete 2 tasks?" in await act(office, f"{project}/tasks/bulk/delete", list(boxes.values()))

    await act(office, f"{project}/tasks/bulk/delete", list(boxes.values()), 303, confirmed="yes")

    assert "No tasks yet" in await office.browser.text(project)
    assert (await actions_of(runtime, office.id)).count(Action.TASK_DELETE) == 2


@pytest.mark.parametrize("action", ["done", "delete"])
async def test_tasks_of_an_archived_project_stay_as_they_are(office: Office, action: str) -> None:
    project, boxes = await tasks_of(office, "Build")
    await office.browser.post(f"{project}/archive")

    page = await act(office, f"{project}/tasks/bulk/{action}", list(boxes.values()), 409, confirmed="yes")

    assert "“Apollo” is archived. Unarchive it to change its tasks." in re.sub("[\u2068\u2069]", "", page)


async def test_rows_that_were_all_skipped_leave_the_time_of_the_last_activity(acme: Organization) -> None:
    (project_id,) = await acme.add_projects("Apollo")
    before = await acme.read(get_project, project_id)

    await acme.write(chosen_changes.complete_tasks, project_id, {uuid.uuid4(): 1})

    assert (await acme.read(get_project, project_id)).updated_at == before.updated_at


async def test_of_two_people_who_archive_and_rename_at_once_one_is_told(acme: Organization) -> None:
    """Both changes of each row are made one after the other, so no row is archived under a name not seen."""
    ids = await acme.add_projects(*(f"P{number}" for number in range(5)))
    chosen = dict.fromkeys(ids, 1)

    first, second = await asyncio.gather(
        acme.write(chosen_changes.archive_projects, chosen),
        acme.write(chosen_changes.delete_projects, chosen),
    )

    assert all(a.is_done is not b.is_done for a, b in zip(first, second, strict=True))


async def test_tasks_done_together_have_one_time_of_completion_and_new_versions(acme: Organization) -> None:
    (project_id,) = await acme.add_projects("Apollo")
    ids = await acme.add_tasks(project_id, TaskInput("Build"), TaskInput("Fly"))

    await acme.write(chosen_changes.complete_tasks, project_id, dict.fromkeys(ids, 1))

    done = [await acme.read(get_task, project_id, task_id) for task_id in ids]
    assert {task.status for task in done} == {TaskStatus.DONE}
    assert [task.version for task in done] == [2, 2]
    assert len({task.completed_at for task in done}) == 1


async def test_a_project_archived_with_others_has_a_new_version(acme: Organization) -> None:
    ids = await acme.add_projects("Apollo", "Gemini")

    await acme.write(chosen_changes.archive_projects, dict.fromkeys(ids, 1))

    found = [await acme.read(get_project, project_id) for project_id in ids]
    assert [(project.status, project.version) for project in found] == [(ProjectStatus.ARCHIVED, 2)] * 2
