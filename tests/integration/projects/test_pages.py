"""The pages of projects and tasks, signed in for real: what they offer, refuse, keep and lead to."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from saas_app.web import reader_zone
from tests.clients import Browser, Person
from tests.conftest import OpenBrowser
from tests.factories import Factory


@dataclass(frozen=True, slots=True)
class Desk:
    """Somebody signed in, at the projects of their organization."""

    browser: Browser
    root: str

    async def text(self, path: str, expect: int = 200) -> str:
        """A page as text."""
        return str(await (await self.browser.get(path, expect)).get_data(as_text=True))

    async def new_project(self, name: str, description: str = "") -> str:
        """Create a project through its form; the path of its page."""
        answer = await self.browser.post(f"{self.root}/new", {"name": name, "description": description})
        return str(answer.headers["Location"])

    async def new_task(self, project: str, title: str) -> str:
        """Add a task through its form; the path below which it is changed."""
        answer = await self.browser.post(f"{project}/tasks", {"title": title})
        task_id = str(answer.headers["Location"]).partition("#task-")[2]
        return f"{project}/tasks/{task_id}"


@pytest.fixture
async def people(make: Factory) -> dict[str, Person]:
    return {role: await make.person(role) for role in ("admin", "editor", "viewer")}


@pytest.fixture
async def organization_id(make: Factory, people: dict[str, Person]) -> str:
    return await make.organization("Acme", **people)


@pytest.fixture
async def desks(
    open_browser: OpenBrowser, people: dict[str, Person], organization_id: str
) -> dict[str, Desk]:
    root = f"/o/{organization_id}/projects"
    return {role: Desk(await open_browser(person), root) for role, person in people.items()}


@pytest.fixture
def editor(desks: dict[str, Desk]) -> Desk:
    return desks["editor"]


async def test_a_first_project_with_its_first_task(editor: Desk) -> None:
    assert "No projects yet" in await editor.text(editor.root)
    project = await editor.new_project(" Apollo <b> ", "one\r\ntwo")
    page = await editor.text(project)
    assert "Apollo &lt;b&gt;" in page
    assert "one\ntwo" in page
    assert "No tasks yet" in page
    await editor.new_task(project, "Launch")
    page = await editor.text(project)
    assert "“Launch” was added." in page
    assert "0 of 1 done" in page
    assert "0 of 1" in await editor.text(editor.root)


async def test_one_click_changes_a_status_and_keeps_what_is_shown(editor: Desk) -> None:
    project = await editor.new_project("Apollo")
    task = await editor.new_task(project, "Launch")
    answer = await editor.browser.post(f"{task}/status?show=all", {"status": "done", "version": "1"})
    assert answer.headers["Location"] == f"{project}?show=all#task-{task.rpartition('/')[2]}"
    assert "1 of 1 done" in await editor.text(f"{project}?show=all")
    assert "All tasks are done" in await editor.text(project)


async def test_a_refused_form_keeps_what_was_typed_and_points_at_the_field(editor: Desk) -> None:
    answer = await editor.browser.post(f"{editor.root}/new", {"name": " ", "description": "kept & safe"}, 422)
    page = await answer.get_data(as_text=True)
    assert "kept &amp; safe" in page
    (focused,) = re.findall(r"<(?:input|textarea)[^>]*autofocus[^>]*>", page)
    assert 'name="name"' in focused
    assert 'aria-invalid="true"' in focused
    assert "Enter a name for the project." in page


async def test_a_refused_task_keeps_what_was_typed(editor: Desk) -> None:
    project = await editor.new_project("Apollo")
    answer = await editor.browser.post(f"{project}/tasks", {"title": "Launch", "due_on": "soon"}, 422)
    page = await answer.get_data(as_text=True)
    assert 'value="Launch"' in page
    assert 'value="soon"' in page
    assert 'aria-describedby="due_on-error"' in page
    back = await editor.browser.get(f"{project}/tasks?show=done", 303)  # where a reload of that address leads
    assert back.headers["Location"] == f"{project}?show=done"


async def test_a_lost_race_shows_both_sides_and_saves_what_is_chosen(desks: dict[str, Desk]) -> None:
    project = await desks["editor"].new_project("Apollo", "Original")
    await desks["admin"].browser.post(
        f"{project}/edit", {"name": "Theirs", "description": "Original", "version": "1"}
    )
    mine = {"name": "Mine", "description": "Original", "version": "1"}
    answer = await desks["editor"].browser.post(f"{project}/edit", mine, 409)
    page = await answer.get_data(as_text=True)
    assert re.findall(r'type="radio" name="(\w+)" value="(\w+)"( checked)?', page) == [
        ("name", "Theirs", ""),
        ("name", "Mine", " checked"),
    ]
    assert '<input type="hidden" name="version" value="2">' in page
    assert '<input type="hidden" name="description" value="Original">' in page
    assert "Theirs</h1>" in await desks["editor"].text(project)
    await desks["editor"].browser.post(f"{project}/edit", {**mine, "version": "2"})
    assert "Mine</h1>" in await desks["editor"].text(project)


async def test_a_lost_race_for_a_task_shows_both_sides(editor: Desk) -> None:
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


async def test_archived_is_out_of_the_way_and_comes_back(editor: Desk) -> None:
    project = await editor.new_project("Apollo")
    await editor.browser.post(f"{project}/archive")
    assert "No active projects" in await editor.text(editor.root)
    assert "Apollo" in await editor.text(f"{editor.root}?status=archived")
    await editor.browser.post(f"{project}/tasks", {"title": "Launch"}, 409)
    await editor.browser.post(f"{project}/unarchive")
    assert "Apollo" in await editor.text(editor.root)


async def test_deleting_asks_once_by_name(desks: dict[str, Desk]) -> None:
    admin = desks["admin"]
    project = await admin.new_project("Apollo")
    await admin.new_task(project, "Launch")
    page = await admin.text(f"{project}/delete")
    assert "Delete “Apollo”?" in page
    assert "Its task is deleted too." in page
    answer = await admin.browser.post(f"{project}/delete")
    assert "“Apollo” was deleted." in await admin.text(answer.headers["Location"])
    await admin.browser.get(project, 404)


async def test_paging_leads_through_everything_once(editor: Desk) -> None:
    for number in range(23):
        await editor.new_project(f"Project {number:02}")
    first = await editor.text(f"{editor.root}?q=project&sort=name")
    following = re.search(r'rel="next" href="([^"]+)"', first)
    assert following
    second = await editor.text(editor.root + following[1].replace("&amp;", "&"))
    names = re.findall(r'class="row-title"[^>]*>(Project \d\d)<', first + second)
    assert names == [f"Project {number:02}" for number in range(23)]


async def test_a_cursor_somebody_made_up_is_refused(editor: Desk) -> None:
    project = await editor.new_project("Apollo")
    for path in (f"{editor.root}?after=made-up", f"{project}?after=WyJhIiwiYiIsImMiXQ"):
        await editor.browser.get(path, 400)


async def test_each_role_is_offered_what_it_may_do(desks: dict[str, Desk]) -> None:
    project = await desks["editor"].new_project("Apollo")
    await desks["editor"].new_task(project, "Launch")
    lists = {role: await desk.text(desk.root) for role, desk in desks.items()}
    pages = {role: await desk.text(project) for role, desk in desks.items()}

    def offered(texts: dict[str, str], what: str) -> list[str]:
        return [role for role in ("admin", "editor", "viewer") if what in texts[role]]

    assert offered(lists, "/projects/new") == ["admin", "editor"]
    assert offered(lists, "/export.csv") == ["admin"]
    assert offered(lists, "Requires the role admin or editor") == ["viewer"]
    assert offered(pages, "/edit") == ["admin", "editor"]
    assert offered(pages, "/status") == ["admin", "editor"]
    assert offered(pages, "/delete") == ["admin"]
    assert offered(pages, "Launch") == ["admin", "editor", "viewer"]


async def test_the_export_is_a_file_of_everything(desks: dict[str, Desk], organization_id: str) -> None:
    project = await desks["editor"].new_project("=Apollo")
    await desks["editor"].new_task(project, "Launch")
    await desks["editor"].browser.get(f"{desks['editor'].root}/export.csv", 403)
    answer = await desks["admin"].browser.get(f"{desks['admin'].root}/export.csv")
    assert answer.content_type == "text/csv; charset=utf-8"
    assert re.fullmatch(
        r'attachment; filename="acme-\w+-projects-\d{4}-\d\d-\d\d\.csv"',
        answer.headers["Content-Disposition"],
    )
    content = (await answer.get_data(as_text=False)).decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(content, newline="")))[1:] == [
        ["'=Apollo", "active", "", "Launch", "todo", "", ""]
    ]


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
    make: Factory, open_browser: OpenBrowser, monkeypatch: pytest.MonkeyPatch, zone: str, due: str, says: str
) -> None:
    editor = await make.person("Eve")
    organization_id = await make.organization("Acme", editor=editor)
    browser = await open_browser(editor)
    created = await browser.post(f"/o/{organization_id}/projects/new", {"name": "Rover"})
    project = created.headers["Location"]
    await browser.post(f"{project}/tasks", {"title": "Paint", "status": "todo", "due_on": due})
    monkeypatch.setattr(reader_zone, "utc_now", lambda: datetime(2026, 3, 11, 5, 0, tzinfo=UTC))
    browser.app.set_cookie("localhost", "workroom_zone", zone)
    page = await (await browser.get(project)).get_data(as_text=True)
    assert says in page
