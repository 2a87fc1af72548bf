"""Whom tasks are assigned to: members only, and nobody once their membership has ended."""

from __future__ import annotations

import re
from html import unescape

import pytest
from quart import Quart

from saas_app.config import Settings
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.errors import Busy
from saas_app.identity.membership_changes import mark_changed
from saas_app.identity.named_members import CheckedMember
from saas_app.operations.data.erasure import erase_person
from saas_app.projects.assignees import MOST_AT_ONCE
from saas_app.projects.changes import add_task
from saas_app.projects.values import TaskInput
from saas_app.rbac.permissions import Role
from tests.clients import SAME_ORIGIN, Person
from tests.conftest import OpenBrowser, OpenOffice
from tests.factories import Factory
from tests.integration.projects.conftest import Organization
from tests.integration.reconciling import reconciler_of, repairs_of
from tests.integration.webhooks.webhook_sender import MEMBERSHIP, Sender, event
from tests.offices import Office


@pytest.fixture
async def office(open_office: OpenOffice) -> Office:
    return await open_office(admin="Ada", editor="Eve")


@pytest.fixture
async def bob(office: Office, make: Factory) -> Person:
    """A member who has never been here, so that only Logto knows the name."""
    return await make.member(office.id, "Bob", Role.VIEWER)


@pytest.fixture
async def task(office: Office) -> str:
    """The path of a new task."""
    answer = await office.browser.post(f"{office.root}/projects/new", {"name": "Apollo"})
    project = answer.headers["Location"]
    answer = await office.browser.post(f"{project}/tasks", {"title": "Launch"})
    return f"{project}/tasks/{answer.headers['Location'].partition('added=')[2]}"


async def assign(office: Office, task: str, user_id: str, expect: int = 303, version: int = 1) -> str:
    fields = {"title": "Launch", "status": "todo", "due_on": "", "version": f"{version}"}
    answer = await office.browser.post(f"{task}/edit", {**fields, "assignee_id": user_id}, expect)
    return re.sub("[\u2068\u2069]", "", unescape(str(await answer.get_data(as_text=True))))


async def assignee_of(office: Office, task: str) -> str | None:
    answer = await office.browser.get(task.replace("/o/", "/api/v1/organizations/"))
    found: str | None = (await answer.get_json())["assignee_id"]
    return found


def project_of(task: str) -> str:
    return task.partition("/tasks/")[0]


async def test_a_task_shows_the_picture_of_its_assignee(
    office: Office, make: Factory, open_browser: OpenBrowser, task: str
) -> None:
    bob = await make.person("Bob")
    await make.management.set_user_avatar(bob.id, "https://example.com/bob.png")
    await make.join(office.id, bob, Role.VIEWER)
    await open_browser(bob)

    await assign(office, task, bob.id)

    assert 'src="https://example.com/bob.png"' in await office.browser.text(project_of(task))


async def test_the_form_offers_the_members_by_name(office: Office, bob: Person, task: str) -> None:
    page = await office.browser.text(f"{task}/edit")

    offered = re.findall(r'<option value="([^"]*)"[^>]*>([^<]+)</option>', page)
    assert ("", "Nobody") in offered
    assert (bob.id, "Bob") in offered
    assert (office.people["editor"].id, "Eve") in offered


async def test_an_assigned_task_shows_the_name_of_somebody_who_was_never_here(
    office: Office, bob: Person, task: str
) -> None:
    await assign(office, task, bob.id)

    assert await assignee_of(office, task) == bob.id
    assert '<span class="name">Bob</span>' in await office.browser.text(project_of(task))


async def test_a_person_of_another_organization_is_rejected(
    office: Office, open_office: OpenOffice, task: str
) -> None:
    stranger = (await open_office(admin="Gus")).people["admin"]

    page = await assign(office, task, stranger.id, 422)

    assert "This person is not a member of Acme" in page
    assert await assignee_of(office, task) is None


async def test_an_id_that_nobody_has_is_rejected(office: Office, task: str) -> None:
    assert "is not a member of" in await assign(office, task, "nobody123456", 422)


async def test_a_machine_of_the_organization_is_no_assignee(office: Office, make: Factory, task: str) -> None:
    machine = await make.machine(office.id)

    assert "is not a member of" in await assign(office, task, machine.id, 422)


async def test_a_task_can_be_left_to_nobody_again(office: Office, bob: Person, task: str) -> None:
    await assign(office, task, bob.id)

    await assign(office, task, "", version=2)

    assert await assignee_of(office, task) is None


async def test_the_list_can_show_only_the_readers_own_tasks(office: Office, bob: Person, task: str) -> None:
    project = project_of(task)
    await office.browser.post(f"{project}/tasks", {"title": "Paint"})
    await assign(office, task, office.person.id)

    page = await office.browser.text(f"{project}?mine=yes")

    assert re.findall(r'class="row-title"[^>]*>([^<]+)<', page) == ["Launch"]


async def test_removing_a_member_leaves_their_tasks_to_nobody(office: Office, bob: Person, task: str) -> None:
    await assign(office, task, bob.id)

    await office.browser.post(f"{office.root}/members/{bob.id}/remove")

    assert await assignee_of(office, task) is None


