"""Who is refused on an organization's routes stands in its trail, and cannot flood it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from quart import Quart
from sqlalchemy.exc import OperationalError

from saas_app.audit import denials
from saas_app.audit.recorder import Action
from saas_app.config import Settings
from saas_app.identity.membership_changes import note_change
from saas_app.rbac.permissions import Permission
from saas_app.runtime import Runtime
from tests.clients import SAME_ORIGIN
from tests.conftest import OpenBrowser
from tests.factories import Factory
from tests.integration.audit.conftest import Office, told
from tests.tokens import machine_token


@pytest.fixture
async def office(open_office: Callable[..., Any]) -> Office:
    office: Office = await open_office("admin", "viewer")
    return office


async def test_a_viewer_who_asks_for_the_trail_is_refused_and_stands_in_it(office: Office) -> None:
    answer = await office.get("viewer", "/audit?actor=x", 403)
    await office.get("viewer", "/audit/export.csv", 403)
    export, page = await office.trail()
    assert page["Action"] == export["Action"] == Action.ACCESS_DENY
    assert page["Actor id"] == office.people["viewer"].id
    assert page["Target"] == f"GET {office.root}/audit"
    assert export["Target"] == f"GET {office.root}/audit/export.csv"
    assert page["Outcome"] == "denied"
    assert page["Request id"] == answer.headers["X-Request-Id"]
    assert page["Address"] == "<local>"
    decision = told(page, "Decision")
    assert (decision["allowed"], decision["permission"]) == (False, "audit:read")
    assert [step["passed"] for step in decision["steps"]] == [True, True, True, False]
    shown = await office.page()
    assert "Access denied" in shown
    assert "does not include audit:read" in shown


async def test_a_refused_change_changes_nothing_and_is_told(office: Office) -> None:
    await office.post("viewer", "/projects/new", {"name": "Apollo"}, expect=403)
    (line,) = await office.trail()
    assert (line["Action"], line["Target"]) == (Action.ACCESS_DENY, f"POST {office.root}/projects/new")
    assert told(line, "Decision")["permission"] == "projects:write"


async def test_the_same_refusal_is_told_once_in_ten_seconds(office: Office) -> None:
    for number in range(5):
        await office.get("viewer", f"/audit?actor={number}", 403)
    await office.get("viewer", "/projects/new", 403)
    assert [line["Target"] for line in await office.trail()] == [
        f"GET {office.root}/projects/new",
        f"GET {office.root}/audit",
    ]


async def test_two_people_are_told_apart(open_office: Callable[..., Any], open_browser: OpenBrowser) -> None:
    office = await open_office("admin", "viewer", "editor")
    await office.get("viewer", "/audit", 403)
    await office.get("editor", "/audit", 403)
    ids = {line["Actor id"] for line in await office.trail()}
    assert ids == {office.people["viewer"].id, office.people["editor"].id}


async def test_a_stranger_writes_nothing_into_the_trail_and_is_counted(
    office: Office, make: Factory, open_browser: OpenBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[dict[str, Any]] = []

    class Log:
        def info(self, _event: str, **told: Any) -> None:
            lines.append(told)

    monkeypatch.setattr(denials, "log", Log())
    stranger = await make.person("Mallory")
    browser = await open_browser(stranger)
    for path in ("/projects", "/projects", "/projects/new", "/"):
        await browser.get(office.root + path, 404)
    for method in ("post", "put", "delete"):
        ask = getattr(browser.app, method)
        answer = await ask(f"/api/v1/organizations/{office.organization_id}/projects", headers=SAME_ORIGIN)
        assert answer.status_code in (404, 405)
    assert await office.trail() == []
    assert lines == [
        {
            "count": 1,
            "subject": stranger.id,
            "organization_id": office.organization_id,
            "route": "GET /o/<organization_id>/projects",
        }
    ]


async def test_a_machine_of_another_organization_writes_nothing_into_the_trail(
    office: Office, make: Factory, settings: Settings, app: Quart
) -> None:
    elsewhere = await make.organization("Globex")
    machine = await make.machine(elsewhere)
    token = await machine_token(settings, machine, elsewhere)
    asked = await app.test_client().get(
        f"/api/v1/organizations/{office.organization_id}/projects",
        headers={"Authorization": f"Bearer {token}"},
    )
    assert asked.status_code == 404
    assert await office.trail() == []


async def test_a_row_that_does_not_exist_is_no_denial(office: Office) -> None:
    await office.get("viewer", "/projects/01a1fe52-78a0-7104-af37-b0d579a9a234", 404)
    assert await office.trail() == []


async def test_somebody_who_was_removed_is_a_stranger_at_the_next_request(
    office: Office, runtime: Runtime
) -> None:
    viewer = office.people["viewer"]
    await office.get("viewer", "/projects")
    assert runtime.management is not None
    await runtime.management.remove_member(office.organization_id, viewer.id)
    await note_change(runtime.work, office.organization_id, viewer.id)
    await office.get("viewer", "/projects", 404)
    assert await office.trail() == []


async def test_a_denial_names_what_was_asked_for_in_words_and_is_found_by_it(office: Office) -> None:
    project = "01a1fe52-78a0-7104-af37-b0d579a9a234"
    await office.post("viewer", f"/projects/{project}/delete", expect=403)
    (line,) = await office.trail()
    assert (line["Target type"], line["Target"]) == (
        "request",
        f"POST {office.root}/projects/{project}/delete",
    )
    shown = await office.page(f"?target={project}")
    assert f"<code>POST {office.root}/projects/{project}/delete</code>" in shown
    assert Permission.PROJECTS_DELETE.description in shown


async def test_a_refusal_stands_when_it_cannot_be_written(
    office: Office, runtime: Runtime, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_writing(*_arguments: Any) -> Any:
        raise OperationalError("INSERT", {}, Exception("disk full"))

    with monkeypatch.context() as patched:
        patched.setattr("saas_app.audit.denials.record", no_writing)
        answer = await office.get("viewer", "/audit", 403)
        assert "How this was decided" in await answer.get_data(as_text=True)
    assert await office.trail() == []
    await office.get("viewer", "/audit", 403)
    assert len(await office.trail()) == 1, "what could not be written is not remembered as written"


async def test_a_program_gets_its_problem_document_and_the_trail_its_event(office: Office) -> None:
    viewer = office.browsers["viewer"].app
    answer = await viewer.post(
        f"{office.root}/projects/new", headers={**SAME_ORIGIN, "Accept": "application/problem+json"}
    )
    assert answer.status_code == 403
    assert json.loads(await answer.get_data(as_text=True))["code"] == "permission-denied"
    assert len(await office.trail()) == 1
