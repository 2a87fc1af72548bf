"""An organization with signed-in members, and its audit log as it is exported."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Awaitable, Callable
from html import unescape
from typing import Any

import pytest
from quart.wrappers import Response

from saas_app.audit.recorder import Action, Actor, AuditEntry, Target, record
from saas_app.db.unit_of_work import UnitOfWork
from tests.conftest import OpenOffice
from tests.offices import Office


class AuditedOffice(Office):
    """An organization with signed-in members, and its audit log as the admin exports it."""

    async def post(
        self, role: str, path: str, form: dict[str, str] | None = None, expect: int = 303
    ) -> Response:
        """Send a form below the organization, as the member with a role."""
        return await self.browsers[role].post(self.root + path, form, expect)

    async def get(self, role: str, path: str, expect: int = 200) -> Response:
        """Open a page below the organization, as the member with a role."""
        return await self.browsers[role].get(self.root + path, expect)

    async def page(self, query: str = "", expect: int = 200) -> str:
        """Return the audit page as HTML, as the admin sees it."""
        return str(await (await self.get("admin", f"/audit{query}", expect)).get_data(as_text=True))

    async def details(self, query: str = "") -> str:
        """Return the page of the newest entry of the audit page, which the entry links to, as HTML."""
        link = re.search(r'href="([^"]+)">All details<', await self.page(query))
        assert link is not None
        answer = await self.browsers["admin"].get(unescape(link[1]))
        return str(await answer.get_data(as_text=True))

    async def lines(self, query: str = "") -> list[dict[str, str]]:
        """Export the audit log, newest first. The first line is the export itself."""
        answer = await self.get("admin", f"/audit/export.csv{query}")
        text = (await answer.get_data(as_text=False)).decode("utf-8-sig")
        return list(csv.DictReader(io.StringIO(text, newline="")))

    async def entries(self, query: str = "") -> list[dict[str, str]]:
        """Export the audit log without the exports themselves, newest first."""
        return [line for line in await self.lines(query) if line["Action"] != Action.AUDIT_EXPORT]


def json_of(line: dict[str, str], side: str) -> Any:
    """Return the value of a column that holds JSON. None: the column is empty."""
    return json.loads(line[side]) if line[side] else None


OpenAudited = Callable[..., Awaitable[AuditedOffice]]


@pytest.fixture
def open_audited(open_office: OpenOffice) -> OpenAudited:
    """``await open_audited(admin="Ada", viewer="Vera")``: an organization whose audit log can be exported."""

    async def open_one(name: str = "Acme", **people: str) -> AuditedOffice:
        return AuditedOffice(**vars(await open_office(name, **people)))

    return open_one


async def add_events(work: UnitOfWork, organization_id: str, count: int, **values: Any) -> None:
    """Add ``count`` audit events, of projects named “Project 0” and so on."""
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
