"""The pages of projects and tasks: what they offer, reject, keep and lead to."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from saas_app.rbac.permissions import Permission, roles_granting
from saas_app.web import reader
from tests.clients import Browser
from tests.conftest import OpenOffice
from tests.offices import Office


@dataclass(frozen=True, slots=True)
class Desk:
    """A member at the projects of their organization."""

    browser: Browser
    root: str

    async def text(self, path: str, expect: int = 200) -> str:
        """Return a page as HTML."""
        return str(await (await self.browser.get(path, expect)).get_data(as_text=True))

    async def new_project(self, name: str, description: str = "") -> str:
        """Create a project with its form, and return the path of its page."""
        answer = await self.browser.post(f"{self.root}/new", {"name": name, "description": description})
        return str(answer.headers["Location"])

    async def new_task(self, project: str, title: str) -> str:
        """Add a task with its form, and return the path below which it is changed."""
        answer = await self.browser.post(f"{project}/tasks", {"title": title})
        task_id = str(answer.headers["Location"]).partition("added=")[2]
        return f"{project}/tasks/{task_id}"


def desks_of(office: Office) -> dict[str, Desk]:
    return {role: Desk(browser, f"{office.root}/projects") for role, browser in office.browsers.items()}


@pytest.fixture
async def desks(open_office: OpenOffice) -> dict[str, Desk]:
    """A desk for each role, in one organization."""
    return desks_of(await open_office(admin="Ada", editor="Eve", viewer="Vera"))


@pytest.fixture
async def editor(open_office: OpenOffice) -> Desk:
    return desks_of(await open_office(editor="Eve"))["editor"]


async def test_without_projects_the_list_says_so(editor: Desk) -> None:
    assert "No projects yet" in await editor.text(editor.root)


async def test_a_new_project_shows_its_texts_escaped_and_no_tasks(editor: Desk) -> None:
    page = await editor.text(await editor.new_project(" Apollo <b> ", "one\r\ntwo"))
    assert "Apollo &lt;b&gt;" in page
    assert "one\ntwo" in page
    assert "No tasks yet" in page


async def test_a_new_task_counts_on_the_page_and_in_the_list(editor: Desk) -> None:
    project = await editor.new_project("Apollo")

    await editor.new_task(project, "Launch")

    page = await editor.text(project)
    assert "“Launch” was added." in page
    assert "0 of 1 done" in page
    assert "0 of 1" in await editor.text(editor.root)


async def test_changing_a_status_keeps_the_filter(editor: Desk) -> None:
    project = await editor.new_project("Apollo")
    task = await editor.new_task(project, "Launch")
    answer = await editor.browser.post(f"{task}/status?show=all", {"status": "done", "version": "1"})
    assert answer.headers["Location"] == f"{project}?show=all#task-{task.rpartition('/')[2]}"
    assert "1 of 1 done" in await editor.text(f"{project}?show=all")
    assert "All tasks are done" in await editor.text(project)


async def test_an_invalid_form_keeps_what_was_typed_and_focuses_the_field(editor: Desk) -> None:
    answer = await editor.browser.post(f"{editor.root}/new", {"name": " ", "description": "kept & safe"}, 422)
    page = await answer.get_data(as_text=True)
    assert "kept &amp; safe" in page
    (focused,) = re.findall(r"<(?:input|textarea)[^>]*autofocus[^>]*>", page)
    assert 'name="name"' in focused
    assert 'aria-invalid="true"' in focused
    assert "Enter a name for the project." in page


async def test_an_invalid_task_keeps_what_was_typed(editor: Desk) -> None:
    project = await editor.new_project("Apollo")

    answer = await editor.browser.post(f"{project}/tasks", {"title": "Launch", "due_on": "soon"}, 422)

    page = await answer.get_data(as_text=True)
    assert 'value="Launch"' in page
    assert 'value="soon"' in page
    assert 'aria-describedby="due_on-error"' in page


async def test_reloading_the_url_of_a_form_for_tasks_leads_to_the_project(editor: Desk) -> None:
    project = await editor.new_project("Apollo")
    back = await editor.browser.get(f"{project}/tasks?show=done", 303)
    assert back.headers["Location"] == f"{project}?show=done"


MINE = {"name": "Mine", "description": "Original", "version": "1"}


@pytest.fixture
async def changed_meanwhile(desks: dict[str, Desk]) -> str:
    """The path of a project that the admin renamed after the editor opened the form."""
    project = await desks["editor"].new_project("Apollo", "Original")
    await desks["admin"].browser.post(f"{project}/edit", {**MINE, "name": "Theirs"})
    return project


async def test_a_change_made_meanwhile_is_shown_beside_ones_own(
    desks: dict[str, Desk], changed_meanwhile: str
) -> None:
    answer = await desks["editor"].browser.post(f"{changed_meanwhile}/edit", MINE, 409)

    page = await answer.get_data(as_text=True)
    assert re.findall(r'type="radio" name="(\w+)" value="(\w+)"( checked)?', page) == [
        ("name", "Theirs", ""),
        ("name", "Mine", " checked"),
    ]
    assert '<input type="hidden" name="version" value="2">' in page
    assert '<input type="hidden" name="description" value="Original">' in page
    assert "Theirs</h1>" in await desks["editor"].text(changed_meanwhile)


async def test_a_conflict_names_who_saved_the_latest_version(
    desks: dict[str, Desk], changed_meanwhile: str
) -> None:
    answer = await desks["editor"].browser.post(f"{changed_meanwhile}/edit", MINE, 409)

    assert re.search(
        r"\w+ saved the latest version <time [^>]+>just now</time>", await answer.get_data(as_text=True)
    )


async def test_a_conflict_with_ones_own_edit_says_so(desks: dict[str, Desk], changed_meanwhile: str) -> None:
    answer = await desks["admin"].browser.post(f"{changed_meanwhile}/edit", MINE, 409)

    assert "You saved the latest version" in await answer.get_data(as_text=True)


async def test_the_page_that_shows_a_conflict_saves_the_choice(
    desks: dict[str, Desk], changed_meanwhile: str
) -> None:
    await desks["editor"].browser.post(f"{changed_meanwhile}/edit", {**MINE, "version": "2"})
    assert "Mine</h1>" in await desks["editor"].text(changed_meanwhile)


async def test_a_task_changed_meanwhile_is_shown_beside_ones_own_change(editor: Desk) -> None:
    project = await editor.new_project("Apollo")
    task = await editor.new_task(project, "Launch")
    await editor.browser.post(f"{task}/status", {"status": "done", "version": "1"})
    answer = await editor.browser.post(f"{task}/status", {"status": "doing", "version": "1"}, 409)
    page = await answer.get_data(as_text=True)
    assert re.findall(r'type="radio" name="(\w+)" value="(\w+)"', page) == [
        ("status", "done"),
        ("status", "doing"),
    ]
    assert f'action="{task}/edit"' in page


async def test_an_archived_project_is_listed_apart_and_accepts_no_tasks(editor: Desk) -> None:
    project = await editor.new_project("Apollo")

    await editor.browser.post(f"{project}/archive")

    assert "No active projects" in await editor.text(editor.root)
    assert "Apollo" in await editor.text(f"{editor.root}?status=archived")
    await editor.browser.post(f"{project}/tasks", {"title": "Launch"}, 409)


async def test_a_restored_project_is_active_again(editor: Desk) -> None:
    project = await editor.new_project("Apollo")
    await editor.browser.post(f"{project}/archive")

    await editor.browser.post(f"{project}/unarchive")

    assert "Apollo" in await editor.text(editor.root)


async def test_deleting_a_project_asks_for_confirmation_by_name(desks: dict[str, Desk]) -> None:
    admin = desks["admin"]
    project = await admin.new_project("Apollo")
    await admin.new_task(project, "Launch")
    page = await admin.text(f"{project}/delete")
    assert "Delete “Apollo”?" in page
    assert "Its task is deleted too." in page


async def test_a_deleted_project_is_not_found(desks: dict[str, Desk]) -> None:
    admin = desks["admin"]
    project = await admin.new_project("Apollo")

    answer = await admin.browser.post(f"{project}/delete")

    assert "“Apollo” was deleted." in await admin.text(answer.headers["Location"])
    await admin.browser.get(project, 404)


async def test_paging_shows_every_project_once(editor: Desk) -> None:
    for number in range(23):
        await editor.new_project(f"Project {number:02}")
    first = await editor.text(f"{editor.root}?q=project&sort=name")
    following = re.search(r'rel="next" href="([^"]+)"', first)
    assert following
    second = await editor.text(editor.root + following[1].replace("&amp;", "&"))
    names = re.findall(r'class="row-title"[^>]*>(Project \d\d)<', first + second)
    assert names == [f"Project {number:02}" for number in range(23)]


async def test_a_made_up_cursor_is_a_bad_request(editor: Desk) -> None:
    project = await editor.new_project("Apollo")
    for path in (f"{editor.root}?after=made-up", f"{project}?after=WyJhIiwiYiIsImMiXQ"):
        await editor.browser.get(path, 400)


async def test_each_role_is_offered_what_it_may_do(desks: dict[str, Desk]) -> None:
    project = await desks["editor"].new_project("Apollo")
    await desks["editor"].new_task(project, "Launch")
    lists = {role: await desk.text(desk.root) for role, desk in desks.items()}
    pages = {role: await desk.text(project) for role, desk in desks.items()}

    def offered(texts: dict[str, str], what: str) -> set[str]:
        return {role for role, text in texts.items() if what in text}

    def granted(permission: Permission) -> set[str]:
        return {role.value for role in roles_granting(permission)} & desks.keys()

    writers = granted(Permission.PROJECTS_WRITE)
    assert offered(lists, "/projects/new") == writers
    assert offered(lists, "/export.csv") == granted(Permission.PROJECTS_EXPORT)
    assert offered(lists, f"Requires the {' or '.join(sorted(writers))} role") == desks.keys() - writers
    assert offered(pages, "/edit") == writers
    assert offered(pages, "/status") == writers
    assert offered(pages, f"{project}/delete") == granted(Permission.PROJECTS_DELETE)
    assert offered(pages, "Launch") == granted(Permission.PROJECTS_READ)


async def test_the_export_is_a_csv_file_of_all_projects_and_tasks(desks: dict[str, Desk]) -> None:
    project = await desks["editor"].new_project("=Apollo")
    await desks["editor"].new_task(project, "Launch")

    answer = await desks["admin"].browser.get(f"{desks['admin'].root}/export.csv")

    assert answer.content_type == "text/csv; charset=utf-8"
    assert re.fullmatch(
        r'attachment; filename="acme-\w+-projects-\d{4}-\d\d-\d\d\.csv"',
        answer.headers["Content-Disposition"],
    )
    content = (await answer.get_data(as_text=False)).decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(content, newline="")))[1:] == [
        ["'=Apollo", "active", "", "Launch", "todo", "", "", ""]
    ]


async def test_a_member_without_the_permission_cannot_export(editor: Desk) -> None:
    await editor.browser.get(f"{editor.root}/export.csv", 403)


@pytest.mark.parametrize(
    ("zone", "due", "says"),
    [
        ("", "2026-03-10", "Overdue since"),
        ("America/Los_Angeles", "2026-03-10", "Due today,"),
        ("Pacific/Kiritimati", "2026-03-11", "Due today,"),
        ("Pacific/Kiritimati", "2026-03-10", "Overdue since"),
        ("../../etc/passwd", "2026-03-10", "Overdue since"),
        ("Mars/Olympus", "2026-03-11", "Due today,"),
    ],
)
async def test_a_task_is_overdue_by_the_day_of_its_reader(
    editor: Desk, monkeypatch: pytest.MonkeyPatch, zone: str, due: str, says: str
) -> None:
    project = await editor.new_project("Rover")
    await editor.browser.post(f"{project}/tasks", {"title": "Paint", "status": "todo", "due_on": due})
    monkeypatch.setattr(reader, "utc_now", lambda: datetime(2026, 3, 11, 5, 0, tzinfo=UTC))
    editor.browser.app.set_cookie("localhost", "workroom_zone", zone)

    assert says in await editor.text(project)
