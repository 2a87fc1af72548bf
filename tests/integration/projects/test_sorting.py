"""The headings of the lists of projects and tasks, which sort them."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from saas_app.projects.cursors import read_project_place
from saas_app.projects.service import page_projects
from saas_app.projects.values import ProjectFilter, ProjectSort
from tests.conftest import OpenOffice
from tests.integration.projects.conftest import Organization
from tests.offices import Office

NAMES = ["Apollo", "Gemini", "Mercury"]


@pytest.fixture
async def office(open_office: OpenOffice) -> Office:
    office = await open_office(editor="Eve")
    for name in NAMES:
        await office.browser.post(f"{office.root}/projects/new", {"name": name})
    return office


@pytest.fixture
async def project(office: Office) -> str:
    """The path of a project with a task for each of three days, one of them the reader's own."""
    answer = await office.browser.post(f"{office.root}/projects/new", {"name": "Skylab"})
    path = str(answer.headers["Location"])
    for title, due_on in (("Land", "2030-01-03"), ("Launch", "2030-01-01"), ("Orbit", "2030-01-02")):
        await office.browser.post(f"{path}/tasks", {"title": title, "due_on": due_on})
    return path


def titles_in(page: str) -> list[str]:
    return re.findall(r'class="row-title"[^>]*>([^<]+)<', page)


def headings(page: str) -> dict[str, tuple[str, dict[str, str]]]:
    """Return the state and the query of each heading that sorts, by its text."""
    found = re.findall(r'<th[^>]*?(?: aria-sort="(\w+)")?><a class="sort" href="([^"]+)">([^<]+)<', page)
    return {text: (state, dict(parse_qsl(urlsplit(unescape(url)).query))) for state, url, text in found}


@pytest.mark.parametrize(
    ("sort", "heading", "state", "following", "names"),
    [
        ("", "Last activity", "descending", "-updated", NAMES[::-1]),
        ("updated", "Last activity", "descending", "-updated", NAMES[::-1]),
        ("-updated", "Last activity", "ascending", "updated", NAMES),
        ("name", "Project", "ascending", "-name", NAMES),
        ("-name", "Project", "descending", "name", NAMES[::-1]),
        ("created", "Created", "descending", "-created", NAMES[::-1]),
        ("-created", "Created", "ascending", "created", NAMES),
        ("size", "Last activity", "descending", "-updated", NAMES[::-1]),
    ],
)
async def test_the_heading_of_projects_says_the_order_and_leads_to_the_opposite_one(
    office: Office, sort: str, heading: str, state: str, following: str, names: list[str]
) -> None:
    page = await office.browser.text(f"{office.root}/projects?sort={sort}")

    assert titles_in(page) == names
    assert headings(page)[heading] == (state, {"sort": following})
    assert [text for text, (state, _) in headings(page).items() if state] == [heading]


async def test_another_order_keeps_the_filters_and_begins_at_the_first_page(office: Office) -> None:
    first = await (
        await office.browser.get(f"/api/v1/organizations/{office.id}/projects?limit=1&sort=name")
    ).get_json()

    page = await office.browser.text(
        f"{office.root}/projects?q=i&status=all&sort=name&select=all&after={first['next_cursor']}"
    )

    assert headings(page)["Created"][1] == {"q": "i", "status": "all", "sort": "created"}


async def test_a_search_keeps_the_order(office: Office) -> None:
    page = await office.browser.text(f"{office.root}/projects?sort=-name")

    assert '<input type="hidden" name="sort" value="-name">' in page


@pytest.mark.parametrize(
    ("sort", "heading", "state", "following", "titles"),
    [
        ("", "Status", "ascending", "-status", ["Launch", "Orbit", "Land"]),
        ("-status", "Status", "descending", "status", ["Launch", "Orbit", "Land"]),
        ("due", "Due date", "ascending", "-due", ["Launch", "Orbit", "Land"]),
        ("-due", "Due date", "descending", "due", ["Land", "Orbit", "Launch"]),
    ],
)
async def test_the_heading_of_tasks_says_the_order_and_leads_to_the_opposite_one(
    office: Office, project: str, sort: str, heading: str, state: str, following: str, titles: list[str]
) -> None:
    page = await office.browser.text(f"{project}?show=all&sort={sort}")

    assert titles_in(page) == titles
    assert headings(page)[heading] == (state, {"show": "all", "sort": following})


async def test_the_filters_of_tasks_keep_the_order(office: Office, project: str) -> None:
    page = await office.browser.text(f"{project}?sort=-due&after=")

    assert 'href="?sort=-due&show=done"' in page
    assert 'href="?sort=-due&mine=yes"' in page


async def test_a_changed_status_leads_back_to_the_same_order(office: Office, project: str) -> None:
    task_id = re.findall(r'id="task-([^"]+)"', await office.browser.text(project))[0]

    answer = await office.browser.post(
        f"{project}/tasks/{task_id}/status?show=all&sort=-due", {"status": "done", "version": "1"}
    )

    assert answer.headers["Location"] == f"{project}?show=all&sort=-due#task-{task_id}"


@pytest.mark.parametrize("sort", ["due", "-due"])
async def test_the_api_lists_tasks_page_by_page_in_either_direction(
    office: Office, project: str, sort: str
) -> None:
    api, cursor, seen = project.replace("/o/", "/api/v1/organizations/"), "", []
    while cursor is not None:
        answer = await office.browser.get(f"{api}/tasks?sort={sort}&limit=1&cursor={cursor}")
        page = await answer.get_json()
        seen += [item["title"] for item in page["items"]]
        cursor = page["next_cursor"]

    assert seen == ["Launch", "Orbit", "Land"][:: -1 if sort == "-due" else 1]


async def test_the_api_rejects_an_order_that_it_does_not_know(office: Office, project: str) -> None:
    api = project.replace("/o/", "/api/v1/organizations/")

    await office.browser.get(f"{api}/tasks?sort=title", 400)
    await office.browser.get(f"{api.rpartition('/')[0]}?sort=--name", 400)


@pytest.mark.parametrize("sort", list(ProjectSort))
async def test_the_first_page_costs_one_statement_in_any_order(
    acme: Organization, count_statements: Callable[[], Any], sort: ProjectSort
) -> None:
    await acme.add_projects(*NAMES)

    with count_statements() as first:
        portion = await acme.query(page_projects, ProjectFilter(sort=sort), None, 2)

    assert len(portion.rows) == 2
    assert len(first) == 1


async def test_a_cursor_by_name_is_no_place_in_a_list_by_time(office: Office) -> None:
    answer = await office.browser.get(f"/api/v1/organizations/{office.id}/projects?limit=1&sort=-name")
    cursor = (await answer.get_json())["next_cursor"]

    assert read_project_place(cursor, ProjectSort.NAME_OPPOSITE) is not None
    await office.browser.get(f"{office.root}/projects?sort=-updated&after={cursor}", 400)


async def test_a_page_of_names_that_sort_as_long_ones_has_a_next_page(office: Office) -> None:
    for number in range(2):
        name = "\N{SQUARE KIROMEETORU}" * 110 + str(number)  # sorts as 5 letters of 3 bytes each
        await office.browser.post(f"{office.root}/projects/new", {"name": name})
    lists = f"/api/v1/organizations/{office.id}/projects?sort=name"
    first = await (await office.browser.get(f"{lists}&limit=4")).get_json()

    answer = await office.browser.get(f"{lists}&limit=4&cursor={first['next_cursor']}")

    assert len((await answer.get_json())["items"]) == 1
