"""Problem documents speak the language that the program accepts. Codes and names of fields stay the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from quart import Quart

from saas_app.rbac.permissions import Carrier
from tests.factories import Factory
from tests.integration.bearer import ApiClient, Mint
from tests.integration.conftest import NewClient
from tests.pseudo_locale import TAG, outside, pseudo_locale

pytestmark = pytest.mark.one_database

PROJECTS = "/projects"
UNKNOWN = "/projects/00000000-0000-7000-8000-000000000000"


@pytest.fixture
def language(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A language in which every text of the catalogues stands between ⟦ and ⟧."""
    with pseudo_locale(tmp_path):
        yield {"Accept-Language": TAG}


@pytest.fixture
async def robot(app: Quart, make: Factory, mint: Mint) -> ApiClient:
    """A machine that may write projects."""
    organization_id = await make.organization()
    return ApiClient(app, organization_id, mint(organization_id, sub="robot", client_id="robot"))


def texts_of(problem: dict[str, Any]) -> list[str]:
    """Return everything in a problem document that people read."""
    decision = problem.get("decision", {})
    return [
        problem["title"],
        problem["detail"],
        *problem.get("errors", {}).values(),
        *(step["explanation"] for step in decision.get("steps", ())),
    ]


@pytest.mark.parametrize(
    ("method", "path", "status", "options"),
    [
        ("GET", "/nowhere", 404, {}),
        ("GET", UNKNOWN, 404, {}),
        ("PUT", PROJECTS, 405, {}),
        ("GET", f"{PROJECTS}?limit=many", 400, {}),
        ("GET", f"{PROJECTS}?limit=1&limit=2&cursor=x", 400, {}),
        ("GET", f"{PROJECTS}?cursor=x", 400, {}),
        ("POST", PROJECTS, 400, {"data": b"{", "headers": {"Content-Type": "application/json"}}),
        ("POST", PROJECTS, 415, {"data": b"name=One", "headers": {"Content-Type": "text/plain"}}),
        ("POST", PROJECTS, 422, {}),
        ("POST", PROJECTS, 422, {"json": {}}),
        ("POST", PROJECTS, 422, {"json": {"name": " ", "color": "red"}}),
        ("POST", PROJECTS, 422, {"json": {"name": 7, "description": "x" * 10_000}}),
        ("POST", PROJECTS, 413, {"data": b" " * 1_100_000, "headers": {"Content-Type": "application/json"}}),
    ],
    ids=str,
)
async def test_a_problem_is_in_the_language_of_the_request(
    robot: ApiClient, language: dict[str, str], method: str, path: str, status: int, options: dict[str, Any]
) -> None:
    headers = {**language, **options.pop("headers", {})}
    response = await robot.call(method, path, status, headers=headers, **options)

    for text in texts_of(await response.get_json()):
        assert "⟦" in text
        assert not any(word in outside(text).split() for word in ("Input", "must", "The", "not"))


async def test_versions_are_asked_for_in_the_language_of_the_request(
    robot: ApiClient, language: dict[str, str]
) -> None:
    made = await robot.json("POST", PROJECTS, 201, json={"name": "Apollo"})
    path = f"{PROJECTS}/{made['id']}"
    change = {"json": {"name": "Artemis"}}

    missing = await robot.json("PATCH", path, 428, headers=language, **change)
    outdated = await robot.json("PATCH", path, 412, headers={**language, "If-Match": '"0"'}, **change)

    assert all("⟦" in text for problem in (missing, outdated) for text in texts_of(problem))


async def test_a_denial_explains_its_decision_in_the_language_of_the_request(
    new_client: NewClient, language: dict[str, str]
) -> None:
    viewer = await new_client("viewer", Carrier.API_TOKEN)

    denied = await viewer.json("POST", PROJECTS, 403, json={"name": "Apollo"}, headers=language)

    assert all("⟦" in text for text in texts_of(denied))


async def test_spanish_is_one_of_the_languages(robot: ApiClient) -> None:
    problem = await robot.json(
        "POST", PROJECTS, 422, json={"name": " "}, headers={"Accept-Language": "es-MX,es;q=0.9"}
    )

    assert problem["detail"] == "La solicitud no es válida."
    assert problem["errors"] == {"name": "no debe estar vacío"}
    assert problem["code"] == "invalid"


async def test_a_program_without_a_preference_gets_english(robot: ApiClient) -> None:
    problem = await robot.json("POST", PROJECTS, 422, json={})

    assert problem["errors"] == {"name": "Field required"}
