"""Denied requests in an organization are recorded in its audit log, and cannot flood it."""

from __future__ import annotations

import json
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
from tests.integration.audit.conftest import AuditedOffice, OpenAudited, json_of
from tests.tokens import machine_token


@pytest.fixture
async def office(open_audited: OpenAudited) -> AuditedOffice:
    return await open_audited(admin="Ada", viewer="Vera")


async def test_a_denied_request_is_recorded_with_its_decision(office: AuditedOffice) -> None:
    answer = await office.get("viewer", "/audit?actor=x", 403)
    await office.get("viewer", "/audit/export.csv", 403)

    export, page = await office.entries()

    assert page["Action"] == export["Action"] == Action.ACCESS_DENY
    assert page["Actor id"] == office.people["viewer"].id
    assert page["Target"] == f"GET {office.root}/audit"
    assert export["Target"] == f"GET {office.root}/audit/export.csv"
    assert page["Outcome"] == "denied"
    assert page["Request id"] == answer.headers["X-Request-Id"]
    assert page["Address"] == "<local>"
    decision = json_of(page, "Decision")
    assert (decision["allowed"], decision["permission"]) == (False, "audit:read")
    assert [step["passed"] for step in decision["steps"]] == [True, True, True, False]
    shown = await office.details("?outcome=denied")
    assert "Access denied" in shown
    assert "does not include audit:read" in shown


async def test_a_denied_change_is_recorded(office: AuditedOffice) -> None:
    await office.post("viewer", "/projects/new", {"name": "Apollo"}, expect=403)
    (line,) = await office.entries()
    assert (line["Action"], line["Target"]) == (Action.ACCESS_DENY, f"POST {office.root}/projects/new")
    assert json_of(line, "Decision")["permission"] == "projects:write"


async def test_the_same_denial_is_recorded_once_in_ten_seconds(office: AuditedOffice) -> None:
    for number in range(5):
        await office.get("viewer", f"/audit?actor={number}", 403)
    await office.get("viewer", "/projects/new", 403)
    assert [line["Target"] for line in await office.entries()] == [
        f"GET {office.root}/projects/new",
        f"GET {office.root}/audit",
    ]


async def test_denials_of_two_people_are_recorded_separately(open_audited: OpenAudited) -> None:
    office = await open_audited(admin="Ada", viewer="Vera", editor="Ed")
    await office.get("viewer", "/audit", 403)
    await office.get("editor", "/audit", 403)
    ids = {line["Actor id"] for line in await office.entries()}
    assert ids == {office.people["viewer"].id, office.people["editor"].id}


async def test_requests_of_strangers_are_counted_and_not_recorded(
    office: AuditedOffice, make: Factory, open_browser: OpenBrowser, monkeypatch: pytest.MonkeyPatch
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
        answer = await ask(f"/api/v1/organizations/{office.id}/projects", headers=SAME_ORIGIN)
        assert answer.status_code in (404, 405)
    assert await office.entries() == []
    assert lines == [
        {
            "count": 1,
            "subject": stranger.id,
            "organization_id": office.id,
            "route": "GET /o/<organization_id>/projects",
        }
    ]


async def test_requests_of_another_organizations_api_client_are_not_recorded(
    office: AuditedOffice, make: Factory, settings: Settings, app: Quart
) -> None:
    elsewhere = await make.organization("Globex")
    machine = await make.machine(elsewhere)
    token = await machine_token(settings, machine, elsewhere)
    asked = await app.test_client().get(
        f"/api/v1/organizations/{office.id}/projects",
        headers={"Authorization": f"Bearer {token}"},
    )
    assert asked.status_code == 404
    assert await office.entries() == []


async def test_a_request_for_a_project_that_does_not_exist_is_not_recorded(office: AuditedOffice) -> None:
    await office.get("viewer", "/projects/01a1fe52-78a0-7104-af37-b0d579a9a234", 404)
    assert await office.entries() == []


async def test_requests_of_a_removed_member_are_not_recorded(office: AuditedOffice, runtime: Runtime) -> None:
    viewer = office.people["viewer"]
    await office.get("viewer", "/projects")
    assert runtime.management is not None
    await runtime.management.remove_member(office.id, viewer.id)
    await note_change(runtime.work, office.id, viewer.id)
    await office.get("viewer", "/projects", 404)
    assert await office.entries() == []


async def test_a_denial_names_its_target_and_permission_and_is_found_by_them(office: AuditedOffice) -> None:
    project = "01a1fe52-78a0-7104-af37-b0d579a9a234"
    await office.post("viewer", f"/projects/{project}/delete", expect=403)
    (line,) = await office.entries()
    assert (line["Target type"], line["Target"]) == (
        "request",
        f"POST {office.root}/projects/{project}/delete",
    )
    shown = await office.page(f"?target={project}")
    assert f"<code>POST {office.root}/projects/{project}/delete</code>" in shown
    assert f"was denied: <code>{Permission.PROJECTS_DELETE.value}</code>" in shown


async def test_a_request_is_denied_also_if_the_denial_cannot_be_recorded(
    office: AuditedOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_writing(*_arguments: Any) -> Any:
        raise OperationalError("INSERT", {}, Exception("disk full"))

    with monkeypatch.context() as patched:
        patched.setattr("saas_app.audit.denials.record", no_writing)
        answer = await office.get("viewer", "/audit", 403)
        assert "How this was decided" in await answer.get_data(as_text=True)
    assert await office.entries() == []

    await office.get("viewer", "/audit", 403)
    assert len(await office.entries()) == 1, "a denial that could not be recorded counts as not recorded"


async def test_a_denied_program_gets_a_problem_document_and_is_recorded(office: AuditedOffice) -> None:
    viewer = office.browsers["viewer"].app
    answer = await viewer.post(
        f"{office.root}/projects/new", headers={**SAME_ORIGIN, "Accept": "application/problem+json"}
    )
    assert answer.status_code == 403
    assert json.loads(await answer.get_data(as_text=True))["code"] == "permission-denied"
    assert len(await office.entries()) == 1
