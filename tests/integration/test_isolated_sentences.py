"""Refusals that name an organization with a right-to-left name: isolated on pages, plain elsewhere."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import sqlalchemy as sa

from saas_app.models import AuditEvent
from saas_app.runtime import Runtime
from tests.clients import SAME_ORIGIN, Browser
from tests.conftest import OpenOffice
from tests.offices import Office

ISOLATES = ("\u2068", "\u2069")


class Isolated(Office):
    """An organization with a right-to-left name, an admin and a viewer."""

    @property
    def shown(self) -> str:
        """The name as pages show it."""
        return f"\u2068{self.name}\u2069"


@pytest.fixture(params=["שלום (בע״מ)!", "شركة أكمي، (٢٠٢٦)"], ids=["Hebrew", "Arabic"])
async def office(request: pytest.FixtureRequest, open_office: OpenOffice) -> Isolated:
    return Isolated(**vars(await open_office(request.param, admin="Ada", viewer="Vera")))


@pytest.fixture
async def denied(office: Isolated) -> str:
    """The page that tells the viewer why they may not create a project."""
    answer = await office.browsers["viewer"].get(f"{office.root}/projects/new", 403)
    return str(await answer.get_data(as_text=True))


async def problem_of(browser: Browser, path: str, body: dict[str, Any]) -> str:
    """POST to the API and return the problem document with its characters readable."""
    answer = await browser.app.post(f"/api/v1/organizations{path}", json=body, headers=SAME_ORIGIN)
    assert answer.content_type == "application/problem+json"
    return json.dumps(await answer.get_json(force=True), ensure_ascii=False)


async def test_the_page_of_a_refused_change_isolates_the_name(office: Isolated) -> None:
    page = await office.browser.submit(f"{office.root}/leave", {"confirm": "yes"}, 409)
    assert f"the only admin of {office.shown} who can sign in" in page


async def test_the_problem_of_a_refused_change_is_plain(office: Isolated) -> None:
    problem = await problem_of(office.browser, f"/{office.id}/leave", {})
    assert f"the only admin of {office.name} who can sign in" in problem
    assert not any(mark in problem for mark in ISOLATES)


def test_the_page_of_a_denial_isolates_the_name_in_its_decision(office: Isolated, denied: str) -> None:
    assert f"Member of {office.shown}, as viewer." in denied


async def test_the_problem_of_a_denial_is_plain(office: Isolated) -> None:
    problem = await problem_of(office.browsers["viewer"], f"/{office.id}/projects", {"name": "Apollo"})
    assert f"Member of {office.name}, as viewer." in problem
    assert not any(mark in problem for mark in ISOLATES)


@pytest.mark.usefixtures("denied")
async def test_a_stored_denial_is_plain(office: Isolated, runtime: Runtime) -> None:
    async with runtime.work.reading(office.id) as db:
        stored = json.dumps(await db.scalar(sa.select(AuditEvent.decision)), ensure_ascii=False)
    assert f"Member of {office.name}, as viewer." in stored
    assert not any(mark in stored for mark in ISOLATES)


@pytest.mark.usefixtures("denied")
async def test_the_audit_log_isolates_the_name_in_a_stored_denial(office: Isolated) -> None:
    link = re.search(r'href="([^"]+)">All details<', await office.browser.text(f"{office.root}/audit"))
    assert link is not None
    assert f"Member of {office.shown}, as viewer." in await office.browser.text(link[1])
