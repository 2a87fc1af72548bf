"""What the overview of an organization costs, whatever it shows."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa

from saas_app.db.readings import Reading, read_together
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.models import Project
from tests.clients import text_of
from tests.conftest import OpenBrowser, OpenOffice
from tests.factories import Factory
from tests.integration.statements import statements_of
from tests.integration.tenants import admin_of
from tests.offices import Office


@pytest.fixture
async def office(open_office: OpenOffice) -> Office:
    """An organization with a project, a task and events, which its members have looked at before."""
    office = await open_office(admin="Ada", viewer="Vic")
    answer = await office.browser.post(f"{office.root}/projects/new", {"name": "Apollo"})
    await office.browser.post(f"{answer.headers['Location']}/tasks", {"title": "Launch"})
    for browser in office.browsers.values():
        await browser.get(f"{office.root}/")
    return office


@pytest.mark.parametrize("role", ["admin", "viewer"])
async def test_a_warm_overview_costs_two_statements(office: Office, role: str) -> None:
    statements = await statements_of(office.browsers[role], f"{office.root}/")

    assert len(statements) == 2, statements


async def test_an_overview_with_first_steps_costs_two_statements_too(
    make: Factory, open_browser: OpenBrowser
) -> None:
    creator = await open_browser(await make.person("Hanna"))
    created = await creator.post("/o/new", {"name": "Hooli", "description": ""})
    first = await text_of(await creator.follow(created.headers["Location"]))
    found = re.search(r'data-organization="([^"]+)"', first)
    assert found is not None

    statements = await statements_of(creator, f"/o/{found[1]}/")

    assert "First steps" in first
    assert len(statements) == 2, statements


async def test_two_questions_with_one_parameter_are_rejected(work: UnitOfWork) -> None:
    """They would share its value."""
    statement = sa.select(Project.id).limit(sa.bindparam("size", type_=sa.Integer))
    one, other = [Reading(statement, {"size": size}, list) for size in (1, 2)]

    async with work.reading(admin_of().organization_id) as db:
        with pytest.raises(ValueError, match="size"):
            await read_together(db, one, other)
