"""Choosing the assignee of a task among many members, and what the form keeps if that fails."""

from __future__ import annotations

import re
from html import unescape

import pytest

from saas_app.projects import assignees
from saas_app.rbac.permissions import Role
from tests.clients import Person
from tests.conftest import OpenOffice
from tests.factories import Factory
from tests.integration.faulty_logto import DOWN, Fault, Faulty
from tests.offices import Office

TYPED = {"title": "Land", "status": "doing", "due_on": "2030-01-02", "version": "1", "found": ""}


@pytest.fixture
def few_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the form list three members, so that an organization of five has many."""
    monkeypatch.setattr(assignees, "MOST_OFFERED", 3)


@pytest.fixture
async def office(open_office: OpenOffice, make: Factory, few_offered: None) -> Office:
    """An organization with members whom the form does not list."""
    office = await open_office(admin="Ada")
    for name in ("Marina", "Mario", "Marius", "Zoe"):
        await make.member(office.id, name, Role.VIEWER)
    return office


@pytest.fixture
async def task(office: Office) -> str:
    return await new_task(office)


async def new_task(office: Office) -> str:
    """Add a task and return the path of its form."""
    answer = await office.browser.post(f"{office.root}/projects/new", {"name": "Apollo"})
    project = answer.headers["Location"]
    answer = await office.browser.post(f"{project}/tasks", {"title": "Launch"})
    return f"{project}/tasks/{answer.headers['Location'].partition('added=')[2]}/edit"


async def send(office: Office, task: str, fields: dict[str, str], expect: int = 200) -> str:
    answer = await office.browser.post(task, {**TYPED, **fields}, expect)
    return unescape(str(await answer.get_data(as_text=True)))


def offered_in(page: str) -> dict[str, str]:
    """Return the ids of the people in the form by their names."""
    select = page[page.index('id="assignee_id"') :].partition("</select>")[0]
    return {name: id_ for id_, name in re.findall(r'<option value="([^"]*)"[^>]*>([^<]+)<', select)}


def chosen_in(page: str) -> str:
    select = page[page.index('id="assignee_id"') :].partition("</select>")[0]
    return re.findall(r"selected>([^<]+)<", select)[0]


def keeps_what_was_typed(page: str) -> bool:
    return 'value="Land"' in page and 'value="2030-01-02"' in page and 'value="doing" selected' in page


async def test_a_form_that_does_not_list_everybody_offers_a_search(office: Office, task: str) -> None:
    page = await office.browser.text(task)

    assert len(offered_in(page)) <= 1 + 1 + 3  # nobody, the reader, and three members
    assert "Only the first 3 members are listed." in page
    assert 'name="member"' in page


async def test_a_form_that_lists_everybody_offers_no_search(
    office: Office, task: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assignees, "MOST_OFFERED", 4 + 1)

    page = await office.browser.text(task)

    assert {"Nobody", "Ada", "Marina", "Mario", "Marius", "Zoe"} == offered_in(page).keys()
    assert 'name="member"' not in page


async def test_a_search_that_finds_one_member_chooses_them_and_keeps_what_was_typed(
    office: Office, task: str
) -> None:
    page = await send(office, task, {"member": "Zoe", "find": "yes", "assignee_id": ""})

    assert chosen_in(page) == "Zoe"
    assert "1 member found." in page
    assert keeps_what_was_typed(page)


async def test_a_search_that_finds_several_lists_them_and_keeps_the_choice(office: Office, task: str) -> None:
    page = await send(office, task, {"member": "Mari", "find": "yes", "assignee_id": office.person.id})

    assert {"Marina", "Mario", "Marius"} <= offered_in(page).keys()
    assert chosen_in(page) == "Ada"


async def test_a_new_text_is_searched_for_whatever_button_was_pressed(office: Office, task: str) -> None:
    """The Enter key presses the button that saves."""
    page = await send(office, task, {"member": "Zoe", "assignee_id": ""})

    assert chosen_in(page) == "Zoe"


async def test_the_found_member_is_saved(office: Office, task: str) -> None:
    zoe = offered_in(await send(office, task, {"member": "Zoe", "find": "yes"}))["Zoe"]

    await send(office, task, {"member": "Zoe", "found": "Zoe", "assignee_id": zoe}, 303)

    answer = await office.browser.get(task.replace("/o/", "/api/v1/organizations/").removesuffix("/edit"))
    assert (await answer.get_json())["assignee_id"] == zoe


async def test_a_refused_title_keeps_a_member_who_is_not_listed(office: Office, task: str) -> None:
    zoe = offered_in(await send(office, task, {"member": "Zoe", "find": "yes"}))["Zoe"]

    page = await send(office, task, {"title": "", "assignee_id": zoe}, 422)

    assert chosen_in(page) == "Zoe"


@pytest.fixture
async def bob(faulty: Faulty, make: Factory) -> Person:
    return await make.member(faulty.acme.id, "Bob", Role.VIEWER)


async def test_the_form_keeps_what_was_typed_if_logto_is_down(faulty: Faulty, bob: Person) -> None:
    task = await new_task(faulty.acme)
    faulty.gate.fail(Fault("GET", "/users", **DOWN))

    page = await send(faulty.acme, task, {"assignee_id": bob.id}, 503)

    assert keeps_what_was_typed(page)
    assert f'<option value="{bob.id}" selected>' in page
    assert "Logto does not respond, so other members are not listed." in page


async def test_the_form_can_be_opened_if_logto_is_down(faulty: Faulty) -> None:
    task = await new_task(faulty.acme)
    faulty.gate.fail(Fault("GET", "/users", **DOWN))

    page = await faulty.acme.browser.text(task)

    assert offered_in(page).keys() == {"Nobody", "Ada"}


async def test_a_task_is_saved_while_logto_is_down_if_its_assignee_stays(faulty: Faulty) -> None:
    task = await new_task(faulty.acme)
    faulty.gate.fail(Fault("GET", "/users", **DOWN))

    await send(faulty.acme, task, {"assignee_id": ""}, 303)
