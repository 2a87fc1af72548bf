"""Malformed bodies, queries and URLs are rejected, and never answered with a 5xx."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import quote

import pytest
from quart import Quart
from quart.wrappers import Response

from saas_app.identity.logto_client import LogtoCore
from saas_app.runtime import Runtime
from tests.factories import Factory
from tests.integration.bearer import ApiClient, Mint
from tests.offices import Office
from tests.rules.routes import TENANT_ROUTES, Route

JSON = {"Content-Type": "application/json"}
LARGEST = 1_000_000  # bytes


@pytest.fixture
async def robot(app: Quart, make: Factory, mint: Mint) -> ApiClient:
    """A machine that may write projects."""
    organization_id = await make.organization()
    return ApiClient(app, organization_id, mint(organization_id, sub="robot", client_id="robot"))


async def refused(robot: ApiClient, status: int, raw: bytes, **headers: str) -> dict[str, Any]:
    """Send a body as a new project and return the problem. No project may have been created."""
    response = await robot.call("POST", "/projects", status, data=raw, headers={**JSON, **headers})
    assert response.content_type == "application/problem+json"
    assert (await robot.json("GET", "/projects"))["items"] == []
    problem: dict[str, Any] = await response.get_json()
    assert problem["status"] == status
    return problem


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b"name=One",
        b'{"name": "One", "name": "Two"}',
        b'{"name": NaN}',
        b'{"name": Infinity}',
        b'{"name": ' + b"9" * 5_000 + b"}",
        rb'{"name": "\ud800"}',
        rb'{"name": "One", "\udfff": 1}',
        b'{"name": "\xff"}',
        b'\xef\xbb\xbf{"name": "One"}',
        '{"name": "One"}'.encode("utf-16"),
        b'{"name": ' + b"[" * 17 + b"]" * 17 + b"}",
        b'{"name": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"name": "' + rb"\"" * 400_000,
    ],
    ids=range(14),
)
async def test_a_body_that_is_not_plain_json_is_rejected(robot: ApiClient, raw: bytes) -> None:
    assert (await refused(robot, 400, raw))["code"] == "bad-request"


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (b"", "body"),
        (b"null", "body"),
        (b"[]", "body"),
        (b'"name"', "body"),
        (b"{}", "name"),
        (b'{"name": null}', "name"),
        (b'{"name": 1}', "name"),
        (b'{"name": 1e999}', "name"),
        (b'{"name": ' + b"9" * 4_000 + b"}", "name"),
        (b'{"name": ["One"]}', "name"),
        (b'{"name": ""}', "name"),
        (rb'{"name": "\u0000"}', "name"),
        (b'{"name": "' + b"n" * 5_000 + b'"}', "name"),
        (b'{"name": "One", "description": "' + b"d" * 500_000 + b'"}', "description"),
        (b'{"name": "One", "color": "red"}', "color"),
        (b'{"name": "One", "' + b"k" * 100_000 + b'": 1}', "k" * 200),
        (rb'{"name": "One", "\u0000": 1}', "\x00"),
    ],
    ids=range(17),
)
async def test_a_body_that_breaks_a_rule_is_rejected_with_the_field(
    robot: ApiClient, raw: bytes, field: str
) -> None:
    assert list((await refused(robot, 422, raw))["errors"]) == [field]


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": ""},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/merge-patch+json"},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Type": "application/json; charset=utf-16"},
        {"Content-Encoding": "gzip"},
    ],
    ids=str,
)
async def test_a_body_in_another_format_is_rejected(robot: ApiClient, headers: dict[str, str]) -> None:
    problem = await refused(robot, 415, b'{"name": "One"}', **headers)
    assert problem["code"] == "unsupported-media-type"


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=utf-8", 'Application/JSON; charset="UTF-8"'],
)
async def test_json_in_utf_8_is_accepted_with_brackets_quotes_and_surrogate_pairs(
    robot: ApiClient, content_type: str
) -> None:
    raw = rb'{"name": "\"[[[[[[[[[[[[[[[[[[[[\\\" \ud83d\ude80 ' + "ü".encode() + rb' \u0000!"}'
    headers = {"Content-Type": content_type}
    created = await robot.json("POST", "/projects", 201, data=raw, headers=headers)
    assert created["name"] == '"[[[[[[[[[[[[[[[[[[[[\\" 🚀 ü !'


async def test_a_body_that_is_too_large_is_rejected_with_and_without_its_length(robot: ApiClient) -> None:
    raw = b'{"name": "One", "description": "' + b" " * LARGEST + b'"}'
    assert (await refused(robot, 413, raw))["code"] == "too-large"
    assert (await _in_chunks(robot, raw)).status_code == 413
    assert (await robot.json("GET", "/projects"))["items"] == []


async def test_a_body_in_chunks_is_accepted(robot: ApiClient) -> None:
    response = await _in_chunks(robot, b'{"name": "One", "description": "' + b" " * 100_000 + b'"}')
    assert response.status_code == 201


async def _in_chunks(robot: ApiClient, raw: bytes) -> Response:
    """POST a new project as a stream without a length."""
    connection = robot.app.test_client().request(
        f"/api/v1/organizations/{robot.organization_id}/projects",
        method="POST",
        headers={**JSON, "Authorization": f"Bearer {robot.token}"},
    )
    async with connection as sending:
        for start in range(0, len(raw), 65_536):
            await sending.send(raw[start : start + 65_536])
            await asyncio.sleep(0)
        await sending.send_complete()
    response = await connection.as_response()
    assert isinstance(response, Response)
    return response


async def test_a_body_on_a_route_that_takes_none_is_ignored(robot: ApiClient) -> None:
    project = await robot.json("POST", "/projects", 201, json={"name": "One"})
    for raw in (b"", b"{", b'{"version": 1}', b"\x00" * 1_000):
        for action in ("archive", "unarchive"):
            await robot.call("POST", f"/projects/{project['id']}/{action}", data=raw)
    await robot.call("GET", "/projects", data=b"{")


async def test_the_permission_is_checked_before_the_body(app: Quart, make: Factory, mint: Mint) -> None:
    organization_id = await make.organization()
    reader = ApiClient(app, organization_id, mint(organization_id, scope="projects:read"))
    await reader.call("POST", "/projects", 403, data=b"{", headers=JSON)
    nobody = ApiClient(app, organization_id, "forged")
    await nobody.call("POST", "/projects", 401, data=b"{", headers=JSON)


@pytest.mark.parametrize(
    "query", ["search=%00", "search=a%00b", "search=%FF", "search=%ED%A0%80", "cursor=%C3"]
)
async def test_a_query_that_is_not_text_is_a_bad_request(robot: ApiClient, query: str) -> None:
    assert (await robot.json("GET", f"/projects?{query}", 400))["code"] == "bad-request"


@pytest.mark.parametrize(
    "query",
    [
        "search=" + "s" * 9_000,
        "&".join(["search=s"] * 2_000),
        "search=a&search=b",
        "limit=1&limit=2",
        "limit=" + "9" * 5_000,
        "limit=1e2",
        "limit=١",
        "limit=0x10",
        "limit[]=1",
        "cursor=a&cursor=b",
        "sort=name&sort=name",
        "status=%F0%9F%9A%80",
        "nothing=1",
        "=",
    ],
)
async def test_a_query_that_breaks_a_rule_is_a_bad_request(robot: ApiClient, query: str) -> None:
    await robot.call("GET", f"/projects?{quote(query, safe='=&%[]')}", 400)


LISTS = [route for route in TENANT_ROUTES if route.is_api and route.method == "GET"]


@pytest.mark.parametrize("route", LISTS, ids=str)
async def test_malformed_queries_never_break_a_route(shared_acme: Office, route: Route) -> None:
    path = route.rule.replace("<organization_id>", shared_acme.id)
    for argument in route.arguments:
        path = path.replace(f"<{argument}>", "unknown").replace(f"<uuid:{argument}>", "0" * 32)
    names = ("search", "cursor", "limit", "actor_id", "target_id", "since", "state", "role", "show", "x")
    for name in names:
        for value in ("%00", "%FF", "%", "%25", "_", "'", "%E2%80%AE", "9" * 400):
            response = await shared_acme.browser.app.get(f"{path}?{name}={value}")
            assert response.status_code < 500, f"{path}?{name}={value}"


ODD_IDS = [
    "a" * 65,
    "%00",
    "a%00",
    "%FF",
    "%E2%80%AE",
    ".",
    "..",
    "a.b",
    "a%20b",
    "%2e%2e",
    "a'--",
    "*",
    "a%0A",
]


@pytest.mark.parametrize("odd", ODD_IDS)
async def test_an_impossible_id_is_not_found_without_a_query_or_a_call(
    shared_acme: Office, runtime: Runtime, monkeypatch: pytest.MonkeyPatch, odd: str
) -> None:
    await shared_acme.browser.get(f"{shared_acme.root}/members")
    asked: list[str] = []

    async def find(*arguments: object) -> None:
        asked.append("the database")

    async def fetch(*arguments: object) -> None:
        asked.append("Logto")

    api, ask = "/api/v1/organizations", shared_acme.browser.app.get
    with monkeypatch.context() as watched:
        watched.setattr(type(runtime.sessions), "find_access", find)
        watched.setattr(LogtoCore, "fetch_token", fetch)
        for path in (f"{api}/{odd}/projects", f"{api}/{odd}/access"):
            assert (await ask(path)).status_code == 404
        assert (await ask(f"{api}/{shared_acme.id}/members/{odd}")).status_code in (404, 405)
    assert not asked


@pytest.mark.parametrize("odd", ODD_IDS)
@pytest.mark.parametrize("below", ["members", "invitations", "projects", "api-clients"])
async def test_impossible_ids_below_an_organization_are_not_found(
    robot: ApiClient, below: str, odd: str
) -> None:
    path = f"/api/v1/organizations/{robot.organization_id}/{below}/{odd}"
    headers = {"Authorization": f"Bearer {robot.token}"}
    for method in ("GET", "PATCH", "DELETE"):
        response = await robot.app.test_client().open(path, method=method, headers=headers)
        assert response.status_code in (404, 405), f"{method} {path}"


async def test_a_body_with_very_many_names_is_rejected_before_it_is_parsed(robot: ApiClient) -> None:
    raw = json.dumps(dict.fromkeys(map(str, range(75_000)), 1)).encode()
    answer = await robot.call("POST", "/projects", 400, data=raw, headers=JSON)
    assert "more than" in await answer.get_data(as_text=True)
