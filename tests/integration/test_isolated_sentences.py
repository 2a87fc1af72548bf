"""Refusals that name an organization written from right to left: isolated on pages, plain elsewhere."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from quart.wrappers import Response

from saas_app.models import AuditEvent
from saas_app.runtime import Runtime
from tests.clients import SAME_ORIGIN, Browser
from tests.conftest import OpenBrowser
from tests.factories import Factory

ISOLATES = ("\u2068", "\u2069")


@dataclass(frozen=True, slots=True)
class Office:
    """An organization with a right-to-left name, and the browsers of its admin and its viewer."""

    id: str
    name: str
    admin: Browser
    viewer: Browser

    @property
    def shown(self) -> str:
        return f"\u2068{self.name}\u2069"


@pytest.fixture(params=["שלום (בע״מ)!", "شركة أكمي، (٢٠٢٦)"], ids=["Hebrew", "Arabic"])
async def office(request: pytest.FixtureRequest, make: Factory, open_browser: OpenBrowser) -> Office:
    admin, viewer = await make.person("Ada"), await make.person("Vera")
    organization_id = await make.organization(request.param, admin=admin, viewer=viewer)
    name = (await make.management.get_organization(organization_id)).name
    return Office(organization_id, name, await open_browser(admin), await open_browser(viewer))


@pytest.fixture
async def denied(office: Office) -> str:
    """Return the page that tells the viewer why they may not create a project."""
    return await text_of(await office.viewer.get(f"/o/{office.id}/projects/new", 403))


async def text_of(response: Response) -> str:
    return str(await response.get_data(as_text=True))


async def problem_of(browser: Browser, path: str, body: dict[str, Any]) -> str:
    """Return a whole problem document with its characters readable."""
    headers = {**SAME_ORIGIN, "Content-Type": "application/json"}
    answer = await browser.app.post(path, data=json.dumps(body).encode(), headers=headers)
    assert answer.content_type == "application/problem+json"
    return json.dumps(await answer.get_json(force=True), ensure_ascii=False)


async def test_the_page_of_a_refused_change_isolates_the_name(office: Office) -> None:
    page = await text_of(await office.admin.post(f"/o/{office.id}/leave", {"confirm": "yes"}, 409))
    assert f"the only admin of {office.shown} who can sign in" in page


async def test_the_problem_of_a_refused_change_is_plain(office: Office) -> None:
    problem = await problem_of(office.admin, f"/api/v1/organizations/{office.id}/leave", {})
    assert f"the only admin of {office.name} who can sign in" in problem
    assert not any(mark in problem for mark in ISOLATES)


def test_the_page_of_a_denial_isolates_the_name_in_its_decision(office: Office, denied: str) -> None:
    assert f"Member of {office.shown}, as viewer." in denied


async def test_the_problem_of_a_denial_is_plain(office: Office) -> None:
    problem = await problem_of(
        office.viewer, f"/api/v1/organizations/{office.id}/projects", {"name": "Apollo"}
    )
    assert f"Member of {office.name}, as viewer." in problem
    assert not any(mark in problem for mark in ISOLATES)


@pytest.mark.usefixtures("denied")
async def test_a_stored_denial_is_plain(office: Office, runtime: Runtime) -> None:
    async with runtime.work.reading(office.id) as db:
        stored = json.dumps(await db.scalar(sa.select(AuditEvent.decision)), ensure_ascii=False)
    assert f"Member of {office.name}, as viewer." in stored
    assert not any(mark in stored for mark in ISOLATES)


@pytest.mark.usefixtures("denied")
async def test_the_audit_log_isolates_the_name_in_a_stored_denial(office: Office) -> None:
    page = await text_of(await office.admin.get(f"/o/{office.id}/audit"))
    assert f"Member of {office.shown}, as viewer." in page
