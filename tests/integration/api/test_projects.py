"""Projects for programs, with the same service and guards as the pages."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine
from werkzeug.datastructures import Headers

from saas_app.rbac.permissions import Carrier, Permission, roles_granting
from tests.conftest import OpenOffice
from tests.factories import Factory
from tests.integration.bearer import ApiClient, MachineClient, NewClient


@pytest.fixture
async def editor(new_client: NewClient) -> ApiClient:
    return await new_client("editor")


@pytest.fixture
async def admin(new_client: NewClient) -> ApiClient:
    return await new_client("admin")


async def test_a_new_project_is_returned_with_its_version_and_location(editor: ApiClient) -> None:
    made = await editor.call("POST", "/projects", 201, json={"name": " Rover  ", "description": "a\r\nb"})

    project = await made.get_json()
    assert (project["name"], project["description"], project["version"]) == ("Rover", "a\nb", 1)
    assert made.headers["ETag"] == '"1"'
    assert made.headers["Location"].endswith(f"/projects/{project['id']}")


async def test_a_changed_project_keeps_its_other_fields_and_is_listed(editor: ApiClient) -> None:
    body = {"name": "Rover", "description": "a\nb"}
    project = await editor.json("POST", "/projects", 201, json=body)

    path, headers = f"/projects/{project['id']}", {"If-Match": '"1"'}
    changed = await editor.json("PATCH", path, json={"name": "Rover 2"}, headers=headers)

    assert (changed["name"], changed["description"], changed["version"]) == ("Rover 2", "a\nb", 2)
    listed = await editor.json("GET", "/projects")
    assert [item["name"] for item in listed["items"]] == ["Rover 2"]
    assert listed["next_cursor"] is None


async def test_a_change_needs_the_version_that_was_read(editor: ApiClient) -> None:
    project = await editor.json("POST", "/projects", 201, json={"name": "Rover"})
    path, change = f"/projects/{project['id']}", {"name": "Mine"}
    assert (await editor.json("PATCH", path, 428, json=change))["code"] == "precondition-required"
    await editor.call("PATCH", path, json={"name": "Theirs"}, headers={"If-Match": '"1"'})
    for stale in ('"1"', 'W/"2"', '"x"', '"02"', '"1", W/"2"', '""'):
        await editor.call("PATCH", path, 412, json=change, headers={"If-Match": stale})
    for malformed in ("2", '"2', '"2 "', '*, "2"', '"2" "3"', "", ","):
        await editor.call("PATCH", path, 400, json=change, headers={"If-Match": malformed})
    assert (await editor.json("GET", path))["name"] == "Theirs"


@pytest.mark.parametrize("fits", ['"7", "1"', '"1",,"2" ,', "*", '  "1"\t', 'W/"1", "1"'])
async def test_if_match_accepts_a_list_with_the_current_version(editor: ApiClient, fits: str) -> None:
    project = await editor.json("POST", "/projects", 201, json={"name": "Rover"})
    path = f"/projects/{project['id']}"
    changed = await editor.json("PATCH", path, json={"name": "Mine"}, headers={"If-Match": fits})
    assert (changed["name"], changed["version"]) == ("Mine", 2)


ON_A_PROJECT = [("DELETE", "", 204), ("POST", "/archive", 200), ("POST", "/unarchive", 200)]


@pytest.mark.parametrize(("method", "action", "success"), ON_A_PROJECT)
async def test_deleting_and_archiving_check_the_version_in_if_match(
    admin: ApiClient, method: str, action: str, success: int
) -> None:
    project = await admin.json("POST", "/projects", 201, json={"name": "Rover"})
    path = f"/projects/{project['id']}"
    theirs = await admin.call("PATCH", path, json={"name": "Theirs"}, headers={"If-Match": '"1"'})
    before = await admin.json("GET", path)
    for stale in ('"1"', 'W/"2"', '"x"'):
        await admin.call(method, f"{path}{action}", 412, headers={"If-Match": stale})
    await admin.call(method, f"{path}{action}", 400, headers={"If-Match": "2"})
    assert await admin.json("GET", path) == before
    await admin.call(method, f"{path}{action}", success, headers={"If-Match": theirs.headers["ETag"]})


@pytest.mark.parametrize(("method", "action", "success"), ON_A_PROJECT)
@pytest.mark.parametrize("headers", [{}, {"If-Match": "*"}])
async def test_without_a_version_the_current_one_is_deleted_or_archived(
    admin: ApiClient, method: str, action: str, success: int, headers: dict[str, str]
) -> None:
    project = await admin.json("POST", "/projects", 201, json={"name": "Rover"})
    await admin.call(method, f"/projects/{project['id']}{action}", success, headers=headers)


async def test_archiving_returns_the_new_version(admin: ApiClient) -> None:
    project = await admin.json("POST", "/projects", 201, json={"name": "Rover"})
    path = f"/projects/{project['id']}"

    archived = await admin.call("POST", f"{path}/archive", headers={"If-Match": '"1"'})

    assert archived.headers["ETag"] == '"2"'
    await admin.call("POST", f"{path}/unarchive", headers={"If-Match": '"2"'})
    await admin.call("DELETE", path, 412, headers={"If-Match": '"2"'})


async def test_a_project_that_does_not_exist_is_not_found_in_any_version(admin: ApiClient) -> None:
    path = "/projects/01920000-0000-7000-8000-000000000000"
    await admin.call("DELETE", path, 404, headers={"If-Match": "*"})


async def test_if_match_headers_on_several_lines_are_one_list(editor: ApiClient) -> None:
    project = await editor.json("POST", "/projects", 201, json={"name": "Rover"})
    headers = Headers([("Authorization", f"Bearer {editor.token}"), ("If-Match", '"7"'), ("If-Match", '"1"')])
    answer = await editor.app.test_client().patch(
        f"/api/v1/organizations/{editor.organization_id}/projects/{project['id']}",
        json={"name": "Mine"},
        headers=headers,
    )
    assert answer.status_code == 200


async def test_one_idempotency_key_creates_one_project(editor: ApiClient) -> None:
    headers = {"Idempotency-Key": "order-1"}
    first = await editor.json("POST", "/projects", 201, json={"name": "Once"}, headers=headers)

    again = await editor.call("POST", "/projects", 201, json={"name": "Once"}, headers=headers)

    assert await again.get_json() == first
    assert again.headers["Idempotency-Replayed"] == "true"
    await editor.call("POST", "/projects", 422, json={"name": "Other"}, headers=headers)
    assert len((await editor.json("GET", "/projects"))["items"]) == 1


async def test_a_rejected_creation_can_be_tried_again_with_its_key(editor: ApiClient) -> None:
    headers = {"Idempotency-Key": "order-2"}
    await editor.call("POST", "/projects", 422, json={"name": "  "}, headers=headers)
    await editor.call("POST", "/projects", 201, json={"name": "Corrected"}, headers=headers)


async def test_each_page_of_a_list_links_to_the_next(editor: ApiClient) -> None:
    for number in range(3):
        await editor.call("POST", "/projects", 201, json={"name": f"P{number}"})
    first = await editor.call("GET", "/projects?limit=2&sort=name")
    page = await first.get_json()
    assert [item["name"] for item in page["items"]] == ["P0", "P1"]
    assert first.headers["Link"].endswith('rel="next"')
    assert page["next_cursor"] in first.headers["Link"]
    rest = await editor.json("GET", f"/projects?limit=2&sort=name&cursor={page['next_cursor']}")
    assert ([item["name"] for item in rest["items"]], rest["next_cursor"]) == (["P2"], None)


@pytest.mark.parametrize(
    ("options", "status", "code"),
    [
        ({"json": {"name": "x", "color": "red"}}, 422, "invalid"),
        ({"json": {"name": 5}}, 422, "invalid"),
        ({"json": ["name"]}, 422, "invalid"),
        ({"data": b"{", "headers": {"Content-Type": "application/json"}}, 400, "bad-request"),
        ({"data": b"name=x", "headers": {"Content-Type": "text/plain"}}, 415, "unsupported-media-type"),
        (
            {"data": b"[" * 40 + b"]" * 40, "headers": {"Content-Type": "application/json"}},
            400,
            "bad-request",
        ),
        (
            {"data": b"{" + b" " * 1_100_000, "headers": {"Content-Type": "application/json"}},
            413,
            "too-large",
        ),
    ],
)
async def test_an_invalid_project_is_rejected_with_a_reason(
    shared_client: ApiClient, options: dict[str, object], status: int, code: str
) -> None:
    problem = await shared_client.json("POST", "/projects", status, **options)
    assert problem["code"] == code
    assert problem["request_id"]


async def test_a_viewer_is_told_the_missing_scope(new_client: NewClient) -> None:
    viewer = await new_client("viewer")
    await viewer.call("GET", "/projects")

    refused = await viewer.call("POST", "/projects", 403, json={"name": "x"})

    assert 'error="insufficient_scope"' in refused.headers["WWW-Authenticate"]
    assert 'scope="projects:write"' in refused.headers["WWW-Authenticate"]
    decision = (await refused.get_json())["decision"]
    assert decision["roles_that_grant"] == [role.value for role in roles_granting(Permission.PROJECTS_WRITE)]


async def test_an_organization_token_is_not_enough_for_a_scope_of_the_api(new_client: NewClient) -> None:
    refused = await (await new_client("admin", Carrier.ORGANIZATION_TOKEN)).json("GET", "/projects", 403)
    assert refused["decision"]["steps"][-1]["step"] == "audience"


async def test_an_api_client_works_under_its_own_id(make: Factory, as_machine: MachineClient) -> None:
    organization_id = await make.organization("Acme", admin=await make.person())
    machine = await make.machine(organization_id)
    robot = await as_machine(machine, organization_id)

    project = await robot.json("POST", "/projects", 201, json={"name": "By a robot"})

    assert project["created_by"] == machine.id
    await robot.call("DELETE", f"/projects/{project['id']}", 403)


@pytest.mark.parametrize(
    ("site", "status", "code"),
    [("same-origin", 201, None), ("cross-site", 403, "cross-site-request")],
)
async def test_a_browser_may_call_from_our_own_pages_only(
    open_office: OpenOffice, site: str, status: int, code: str | None
) -> None:
    office = await open_office(editor="Eve")
    await office.browser.follow(f"{office.root}/projects")

    answer = await office.browser.app.post(
        f"/api/v1/organizations/{office.id}/projects",
        json={"name": "Own"},
        headers={"Sec-Fetch-Site": site},
    )

    assert answer.status_code == status
    assert (await answer.get_json()).get("code") == code


async def test_a_warm_list_costs_two_statements(editor: ApiClient) -> None:
    await editor.call("POST", "/projects", 201, json={"name": "Rover"})
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        await editor.call("GET", "/projects")
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert len(statements) == 2, statements
