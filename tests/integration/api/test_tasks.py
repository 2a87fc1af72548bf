"""Tasks for programs: one by one, and many at once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.bearer import ApiClient, NewClient


@pytest.fixture
async def editor(new_client: NewClient) -> ApiClient:
    return await new_client("editor")


@pytest.fixture
async def tasks(editor: ApiClient) -> str:
    project = await editor.json("POST", "/projects", 201, json={"name": "Rover"})
    return f"/projects/{project['id']}/tasks"


async def test_a_new_task_is_returned_with_its_version(editor: ApiClient, tasks: str) -> None:
    task = await editor.json("POST", tasks, 201, json={"title": "Wheels", "due_on": "2027-01-31"})
    assert (task["status"], task["due_on"], task["version"]) == ("todo", "2027-01-31", 1)


async def test_a_changed_task_keeps_its_other_fields(editor: ApiClient, tasks: str) -> None:
    made = await editor.call("POST", tasks, 201, json={"title": "Wheels", "due_on": "2027-01-31"})
    path = f"{tasks}/{(await made.get_json())['id']}"

    done = {"status": "done", "due_on": None}
    changed = await editor.json("PATCH", path, json=done, headers={"If-Match": made.headers["ETag"]})

    assert (changed["title"], changed["status"], changed["due_on"]) == ("Wheels", "done", None)
    assert changed["completed_at"]
    await editor.call("PATCH", path, 412, json={"title": "Late"}, headers={"If-Match": '"1"'})


async def test_a_deleted_task_is_not_found(editor: ApiClient, tasks: str) -> None:
    task = await editor.json("POST", tasks, 201, json={"title": "Wheels"})
    await editor.call("DELETE", f"{tasks}/{task['id']}", 204)
    await editor.call("GET", f"{tasks}/{task['id']}", 404)


async def test_deleting_a_task_checks_the_version_in_if_match(editor: ApiClient, tasks: str) -> None:
    task = await editor.json("POST", tasks, 201, json={"title": "Wheels"})
    path = f"{tasks}/{task['id']}"
    await editor.call("PATCH", path, json={"title": "Theirs"}, headers={"If-Match": '"1"'})
    await editor.call("DELETE", path, 412, headers={"If-Match": '"1"'})
    assert (await editor.json("GET", path))["title"] == "Theirs"
    await editor.call("DELETE", path, 204, headers={"If-Match": '"1", "2"'})


async def test_a_thousand_tasks_are_added_in_one_call(editor: ApiClient, tasks: str) -> None:
    many = [{"title": f"Task {number}"} for number in range(1000)]
    assert len((await editor.json("POST", f"{tasks}/bulk", 201, json={"items": many}))["ids"]) == 1000
    assert await _count(editor, tasks) == 1000


async def test_more_than_a_thousand_tasks_are_rejected(editor: ApiClient, tasks: str) -> None:
    many = [{"title": f"Task {number}"} for number in range(1001)]
    await editor.call("POST", f"{tasks}/bulk", 422, json={"items": many})
    assert await _count(editor, tasks) == 0


async def test_of_several_tasks_with_one_invalid_none_is_added(editor: ApiClient, tasks: str) -> None:
    items = [{"title": "x"}, {"title": " "}]
    refused = await editor.json("POST", f"{tasks}/bulk", 422, json={"items": items})
    assert list(refused["errors"]) == ["items.1.title"]
    assert await _count(editor, tasks) == 0


async def test_one_idempotency_key_adds_several_tasks_once(editor: ApiClient, tasks: str) -> None:
    sent: dict[str, Any] = {"json": {"items": [{"title": "a"}, {"title": "b"}]}}
    headers = {"Idempotency-Key": "batch-1"}
    first = await editor.json("POST", f"{tasks}/bulk", 201, **sent, headers=dict(headers))
    assert await editor.json("POST", f"{tasks}/bulk", 201, **sent, headers=dict(headers)) == first
    assert await _count(editor, tasks) == 2


async def test_an_archived_project_accepts_no_tasks(editor: ApiClient, tasks: str) -> None:
    await editor.call("POST", f"{tasks.removesuffix('/tasks')}/archive")
    refused = await editor.json("POST", tasks, 409, json={"title": "Too late"})
    assert refused["code"] == "project-archived"


@pytest.mark.parametrize("change", [{"title": None}, {"status": "doing", "x": 1}, {"due_on": "31.1.2027"}])
async def test_an_invalid_change_is_rejected(editor: ApiClient, tasks: str, change: dict[str, Any]) -> None:
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
