"""Tasks for programs: one by one, and many at once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.factories import Factory
from tests.integration.api.conftest import ApiClient, PersonClient


@pytest.fixture
async def editor(make: Factory, as_person: PersonClient) -> ApiClient:
    person = await make.person()
    return await as_person(person, await make.organization("Acme", editor=person))


@pytest.fixture
async def tasks(editor: ApiClient) -> str:
    project = await editor.json("POST", "/projects", 201, json={"name": "Rover"})
    return f"/projects/{project['id']}/tasks"


async def test_a_task_is_made_changed_and_deleted(editor: ApiClient, tasks: str) -> None:
    made = await editor.call("POST", tasks, 201, json={"title": "Wheels", "due_on": "2027-01-31"})
    task = await made.get_json()
    assert (task["status"], task["due_on"], task["version"]) == ("todo", "2027-01-31", 1)
    path = f"{tasks}/{task['id']}"
    done = {"status": "done", "due_on": None}
    changed = await editor.json("PATCH", path, json=done, headers={"If-Match": made.headers["ETag"]})
    assert (changed["title"], changed["status"], changed["due_on"]) == ("Wheels", "done", None)
    assert changed["completed_at"]
    await editor.call("PATCH", path, 412, json={"title": "Late"}, headers={"If-Match": '"1"'})
    await editor.call("DELETE", path, 204)
    await editor.call("GET", path, 404)


async def test_deleting_a_task_heeds_the_version_that_is_named(editor: ApiClient, tasks: str) -> None:
    task = await editor.json("POST", tasks, 201, json={"title": "Wheels"})
    path = f"{tasks}/{task['id']}"
    await editor.call("PATCH", path, json={"title": "Theirs"}, headers={"If-Match": '"1"'})
    await editor.call("DELETE", path, 412, headers={"If-Match": '"1"'})
    assert (await editor.json("GET", path))["title"] == "Theirs"
    await editor.call("DELETE", path, 204, headers={"If-Match": '"1", "2"'})


async def test_a_thousand_tasks_come_in_one_call_all_or_none(editor: ApiClient, tasks: str) -> None:
    many = [{"title": f"Task {number}"} for number in range(1000)]
    assert len((await editor.json("POST", f"{tasks}/bulk", 201, json={"items": many}))["ids"]) == 1000
    await editor.call("POST", f"{tasks}/bulk", 422, json={"items": [*many, {"title": "one more"}]})
    refused = await editor.json(
        "POST", f"{tasks}/bulk", 422, json={"items": [{"title": "x"}, {"title": " "}]}
    )
    assert list(refused["errors"]) == ["items.1.title"]
    assert await _count(editor, tasks) == 1000


async def test_the_same_key_adds_many_once(editor: ApiClient, tasks: str) -> None:
    sent: dict[str, Any] = {"json": {"items": [{"title": "a"}, {"title": "b"}]}}
    headers = {"Idempotency-Key": "batch-1"}
    first = await editor.json("POST", f"{tasks}/bulk", 201, **sent, headers=dict(headers))
    assert await editor.json("POST", f"{tasks}/bulk", 201, **sent, headers=dict(headers)) == first
    assert await _count(editor, tasks) == 2


async def test_an_archived_project_takes_no_tasks(editor: ApiClient, tasks: str) -> None:
    await editor.call("POST", f"{tasks.removesuffix('/tasks')}/archive")
    refused = await editor.json("POST", tasks, 409, json={"title": "Too late"})
    assert refused["code"] == "project-archived"


@pytest.mark.parametrize("change", [{"title": None}, {"status": "doing", "x": 1}, {"due_on": "31.1.2027"}])
async def test_what_is_no_change_is_refused(editor: ApiClient, tasks: str, change: dict[str, Any]) -> None:
    task = await editor.json("POST", tasks, 201, json={"title": "Wheels"})
    path = f"{tasks}/{task['id']}"
    await editor.call("PATCH", path, 422, json=change, headers={"If-Match": '"1"'})


async def _count(client: ApiClient, tasks: str) -> int:
    found, cursor = 0, ""
    while True:
        page = await client.json("GET", f"{tasks}?limit=100{cursor}")
        found += len(page["items"])
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"
