"""Projects for programs: the same service under the same guards as the pages."""

from __future__ import annotations

from typing import Any

import pytest
from quart import Quart
from sqlalchemy import event
from sqlalchemy.engine import Engine
from werkzeug.datastructures import Headers

from saas_app.config import Settings
from saas_app.rbac.permissions import Carrier
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.api.conftest import ApiClient, MakeMachine, PersonClient
from tests.tokens import machine_token


@pytest.fixture
async def editor(make: Factory, as_person: PersonClient) -> ApiClient:
    person = await make.person()
    return await as_person(person, await make.organization("Acme", editor=person))


@pytest.fixture
async def admin(make: Factory, as_person: PersonClient) -> ApiClient:
    person = await make.person()
    return await as_person(person, await make.organization("Acme", admin=person))


async def test_a_project_is_made_read_changed_and_listed(editor: ApiClient) -> None:
    made = await editor.call("POST", "/projects", 201, json={"name": " Rover  ", "description": "a\r\nb"})
    project = await made.get_json()
    assert (project["name"], project["description"], project["version"]) == ("Rover", "a\nb", 1)
    assert made.headers["ETag"] == '"1"'
    assert made.headers["Location"].endswith(f"/projects/{project['id']}")

    path = f"/projects/{project['id']}"
    changed = await editor.json("PATCH", path, json={"name": "Rover 2"}, headers={"If-Match": '"1"'})
    assert (changed["name"], changed["description"], changed["version"]) == ("Rover 2", "a\nb", 2)
    listed = await editor.json("GET", "/projects")
    assert [item["name"] for item in listed["items"]] == ["Rover 2"]
    assert listed["next_cursor"] is None


async def test_an_edit_needs_the_version_that_was_read(editor: ApiClient) -> None:
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
async def test_a_list_of_tags_fits_when_one_is_the_current_version(editor: ApiClient, fits: str) -> None:
    project = await editor.json("POST", "/projects", 201, json={"name": "Rover"})
    path = f"/projects/{project['id']}"
    changed = await editor.json("PATCH", path, json={"name": "Mine"}, headers={"If-Match": fits})
    assert (changed["name"], changed["version"]) == ("Mine", 2)


ON_A_PROJECT = [("DELETE", "", 204), ("POST", "/archive", 200), ("POST", "/unarchive", 200)]


@pytest.mark.parametrize(("method", "action", "success"), ON_A_PROJECT)
async def test_deleting_and_archiving_heed_the_version_that_is_named(
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
async def test_without_a_version_whatever_is_there_is_deleted_or_archived(
    admin: ApiClient, method: str, action: str, success: int, headers: dict[str, str]
) -> None:
    project = await admin.json("POST", "/projects", 201, json={"name": "Rover"})
    await admin.call(method, f"/projects/{project['id']}{action}", success, headers=headers)


async def test_archiving_answers_with_the_new_version(admin: ApiClient) -> None:
    project = await admin.json("POST", "/projects", 201, json={"name": "Rover"})
    path = f"/projects/{project['id']}"
    archived = await admin.call("POST", f"{path}/archive", headers={"If-Match": '"1"'})
    assert archived.headers["ETag"] == '"2"'
    await admin.call("POST", f"{path}/unarchive", headers={"If-Match": '"2"'})
    await admin.call("DELETE", path, 412, headers={"If-Match": '"2"'})


async def test_what_is_not_there_is_not_found_whatever_version_is_named(admin: ApiClient) -> None:
    path = "/projects/01920000-0000-7000-8000-000000000000"
    await admin.call("DELETE", path, 404, headers={"If-Match": "*"})


async def test_tags_on_several_lines_are_one_list(editor: ApiClient) -> None:
    project = await editor.json("POST", "/projects", 201, json={"name": "Rover"})
    headers = Headers([("Authorization", f"Bearer {editor.token}"), ("If-Match", '"7"'), ("If-Match", '"1"')])
    answer = await editor.app.test_client().patch(
        f"/api/v1/organizations/{editor.organization_id}/projects/{project['id']}",
        json={"name": "Mine"},
        headers=headers,
    )
    assert answer.status_code == 200


async def test_the_same_key_creates_once(editor: ApiClient) -> None:
    headers = {"Idempotency-Key": "order-1"}
    first = await editor.json("POST", "/projects", 201, json={"name": "Once"}, headers=headers)
    again = await editor.call("POST", "/projects", 201, json={"name": "Once"}, headers=headers)
    assert await again.get_json() == first
    assert again.headers["Idempotency-Replayed"] == "true"
    await editor.call("POST", "/projects", 422, json={"name": "Other"}, headers=headers)
    assert len((await editor.json("GET", "/projects"))["items"]) == 1


async def test_a_refused_creation_may_be_tried_again_with_its_key(editor: ApiClient) -> None:
    headers = {"Idempotency-Key": "order-2"}
    await editor.call("POST", "/projects", 422, json={"name": "  "}, headers=headers)
    await editor.call("POST", "/projects", 201, json={"name": "Mended"}, headers=headers)


async def test_pages_of_a_list_link_to_the_next(editor: ApiClient) -> None:
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
async def test_what_is_no_project_is_refused_with_a_reason(
    editor: ApiClient, options: dict[str, object], status: int, code: str
) -> None:
    problem = await editor.json("POST", "/projects", status, **options)
    assert problem["code"] == code
    assert problem["request_id"]


async def test_a_viewer_is_told_the_missing_scope(make: Factory, as_person: PersonClient) -> None:
    person = await make.person()
    viewer = await as_person(person, await make.organization("Acme", viewer=person))
    await viewer.call("GET", "/projects")
    refused = await viewer.call("POST", "/projects", 403, json={"name": "x"})
    assert 'error="insufficient_scope"' in refused.headers["WWW-Authenticate"]
    assert 'scope="projects:write"' in refused.headers["WWW-Authenticate"]
    decision = (await refused.get_json())["decision"]
    assert decision["roles_that_grant"] == ["admin", "editor", "integration"]


async def test_an_organization_token_is_not_enough_for_a_scope_of_the_api(
    make: Factory, as_person: PersonClient
) -> None:
    person = await make.person()
    admin = await as_person(person, await make.organization("Acme", admin=person), Carrier.ORGANIZATION_TOKEN)
    refused = await admin.json("GET", "/projects", 403)
    assert refused["decision"]["steps"][-1]["step"] == "audience"


async def test_a_machine_works_under_its_own_name(
    make: Factory, app: Quart, settings: Settings, make_machine: MakeMachine
) -> None:
    organization_id = await make.organization("Acme", admin=await make.person())
    machine = await make_machine(organization_id)
    robot = ApiClient(app, organization_id, await machine_token(settings, machine, organization_id))
    project = await robot.json("POST", "/projects", 201, json={"name": "By a robot"})
    assert project["created_by"] == machine.id
    await robot.call("DELETE", f"/projects/{project['id']}", 403)


async def test_a_browser_of_our_own_may_call_and_another_site_may_not(
    make: Factory, open_browser: OpenBrowser
) -> None:
    person = await make.person()
    organization_id = await make.organization("Acme", editor=person)
    browser = await open_browser(person)
    path = f"/api/v1/organizations/{organization_id}/projects"
    await browser.follow(f"/o/{organization_id}/projects")
    own = await browser.app.post(path, json={"name": "Own"}, headers={"Sec-Fetch-Site": "same-origin"})
    assert own.status_code == 201
    foreign = await browser.app.post(path, json={"name": "No"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert (foreign.status_code, (await foreign.get_json())["code"]) == (403, "cross-site-request")


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
