"""An organization with somebody of every role signed in, and its trail as the export tells it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from quart.wrappers import Response

from saas_app.audit.recorder import Action, Actor, AuditEntry, Target, record
from saas_app.db.unit_of_work import UnitOfWork
from tests.clients import Browser, Person
from tests.conftest import OpenBrowser
from tests.factories import Factory


@dataclass(frozen=True, slots=True)
class Office:
    """An organization: its people, and a browser of each, by role."""

    organization_id: str
    people: dict[str, Person]
    browsers: dict[str, Browser]

    @property
    def root(self) -> str:
        """Where its pages begin."""
        return f"/o/{self.organization_id}"

    async def post(
        self, role: str, path: str, form: dict[str, str] | None = None, expect: int = 303
    ) -> Response:
        """Send a form below the organization."""
        return await self.browsers[role].post(self.root + path, form, expect)

    async def get(self, role: str, path: str, expect: int = 200) -> Response:
        """Ask for a page below the organization."""
        return await self.browsers[role].get(self.root + path, expect)

    async def page(self, query: str = "", expect: int = 200) -> str:
        """The audit page as the admin sees it."""
        return str(await (await self.get("admin", f"/audit{query}", expect)).get_data(as_text=True))

    async def lines(self, query: str = "") -> list[dict[str, str]]:
        """Every event that the export holds, its own among them, the newest first."""
        answer = await self.get("admin", f"/audit/export.csv{query}")
        text = (await answer.get_data(as_text=False)).decode("utf-8-sig")
        return list(csv.DictReader(io.StringIO(text, newline="")))

    async def trail(self, query: str = "") -> list[dict[str, str]]:
        """The same without the exports of the trail."""
        return [line for line in await self.lines(query) if line["Action"] != Action.AUDIT_EXPORT]


def told(line: dict[str, str], side: str) -> Any:
    """What an exported event keeps as JSON; None where it keeps nothing."""
    return json.loads(line[side]) if line[side] else None


@pytest.fixture
def open_office(make: Factory, open_browser: OpenBrowser) -> Callable[..., Any]:
    async def open_one(*roles: str, name: str = "Acme") -> Office:
        people = {role: await make.person(role.capitalize()) for role in roles}
        organization_id = await make.organization(name, **people)
        browsers = {role: await open_browser(person) for role, person in people.items()}
        return Office(organization_id, people, browsers)

    return open_one


async def add_events(work: UnitOfWork, organization_id: str, count: int, **values: Any) -> None:
    """``count`` events of an organization, named “Project 0” and so on."""
    async with work.writing(organization_id) as db:
        for number in range(count):
            target = Target("project", f"project-{number}", f"Project {number}")
            entry = {
                "actor": Actor("sam", "Sam"),
                "action": Action.PROJECT_CREATE,
                "target": target,
                **values,
            }
            record(db, AuditEntry(**entry))