async def test_a_task_that_lost_its_assignee_has_a_new_version(
    office: Office, bob: Person, task: str
) -> None:
    await assign(office, task, bob.id)
    await office.browser.post(f"{office.root}/members/{bob.id}/remove")

    page = await assign(office, task, bob.id, 422, version=2)

    assert "is not a member of" in page
    await assign(office, task, "", version=3)


async def test_leaving_leaves_the_tasks_to_nobody(office: Office, task: str) -> None:
    eve = office.people["editor"]
    await assign(office, task, eve.id)

    await office.browsers["editor"].post(f"{office.root}/leave", {"confirm": "yes"})

    assert await assignee_of(office, task) is None


async def test_a_removal_that_logto_reports_leaves_the_tasks_to_nobody(
    office: Office, bob: Person, task: str, app: Quart, settings: Settings
) -> None:
    await assign(office, task, bob.id)

    await Sender(app, settings).send(event(MEMBERSHIP, organizationId=office.id, removedUserIds=[bob.id]))

    assert await assignee_of(office, task) is None


async def test_reconciling_finds_an_assignee_who_was_removed_elsewhere(
    office: Office, bob: Person, task: str, make: Factory, work: UnitOfWork
) -> None:
    await assign(office, task, bob.id)
    await make.management.remove_member(office.id, bob.id)

    repairs = await repairs_of(reconciler_of(work, make), office.id)

    assert f"tasks of former members: {bob.id}" in repairs
    assert await assignee_of(office, task) is None


async def test_reconciling_leaves_the_tasks_of_members(
    office: Office, bob: Person, task: str, make: Factory, work: UnitOfWork
) -> None:
    await assign(office, task, bob.id)

    await repairs_of(reconciler_of(work, make), office.id)

    assert await assignee_of(office, task) == bob.id


async def test_erasing_a_person_leaves_their_tasks_to_nobody(
    office: Office, make: Factory, task: str, operator: UnitOfWork
) -> None:
    zelda = await make.member(office.id, "Zelda", Role.VIEWER)
    await assign(office, task, zelda.id)

    await erase_person(operator, zelda.id)

    assert await assignee_of(office, task) is None


async def test_a_membership_that_changed_after_the_check_is_noticed(acme: Organization) -> None:
    """The check asks Logto before the transaction; an end in between would leave a former member's task."""
    (project_id,) = await acme.add_projects("Apollo")
    async with acme.work.writing(acme.tenant.organization_id) as db:
        await mark_changed(db, acme.tenant.organization_id, ["bob"])

    with pytest.raises(Busy):
        await acme.write(
            add_task, project_id, TaskInput("Launch", assignee_id="bob"), CheckedMember("bob", 0)
        )


async def test_nobody_is_assigned_without_a_check(acme: Organization) -> None:
    (project_id,) = await acme.add_projects("Apollo")

    with pytest.raises(Busy):
        await acme.write(add_task, project_id, TaskInput("Launch", assignee_id="bob"))


async def test_after_a_new_task_the_field_for_the_next_one_has_the_focus(office: Office, task: str) -> None:
    project = project_of(task)

    answer = await office.browser.post(f"{project}/tasks", {"title": "Land"})

    assert "#" not in answer.headers["Location"]  # a fragment would take the focus
    assert re.search(
        r'<input[^>]*autofocus[^>]*name="title"', await office.browser.text(answer.headers["Location"])
    )
    assert "autofocus" not in await office.browser.text(project)


async def test_the_api_assigns_a_task_and_its_etag_changes(office: Office, bob: Person, task: str) -> None:
    path = task.replace("/o/", "/api/v1/organizations/")
    first = (await office.browser.get(path)).headers["ETag"]

    answer = await office.browser.app.patch(
        path, json={"assignee_id": bob.id}, headers={**SAME_ORIGIN, "If-Match": first}
    )

    assert answer.status_code == 200
    assert (await answer.get_json())["assignee_id"] == bob.id
    assert answer.headers["ETag"] != first


async def test_the_api_rejects_a_person_of_another_organization_at_the_field(
    office: Office, open_office: OpenOffice, task: str
) -> None:
    stranger = (await open_office(admin="Gus")).people["admin"]
    path = project_of(task).replace("/o/", "/api/v1/organizations/") + "/tasks"

    answer = await office.browser.app.post(
        path, json={"title": "Land", "assignee_id": stranger.id}, headers=SAME_ORIGIN
    )

    assert answer.status_code == 422
    assert "assignee_id" in (await answer.get_json())["errors"]


async def test_many_tasks_name_a_bounded_number_of_people(office: Office, task: str) -> None:
    path = project_of(task).replace("/o/", "/api/v1/organizations/") + "/tasks/bulk"
    items = [{"title": "Land", "assignee_id": f"person{number}"} for number in range(MOST_AT_ONCE + 1)]

    answer = await office.browser.app.post(path, json={"items": items}, headers=SAME_ORIGIN)

    assert answer.status_code == 422
    assert f"at most {MOST_AT_ONCE}" in (await answer.get_json())["detail"]
