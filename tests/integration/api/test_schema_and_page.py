"""The schema as it is served, and the headers that it declares."""

from __future__ import annotations

import json
from typing import Any

import pytest
from quart import Quart
from quart.wrappers import Response

from tests.databases import ROOT
from tests.integration.bearer import ApiClient, NewClient
from tests.rules.routes import application

pytestmark = pytest.mark.one_database

SCHEMA: dict[str, Any] = json.loads((ROOT / "docs/openapi.json").read_text(encoding="utf-8"))
PREFIX = "/api/v1/organizations/{organization_id}"


async def test_the_schema_is_public(app: Quart) -> None:
    answer = await app.test_client().get("/api/openapi.json")
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    assert await answer.get_data(as_text=True) == (ROOT / "docs/openapi.json").read_text(encoding="utf-8")


async def test_the_schema_is_not_sent_again_to_a_client_that_has_it(app: Quart) -> None:
    client = app.test_client()
    etag = (await client.get("/api/openapi.json")).headers["ETag"]
    again = await client.get("/api/openapi.json", headers={"If-None-Match": etag})
    assert again.status_code == 304
    assert await again.get_data(as_text=True) == ""


async def test_the_schema_needs_neither_database_nor_logto() -> None:
    response = (
        await application().test_client().get("/api/openapi.json")
    )  # never served: nothing is connected
    assert response.status_code == 200


async def test_the_schema_is_in_english_for_every_reader() -> None:
    response = await application().test_client().get("/api/openapi.json", headers={"Accept-Language": "es"})
    assert await response.get_json() == SCHEMA


async def test_answers_have_exactly_the_headers_that_the_schema_declares(
    new_client: NewClient,
) -> None:
    editor = await new_client("editor")
    once = {"Idempotency-Key": "schema"}
    made = await _checked(editor, "POST", "/projects", 201, json={"name": "Rover"}, headers=once)
    project_id = (await made.get_json())["id"]
    await _checked(editor, "POST", "/projects", 201, json={"name": "Rover"}, headers=once)
    project = {"project_id": project_id}
    await _checked(editor, "GET", "/projects/{project_id}", **project)
    await _checked(editor, "GET", "/projects", query_string={"limit": "1"})
    changed = {"json": {"name": "Rover 2"}, "headers": {"If-Match": '"1"'}}
    await _checked(editor, "PATCH", "/projects/{project_id}", **project, **changed)
    made = await _checked(editor, "POST", "/projects/{project_id}/tasks", 201, json={"title": "T"}, **project)
    task = {**project, "task_id": (await made.get_json())["id"]}
    await _checked(editor, "GET", "/projects/{project_id}/tasks/{task_id}", **task)
    changed = {"json": {"title": "U"}, "headers": {"If-Match": '"1"'}}
    await _checked(editor, "PATCH", "/projects/{project_id}/tasks/{task_id}", **task, **changed)
    bulk = {"json": {"items": [{"title": "V"}]}}
    await _checked(editor, "POST", "/projects/{project_id}/tasks/bulk", 201, **project, **bulk)
    await _checked(editor, "POST", "/projects/{project_id}/archive", **project)
    await _checked(editor, "POST", "/projects", 422, json={"name": ""})
    await _checked(editor, "DELETE", "/projects/{project_id}", 403, **project)


async def _checked(client: ApiClient, method: str, path: str, expect: int = 200, **options: Any) -> Response:
    """Send a request, and compare the headers of the answer with those in the schema."""
    arguments = {name: options.pop(name) for name in ("project_id", "task_id") if name in options}
    response = await client.call(method, path.format(**arguments), expect, **options)
    documented = SCHEMA["paths"][PREFIX + path][method.lower()]["responses"][str(expect)]
    if "$ref" in documented:
        documented = SCHEMA["components"]["responses"][documented["$ref"].rsplit("/", 1)[1]]
    known = SCHEMA["components"]["headers"]
    told = set(documented["headers"])
    assert {name for name in known if name in response.headers} <= told, (method, path)
    promised = {name for name in told if known[name]["required"]} | {"RateLimit", "RateLimit-Policy"}
    assert not [name for name in promised if name not in response.headers], (method, path)
    return response
